"""From the wire to the transport: link layers, VLANs, scopes, IP, fragments, padding, what is cut short."""

from __future__ import annotations

import struct

import pytest

from sensor.engine import TRUNCATED_SEEN
from tests.sensor.engine.builder import (
    ETHERNET,
    LOOP,
    NULL,
    RAW,
    RAW_IPV4,
    SECOND,
    SLL,
    SLL2,
    Frame,
    Tcp,
    Wire,
    datagram,
    ethernet,
    ip,
    mac,
    pcap,
    udp,
)
from tests.sensor.engine.harness import Event, new_engine, of, run, stream

V4 = ("10.0.0.1", "10.0.0.2")
V6 = ("2001:db8::1", "2001:db8::2")
HELLO = udp(40000, 161, b"hello")


def datagrams(frames: list[bytes], link_type: int = ETHERNET, **options: object) -> list[Event]:
    capture = pcap([Frame(SECOND, data, len(data)) for data in frames], link_type=link_type)
    return of(run(capture, **options), "datagram")


def counted(frames: list[bytes], link_type: int = ETHERNET) -> dict[str, int]:
    engine = new_engine()
    run(pcap([Frame(SECOND, data, len(data)) for data in frames], link_type=link_type), engine=engine)
    return engine.counters()


@pytest.mark.parametrize("addresses", [V4, V6])
@pytest.mark.parametrize(
    ("link_type", "header"),
    [
        (ETHERNET, None),
        (NULL, struct.pack("<I", 2)),
        (NULL, struct.pack(">I", 30)),
        (LOOP, struct.pack(">I", 2)),
        (RAW, b""),
        (12, b""),
        (14, b""),
        (RAW_IPV4, b""),
        (229, b""),
        (SLL, struct.pack(">HHH", 0, 1, 6) + mac(9) + bytes(2)),
        (SLL2, bytes(2) + bytes(2) + struct.pack(">IHBB", 1, 1, 0, 6) + mac(9) + bytes(2)),
    ],
)
def test_every_link_type_leads_to_the_datagram(
    link_type: int, header: bytes | None, addresses: tuple[str, str]
) -> None:
    packet = ip(*addresses, 17, HELLO)
    kind = struct.pack(">H", 0x86DD if addresses == V6 else 0x0800)
    if link_type == ETHERNET:
        frame = ethernet(packet)
    elif link_type == SLL:
        frame = header + kind + packet
    elif link_type == SLL2:
        frame = kind + header[2:] + packet
    else:
        frame = header + packet
    (event,) = datagrams([frame], link_type)
    assert event.data == b"hello"
    assert event.addresses[0] == 17
    assert len(event.addresses[3]) == (16 if addresses == V6 else 4)
    assert event.addresses[5] == {ETHERNET: 0x020000000001, SLL: 0x020000000009, SLL2: 0x020000000009}.get(
        link_type, -1
    )


def test_an_unknown_link_type_is_counted() -> None:
    counters = counted([b"anything"], 147)
    assert counters["unsupported_link"] == 1
    assert counters["packets"] == 1


@pytest.mark.parametrize("tpid", [0x8100, 0x88A8, 0x9100])
@pytest.mark.parametrize("vlans", [(5,), (100, 5), (1, 2, 3, 4, 5, 6, 7, 5)])
def test_vlan_tags_of_any_depth(tpid: int, vlans: tuple[int, ...]) -> None:
    (event,) = datagrams([ethernet(ip(*V4, 17, HELLO), vlans=vlans, tpid=tpid)])
    assert event.data == b"hello"
    assert event.addresses[2] == 5


def test_too_many_tags_are_refused() -> None:
    assert not datagrams([ethernet(ip(*V4, 17, HELLO), vlans=(1,) * 9)])


def test_vlans_of_one_scope_are_one_address_space() -> None:
    """Both directions of a conversation may carry different tags."""
    wire = Wire()
    datagram(wire, b"ask", vlans=(10,))
    datagram(wire, b"answer", source=("10.0.0.2", 161), target=("10.0.0.1", 40000), vlans=(20,))
    events = run(wire.pcap())
    assert [e.lane for e in of(events, "datagram")] == [0, 1]
    assert len(of(events, "end")) == 1


def test_the_same_addresses_in_two_scopes_are_two_flows() -> None:
    wire = Wire()
    for vlan in (10, 20, 10):
        datagram(wire, b"x", vlans=(vlan,))
    engine = new_engine()
    table = bytearray(4096)
    table[20] = 3
    engine.scope_of_vlan(table)
    events = run(wire.pcap(), engine=engine)
    assert [e.addresses[1] for e in of(events, "datagram")] == [0, 3, 0]
    assert len(of(events, "end")) == 2


