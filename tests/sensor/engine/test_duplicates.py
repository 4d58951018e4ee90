"""What a mirror shows twice is read and counted once; what a sender sends again is not a duplicate."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from sensor import engine as installed
from sensor.engine import DUPLICATE_SEEN, load_interpreted
from tests.sensor.engine.builder import (
    SECOND,
    START_US,
    Frame,
    Tcp,
    Wire,
    ethernet,
    gre,
    ip,
    pcap,
    udp,
)
from tests.sensor.engine.harness import Event, new_engine, of, run, stream
from tests.sensor.engine.test_interpreted import both_agree

V4, V6 = ("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8::2")


def hello(ident: int = 77, *, checksum: int = 0, addresses: tuple[str, str] = V4, ttl: int = 64) -> bytes:
    datagram = udp(40000, 161, b"hello")
    return ip(*addresses, 17, datagram[:6] + struct.pack(">H", checksum) + datagram[8:], ident=ident, ttl=ttl)


def at(*moments: tuple[int, bytes]) -> bytes:
    """Frames at so many microseconds after the start."""
    return pcap([Frame(START_US + after, frame, len(frame)) for after, frame in moments])


def outcome(capture: bytes, *, flows: int = 64) -> tuple[list[Event], dict[str, int]]:
    engine = new_engine(flows=flows)
    return run(capture, engine=engine), engine.counters()


@pytest.mark.parametrize(
    "copy",
    [
        ethernet(hello()),
        ethernet(hello(), vlans=(20,)),
        ethernet(hello(ttl=63), source=7, target=8),
        ethernet(hello(ttl=60), vlans=(20, 30)),
        ethernet(ip("192.0.2.1", "192.0.2.2", 47, gre(hello(), 0x0800))),
    ],
)
def test_a_copy_is_counted_once(copy: bytes) -> None:
    """The same bytes, in another VLAN, behind a router, in the tunnel of another mirror."""
    events, counters = outcome(at((0, ethernet(hello(), vlans=(10,))), (300, copy)))
    assert [e.kind for e in events] == ["datagram", "end"]
    assert counters["duplicates"] == 1
    assert (events[-1].stat("packets_i"), events[-1].stat("bytes_i")) == (1, 5)
    assert events[-1].stat("flags") & DUPLICATE_SEEN
    assert events[0].addresses[2] == 10


def test_a_flow_without_copies_says_so() -> None:
    events, counters = outcome(at((0, ethernet(hello(1))), (10, ethernet(hello(2)))))
    assert counters["duplicates"] == 0
    assert not events[-1].stat("flags") & DUPLICATE_SEEN


@pytest.mark.parametrize(
    ("ident", "checksum", "after", "duplicates"),
    [
        (77, 0, 20_000, 1),
        (77, 0, 20_001, 0),
        (77, 0, -20_000, 1),  # the copy's clock may be behind
        (77, 0, -20_001, 0),
        (0, 0x1234, 1000, 1),
        (0, 0x1234, 1001, 0),
        (0, 0, 0, 0),  # nothing tells two packets apart, so nothing says that they are one
    ],
)
def test_ident_and_time_decide(ident: int, checksum: int, after: int, duplicates: int) -> None:
    frame = ethernet(hello(ident, checksum=checksum))
    events, counters = outcome(at((0, frame), (after, frame)))
    assert counters["duplicates"] == duplicates
    assert len(of(events, "datagram")) == 2 - duplicates


@pytest.mark.parametrize(("after", "duplicates"), [(1000, 1), (1001, 0)])
def test_ipv6_has_no_ident_but_a_checksum(after: int, duplicates: int) -> None:
    frame = ethernet(hello(checksum=0x1234, addresses=V6))
    assert outcome(at((0, frame), (after, frame)))[1]["duplicates"] == duplicates


def summed(addresses: tuple[str, str], payload: bytes, *, by_card: bool) -> bytes:
    """A datagram as its sender's card sends it, or gets it: then ends, protocol and length alone are summed up."""
    datagram = udp(40000, 161, payload)
    ends = b"".join(ip_address(each).packed for each in addresses) + struct.pack(">HH", 17, len(datagram))
    covered = ends + datagram if by_card else ends
    total = sum(struct.unpack(f">{(len(covered) + 1) // 2}H", covered + bytes(len(covered) % 2)))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = total ^ 0xFFFF if by_card else total
    return ethernet(ip(*addresses, 17, datagram[:6] + struct.pack(">H", checksum) + datagram[8:]))


@pytest.mark.parametrize("addresses", [V4, V6])
@pytest.mark.parametrize("payload", [b"hello", b"hello!", b"hello, hi"])
def test_a_checksum_that_is_left_to_a_card_is_finished(addresses: tuple[str, str], payload: bytes) -> None:
    """Another datagram of that length is none the less another one, and a copy that the card has sent is one."""
    first, copy = (summed(addresses, payload, by_card=by_card) for by_card in (False, True))
    other = summed(addresses, payload.replace(b"e", b"a"), by_card=False)
    events, counters = outcome(at((0, first), (10, other), (20, copy)))
    assert counters["duplicates"] == 1
    assert [event.data for event in of(events, "datagram")] == [payload, payload.replace(b"e", b"a")]