@pytest.mark.parametrize("size", [0, 4095, 4097])
def test_a_table_of_scopes_has_4096_entries(size: int) -> None:
    with pytest.raises(ValueError, match="4096"):
        new_engine().scope_of_vlan(bytes(size))


@pytest.mark.parametrize("kind", [0x0806, 0x88CC, 0x8847, 0x8864, 0x0026, 0xFFFF])
def test_what_is_no_ip_is_counted(kind: int) -> None:
    counters = counted([ethernet(bytes(60), ether_type=kind)])
    assert counters["not_ip"] + counters["bad_header"] == 1


# --- sizes


def test_ethernet_padding_is_no_payload() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"a")
    talk.ack(1)
    talk.send(0, b"b")
    wire.frames = [Frame(f.ts_us, f.data.ljust(60, b"\xee"), max(60, f.length)) for f in wire.frames]
    events = run(wire.pcap())
    assert stream(events, 0) == b"ab"
    assert stream(events, 1) == b""


def test_a_total_length_of_nothing_is_the_rest_of_the_frame() -> None:
    """Segmentation offload: the sender's card fills the length in, after the capture."""
    (event,) = datagrams([ethernet(ip(*V4, 17, HELLO, total=0))])
    assert event.data == b"hello"
    (event,) = datagrams([ethernet(ip(*V6, 17, HELLO, total=0))])
    assert event.data == b"hello"


def test_a_datagram_cut_by_the_snaplen_is_delivered_and_flagged() -> None:
    packet = ethernet(ip(*V4, 17, udp(40000, 161, b"0123456789")))
    events = run(pcap([Frame(SECOND, packet[:-4], len(packet))]))
    assert of(events, "datagram")[0].data == b"012345"
    assert of(events, "end")[0].stat("flags") & TRUNCATED_SEEN


def test_udp_knows_its_own_length() -> None:
    (event,) = datagrams([ethernet(ip(*V4, 17, udp(40000, 161, b"helloJUNK", length=13)))])
    assert event.data == b"hello"


@pytest.mark.parametrize("kept", range(46))
def test_a_packet_cut_in_its_headers_is_counted(kept: int) -> None:
    frame = ethernet(ip(*V4, 17, HELLO))[:kept]
    assert [e.data for e in datagrams([frame])] == [b"hello"[: kept - 42]] * (kept > 42)
    assert counted([frame])["packets"] == 1


@pytest.mark.parametrize("version", [0, 1, 5, 7, 15])
def test_other_versions_of_ip_are_refused(version: int) -> None:
    packet = bytearray(ip(*V4, 17, HELLO))
    packet[0] = version << 4 | 5
    assert not datagrams([ethernet(bytes(packet), ether_type=0x0800)])


@pytest.mark.parametrize("header", [0, 1, 4, 15])
def test_header_lengths_that_cannot_be_are_refused(header: int) -> None:
    packet = bytearray(ip(*V4, 17, HELLO))
    packet[0] = 0x40 | header
    assert not datagrams([ethernet(bytes(packet), ether_type=0x0800)])


def test_ip_options_are_stepped_over() -> None:
    packet = ip(*V4, 17, bytes(8) + HELLO)
    packet = bytes([0x47]) + packet[1:]
    (event,) = datagrams([ethernet(packet)])
    assert event.data == b"hello"


# --- IPv6 extension headers