def test_other_payload_is_another_packet() -> None:
    frames = [ethernet(hello(77, checksum=number)) for number in (1, 2)]
    assert outcome(at((0, frames[0]), (10, frames[1])))[1]["duplicates"] == 0


def test_both_directions_are_two_packets() -> None:
    there = ethernet(ip(*V4, 17, udp(500, 500, b"x"), ident=7))
    back = ethernet(ip(*V4[::-1], 17, udp(500, 500, b"x"), ident=7))
    assert outcome(at((0, there), (10, back)))[1]["duplicates"] == 0


def test_the_same_packet_in_two_scopes_is_two_packets() -> None:
    engine = new_engine()
    table = bytearray(4096)
    table[20] = 3
    engine.scope_of_vlan(table)
    run(at((0, ethernet(hello(), vlans=(10,))), (9, ethernet(hello(), vlans=(20,)))), engine=engine)
    assert engine.counters()["duplicates"] == 0


def test_a_copy_after_the_end_is_neither_late_nor_a_new_flow() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"x")
    talk.rst(0)
    frames = list(marked(wire.frames))
    events, counters = outcome(pcap([*frames, frames[-2]._replace(ts_us=frames[-1].ts_us + 9)]))
    assert [e.kind for e in events] == ["data", "end"]
    assert (counters["duplicates"], counters["late_segments"], counters["flows"]) == (1, 0, 1)


@pytest.mark.parametrize("order", [(0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 0)])
def test_copies_of_fragments_make_no_datagram(order: tuple[int, ...]) -> None:
    message = udp(40000, 161, bytes(range(100)))
    pieces = [ethernet(ip(*V4, 17, message[a : a + 64], ident=5, fragment=a, more=a == 0)) for a in (0, 64)]
    events, counters = outcome(at(*((n * 50, pieces[which]) for n, which in enumerate(order))))
    assert [e.data for e in of(events, "datagram")] == [bytes(range(100))]
    assert counters["held_bytes"] == 0
    assert counters["fragments_duplicate"] + (order[1] == 0) == 2


def test_an_ident_of_fragments_may_come_again_later() -> None:
    message = udp(40000, 161, bytes(range(100)))
    pieces = [ethernet(ip(*V4, 17, message[a : a + 64], ident=5, fragment=a, more=a == 0)) for a in (0, 64)]
    events, _ = outcome(at(*((n * 30_000, piece) for n, piece in enumerate(pieces * 2))))
    assert len(of(events, "datagram")) == 2


# --- TCP


def marked(frames: list[Frame], first: int = 1) -> Iterator[Frame]:
    """The frames with an ident and a checksum each, as senders have them."""
    for number, frame in enumerate(frames, first):
        data = bytearray(frame.data)
        struct.pack_into(">H", data, 18, number)
        struct.pack_into(">H", data, 34 + 16, zlib.crc32(data) & 0xFFFF)
        yield frame._replace(data=bytes(data))


def copied(frames: list[Frame], after: int) -> list[Frame]:
    """Each frame, and later its copy from another VLAN behind a router."""
    copies = []
    for frame in frames:
        data = bytearray(frame.data[:12] + struct.pack(">HH", 0x8100, 20) + frame.data[12:])
        data[0:6], data[6:12] = data[6:12], data[0:6]
        data[26] -= 1
        copies.append(Frame(frame.ts_us + after, bytes(data), frame.length + 4))
    return sorted([*frames, *copies], key=lambda frame: frame.ts_us)


def conversation() -> list[Frame]:
    wire = Wire(step_us=100)
    talk = Tcp(wire).open()
    for number in range(20):
        talk.send(0, b"ask%d" % number * 90, mss=100)
        talk.ack(1)
        talk.send(1, b"answer%d" % number * 70, mss=100)
    talk.close()
    return list(marked(wire.frames))


def without_frames(events: list[Event]) -> list[tuple[object, ...]]:
    return [(e.kind, e.lane, e.turn, e.size, e.reason, e.data, e.addresses, e.stats[:-1]) for e in events]


@pytest.mark.parametrize("after", [0, 30, 150, 1700, 15_000])
def test_a_conversation_that_is_mirrored_twice_reads_as_once(after: int) -> None:
    """Copies come at once, or in bursts long behind."""
    frames = conversation()
    once, (twice, counters) = run(pcap(frames)), outcome(pcap(copied(frames, after)))
    times = [index for index, name in enumerate(installed.STATS) if name in {"first_frame", "last_ts_us"}]

    def plain(events: list[Event]) -> list[tuple[object, ...]]:
        stats = [[n for i, n in enumerate(e.stats[:-1]) if i not in times] for e in events]
        return [(*row[:-1], *numbers) for row, numbers in zip(without_frames(events), stats, strict=True)]

    assert plain(twice) == plain(once)
    assert counters["duplicates"] == len(frames)