def extension(following: int, size: int = 8) -> bytes:
    return bytes([following, size // 8 - 1]) + bytes(size - 2)


@pytest.mark.parametrize("kind", [0, 43, 60, 135, 139, 140])
def test_extension_headers_are_stepped_over(kind: int) -> None:
    packet = ip(*V6, kind, HELLO, extensions=extension(60, 16) + extension(17))
    (event,) = datagrams([ethernet(packet)])
    assert event.data == b"hello"


def test_an_authentication_header_counts_in_words() -> None:
    packet = ip(*V6, 51, HELLO, extensions=bytes([17, 4]) + bytes(22))
    (event,) = datagrams([ethernet(packet)])
    assert event.data == b"hello"


def test_too_many_extension_headers_are_refused() -> None:
    packet = ip(*V6, 60, HELLO, extensions=extension(60) * 40 + extension(17))
    assert not datagrams([ethernet(packet)])


# --- fragments


def fragments4(payload: bytes, size: int = 16, ident: int = 7, protocol: int = 17) -> list[bytes]:
    pieces = range(0, len(payload), size)
    return [
        ethernet(ip(*V4, protocol, payload[at : at + size], ident=ident, fragment=at, more=at + size < len(payload)))
        for at in pieces
    ]


def fragments6(payload: bytes, size: int = 16, ident: int = 7) -> list[bytes]:
    frames = []
    for at in range(0, len(payload), size):
        head = struct.pack(">BBHI", 17, 0, at | (at + size < len(payload)), ident)
        frames.append(ethernet(ip(*V6, 44, payload[at : at + size], extensions=head)))
    return frames


MESSAGE = bytes(range(200))


@pytest.mark.parametrize("cut", [fragments4, fragments6])
@pytest.mark.parametrize("order", ["in order", "backwards", "odd first"])
def test_fragments_become_one_datagram(cut, order: str) -> None:
    frames = cut(udp(40000, 161, MESSAGE))
    if order == "backwards":
        frames.reverse()
    elif order == "odd first":
        frames = frames[1::2] + frames[::2]
    (event,) = datagrams(frames)
    assert event.data == MESSAGE
    assert event.frame == len(frames)
    counters = counted(frames)
    assert counters["fragments"] == len(frames)
    assert counters["fragments_reassembled"] == 1
    assert counters["fragments_dropped"] == 0
    assert counters["held_bytes"] == 0


def test_fragments_of_a_tcp_segment() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, MESSAGE)
    *handshake, data = (frame.data for frame in wire.frames)
    segment = data[34:]
    assert (
        stream(run(pcap([Frame(SECOND, f, len(f)) for f in handshake + fragments4(segment, 24, protocol=6)])), 0)
        == MESSAGE
    )


def test_fragments_of_two_datagrams_do_not_mix() -> None:
    one, two = (fragments4(udp(40000, 161, bytes([n]) * 100), ident=n) for n in (1, 2))
    mixed = [frame for pair in zip(one, two, strict=True) for frame in pair]
    assert [e.data for e in datagrams(mixed)] == [bytes([1]) * 100, bytes([2]) * 100]


def test_overlapping_fragments_first_bytes_win() -> None:
    frames = fragments4(udp(40000, 161, MESSAGE))
    liar = ethernet(ip(*V4, 17, b"\xff" * 32, ident=7, fragment=16, more=True))
    (event,) = datagrams([*frames[:-1], liar, frames[-1]])
    assert event.data == MESSAGE
    assert counted([*frames[:-1], liar, frames[-1]])["fragments_overlap"] >= 1


def test_a_duplicated_fragment_changes_nothing() -> None:
    frames = fragments4(udp(40000, 161, MESSAGE))
    assert [e.data for e in datagrams([frames[0], *frames])] == [MESSAGE]


def test_fragments_that_never_complete_are_bounded_and_counted() -> None:
    """300,000 first fragments: memory stays, and what is dropped is counted."""
    frames = [
        ethernet(ip(*V4, 17, bytes(1400), ident=n & 0xFFFF, fragment=8 * (n >> 16), more=True)) for n in range(30000)
    ]
    counters = counted(frames)
    assert counters["held_bytes"] <= 16 << 20
    assert counters["fragments_dropped"] > 0


def test_a_late_fragment_does_not_complete_an_old_datagram() -> None:
    frames = fragments4(udp(40000, 161, MESSAGE))
    old = [Frame(SECOND, frame, len(frame)) for frame in frames[:-1]]
    late = Frame(SECOND * 120, frames[-1], len(frames[-1]))
    assert not of(run(pcap([*old, late])), "datagram")


@pytest.mark.parametrize("offset", [65528, 65504])
def test_fragments_beyond_the_largest_datagram_are_dropped(offset: int) -> None:
    frame = ethernet(ip(*V4, 17, bytes(64), ident=1, fragment=offset))
    assert counted([frame])["fragments_dropped"] == 1


def test_fragments_inside_fragments_are_refused() -> None:
    """They would nest without a bound."""
    inner = struct.pack(">BBHI", 17, 0, 1, 9) + bytes(16)
    frames = []
    for at in range(0, len(inner), 8):
        head = struct.pack(">BBHI", 44, 0, at | (at + 8 < len(inner)), 5)
        frames.append(ethernet(ip(*V6, 44, inner[at : at + 8], extensions=head)))
    counters = counted(frames)
    assert counters["bad_header"] == 1
    assert counters["held_bytes"] == 0


def test_a_chain_of_atomic_fragments_is_refused() -> None:
    head = struct.pack(">BBHI", 44, 0, 0, 1)
    assert counted([ethernet(ip(*V6, 44, HELLO, extensions=head * 4000))])["bad_header"] == 1