def test_a_retransmission_is_no_duplicate() -> None:
    """The sender's IP numbers it anew."""
    wire = Wire(step_us=100)
    talk = Tcp(wire).open()
    talk.send(0, b"question")
    talk.segment(0, 0, b"question")
    frames = list(marked(wire.frames))
    events, counters = outcome(pcap(frames))
    assert counters["duplicates"] == 0
    assert of(events, "end")[0].stat("retransmitted") == 1


def test_a_retransmission_that_is_mirrored_twice_is_one_retransmission() -> None:
    wire = Wire(step_us=100)
    talk = Tcp(wire).open()
    talk.send(0, b"question")
    talk.segment(0, 0, b"question")
    frames = list(marked(wire.frames))
    events, counters = outcome(pcap(copied(frames, 50)))
    assert counters["duplicates"] == 5
    assert of(events, "end")[0].stat("retransmitted") == 1
    assert stream(events, 0) == b"question"


def test_duplicate_acknowledgements_without_ident_are_left_alone() -> None:
    """Receivers repeat pure acknowledgements by themselves."""
    segment = struct.pack(">HHIIBBHHH", 50000, 104, 7, 9, 5 << 4, 16, 100, 0x1234, 0)
    frame = ethernet(ip(*V6, 6, segment))
    assert outcome(at((0, frame), (10, frame)))[1]["duplicates"] == 0


def test_duplicates_cost_no_memory_and_both_agree() -> None:
    frames = copied(conversation(), 40)
    assert both_agree(pcap(frames)) > 5


# --- sources with clocks of their own


@pytest.mark.parametrize("behind_s", [1, 60, 250, 7_200, 1_500_000_000])
def test_a_source_whose_clock_is_behind(behind_s: int) -> None:
    """Each packet of one direction says an earlier time: the flow is one, and nothing of it is idle."""
    frames = [frame._replace(ts_us=frame.ts_us - behind_s * SECOND * (frame.data[5] == 10)) for frame in conversation()]
    events, counters = outcome(pcap(frames))
    assert counters["flows"] == 1
    assert counters["clock_backwards"] > 10
    assert [stream(events, lane) for lane in (0, 1)] == [stream(run(pcap(conversation())), lane) for lane in (0, 1)]


# --- real captures


@pytest.mark.parametrize(
    ("name", "duplicates"),
    [
        ("encap-gre_misc__the-tcpdump-group-tcpdump__pptp.pcap", 8),
        ("link-nflog_http__zeek-zeek__nflog-http.pcap", 2),
        ("encap-ip4frag_krb-des__the-tcpdump-group-tcpdump__afs.pcap", 3),
        ("encap-pppoe_tls-tls12__zeek-zeek__pppoe-over-qinq.pcap", 0),
        ("encap-qinq_http__zeek-zeek__http-qinq-0.pcap", 0),
    ],
)
def test_real_mirrors(shared_pcaps: Path, name: str, duplicates: int) -> None:
    capture = (shared_pcaps / name).read_bytes()[:250_000]
    for module in (installed, load_interpreted()):
        engine = new_engine(module)
        run(capture, module=module, engine=engine)
        assert engine.counters()["duplicates"] == duplicates


def records(capture: bytes) -> Iterator[Frame]:
    """The frames of a little-endian pcap with microseconds, as far as they are whole."""
    place = 24
    while place + 16 <= len(capture):
        seconds, micros, kept, length = struct.unpack_from("<IIII", capture, place)
        yield Frame(seconds * SECOND + micros, capture[place + 16 : place + 16 + kept], length)
        place += 16 + kept


def mirrored(frame: Frame) -> Iterator[Frame]:
    """A frame, and what another VLAN's mirror shows of it behind a router."""
    yield frame
    if len(frame.data) >= 34:
        data = bytearray(frame.data[:12] + b"\x81\x00\x00\x14" + frame.data[12:])
        if data[16:18] == b"\x08\x00":
            data[26] = max(0, data[26] - 1)
        yield Frame(frame.ts_us + 60, bytes(data), frame.length + 4)


def heard(frames: list[Frame]) -> tuple[list[tuple[object, ...]], dict[str, int]]:
    events, counters = outcome(pcap(frames), flows=4096)
    return [(e.kind, e.lane, e.size, e.data, e.addresses[3:5], e.addresses[6:8]) for e in events], counters


def test_real_captures_mirrored_twice_read_as_once(shared_pcaps: Path) -> None:
    """All of Ethernet; one larger file has datagrams with neither ident nor checksum, which are read twice."""
    found = 0
    for path in sorted(shared_pcaps.glob("*.pcap")):
        capture = path.read_bytes()
        if capture[:4] == b"\xd4\xc3\xb2\xa1" and capture[20] == 1 and len(capture) < 150_000:
            frames = list(records(capture))
            events, counters = heard([copy for frame in frames for copy in mirrored(frame)])
            assert events == heard(frames)[0], path.name
            found += counters["duplicates"]
    assert found > 1000
