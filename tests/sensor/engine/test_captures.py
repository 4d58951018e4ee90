"""Capture formats as the engine walks them: byte orders, resolutions, sections, cuts; windows do not matter."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.engine import NEED
from tests.conftest import SHARED_PCAPS
from tests.sensor.engine.builder import (
    ETHERNET,
    RAW,
    START_US,
    Tcp,
    Wire,
    block,
    datagram,
    enhanced,
    ethernet,
    interface,
    ip,
    option,
    pcap,
    pcapng,
    section,
    udp,
)
from tests.sensor.engine.harness import Event, declare, new_engine, of, run, stream

PACKET = ethernet(ip("10.0.0.1", "10.0.0.2", 17, udp(40000, 161, b"hello")))


def conversation() -> Wire:
    """A little of everything: turns, loss, reordering, datagrams, fragments, a lane that waits."""
    wire = Wire()
    talk = Tcp(wire).open()
    for number in range(4):
        talk.send(0, b"ask%d" % number * 30, mss=50)
        datagram(wire, b"noise")
        for at in (0, 16):
            wire.put(
                ethernet(ip("10.0.0.3", "10.0.0.4", 17, udp(7, 8, bytes(24))[at : at + 16], fragment=at, more=at == 0))
            )
        talk.send(1, b"answer%d" % number * 20, mss=33)
    talk.lose(0, 10)
    talk.send(0, b"late")
    talk.segment(1, talk.sent[1] + 5, b"behind")
    talk.segment(1, talk.sent[1], b"in fr")
    talk.close()
    return wire


def react(engine, event: Event) -> None:
    """A dissector that says a bit of everything, by what it has seen only."""
    if event.kind == "data" and event.lane == 0:
        choice = len(event.data) % 4
        if choice == 0:
            engine.skip(event.flow, 0, 7)
        elif choice == 1:
            engine.want(event.flow, 0, 20, 40)
        elif choice == 2:
            engine.skip_until(event.flow, 0, b"k2", 500)


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("variant", [{}, {"nanosecond": True}, {"modified": True}])
def test_every_pcap_variant_gives_the_same_events(big_endian: bool, variant: dict[str, bool]) -> None:
    wire = conversation()
    expected = run(wire.pcap(), react)
    assert len(expected) > 10
    assert run(wire.pcap(big_endian=big_endian, **variant), react) == expected


@pytest.mark.parametrize("big_endian", [False, True])
def test_pcapng_gives_the_same_events(big_endian: bool) -> None:
    wire = conversation()
    assert run(pcapng(wire.frames, big_endian=big_endian), react) == run(wire.pcap(), react)


@pytest.mark.parametrize(
    ("options", "units"),
    [
        (b"", START_US),
        (option(9, b"\x06"), START_US),
        (option(9, b"\x09"), START_US * 1000),
        (option(9, b"\x03"), START_US // 1000),
        (option(9, b"\x00"), START_US // 1_000_000),
        (option(9, b"\x8a"), START_US * 1024 // 1_000_000),
        (option(2, b"eth0") + option(9, b"\x09") + option(0, b""), START_US * 1000),
        (option(14, struct.pack("<q", START_US // 1_000_000)), 0),
        (option(14, struct.pack("<q", -1)), START_US + 1_000_000),
    ],
)
def test_pcapng_resolutions_and_offsets(options: bytes, units: int) -> None:
    (event,) = of(run(section() + interface(options=options) + enhanced(PACKET, units)), "datagram")
    assert abs(event.ts_us - START_US) < 1000


def test_pcapng_interfaces_have_link_types_of_their_own() -> None:
    raw = PACKET[14:]
    capture = section() + interface(ETHERNET) + interface(RAW) + enhanced(PACKET, 1) + enhanced(raw, 2, interface_id=1)
    assert [e.data for e in of(run(capture), "datagram")] == [b"hello", b"hello"]


def test_pcapng_sections_begin_anew_in_either_byte_order() -> None:
    capture = b"".join(
        section(big_endian=big) + interface(link, big_endian=big) + enhanced(data, START_US, big_endian=big)
        for big, link, data in ((False, ETHERNET, PACKET), (True, RAW, PACKET[14:]), (False, ETHERNET, PACKET))
    )
    events = of(run(capture), "datagram")
    assert [e.ts_us for e in events] == [START_US] * 3
    assert [e.frame for e in events] == [1, 2, 3]


def test_pcapng_blocks_that_hold_no_packets_are_stepped_over() -> None:
    unknown = block(0x0BAD, b"whatever") + block(4, bytes(40)) + block(5, bytes(20)) + block(0x80000001, bytes(3))
    capture = section() + unknown + interface() + unknown + enhanced(PACKET, 1, options=option(1, b"comment")) + unknown
    assert len(of(run(capture), "datagram")) == 1


def test_pcapng_simple_and_old_packet_blocks() -> None:
    simple = block(3, struct.pack("<I", len(PACKET)) + PACKET)
    old = block(
        2, struct.pack("<HHIIII", 0, 0, START_US >> 32, START_US & 0xFFFFFFFF, len(PACKET), len(PACKET)) + PACKET
    )
    events = of(run(section() + interface() + old + simple), "datagram")
    assert [e.data for e in events] == [b"hello", b"hello"]
    assert events[0].ts_us == START_US


def test_a_packet_on_an_interface_that_was_never_described_is_counted() -> None:
    engine = new_engine()
    run(section() + enhanced(PACKET, 1, interface_id=3), engine=engine)
    assert engine.counters()["unsupported_link"] == 1


@pytest.mark.parametrize(
    "capture",
    [
        pcap([])[:24] + struct.pack("<IIII", 1, 2, 262145, 262145),
        pcap([])[:24] + b"\xff" * 16,
        section() + struct.pack("<II", 6, 11) + bytes(40),
        section() + struct.pack("<II", 6, 0xFFFFFFF0) + bytes(40),
        section() + interface() + block(6, struct.pack("<IIIII", 0, 0, 0, 400, 400) + bytes(8)),
        b"\x0a\x0d\x0d\x0a" + bytes(40),
    ],
)
def test_absurd_records_are_corrupt_and_all_that_came_before_is_kept(capture: bytes) -> None:
    events = run(capture)
    assert [e.kind for e in events] == ["corrupt"]


def test_corruption_does_not_lose_what_came_before() -> None:
    events = run(conversation().pcap() + b"\xff" * 16, react)
    whole = run(conversation().pcap(), react)
    assert [e for e in events if e.kind != "corrupt"] == whole


def test_position_is_the_start_of_the_incomplete_record() -> None:
    wire = Wire()
    datagram(wire, b"one")
    first = len(wire.pcap())
    datagram(wire, b"two")
    capture = bytearray(wire.pcap()[:-1])
    engine = new_engine()
    declare(engine, bytes(capture))
    engine.load(capture, 24, len(capture))
    while engine.step() != NEED:
        pass
    assert engine.position == first


@pytest.mark.parametrize("window", [1, 2, 3, 5, 16, 17, 61, 100, 1000, 4096])
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_windows_do_not_matter(window: int, form: str) -> None:
    wire = conversation()
    capture = wire.pcap() if form == "pcap" else pcapng(wire.frames)
    assert run(capture, react, window=window) == run(capture, react)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3000), st.integers(0, 3000))
def test_a_capture_cut_anywhere_is_read_up_to_there(window: int, cut: int) -> None:
    capture = conversation().pcap()[: max(24, cut)]
    assert run(capture, react, window=window) == run(capture, react)


def test_a_capture_cut_at_every_byte_is_read_up_to_there() -> None:
    wire = conversation()
    for capture in (wire.pcap(), pcapng(wire.frames)):
        whole = run(capture)
        for cut in range(24, len(capture), 3):
            part = run(capture[:cut])
            for lane in (0, 1):
                assert stream(whole, lane).startswith(stream(before_the_gap(part), lane))


def before_the_gap(events: list[Event]) -> list[Event]:
    gaps = [index for index, event in enumerate(events) if event.kind == "gap"]
    return events[: gaps[0]] if gaps else events


def test_load_checks_its_window() -> None:
    engine = new_engine()
    engine.pcap(False, False, 1)
    for start, end in ((-1, 5), (3, 2), (0, 11), (11, 11)):
        with pytest.raises(ValueError, match="window"):
            engine.load(bytearray(10), start, end)


@pytest.mark.skipif(not SHARED_PCAPS.is_dir(), reason="the shared captures are not beside this checkout")
@pytest.mark.parametrize("window", [4096, 65536])
def test_windows_do_not_matter_for_real_captures(window: int) -> None:
    for path in sorted(SHARED_PCAPS.glob("*.pcap*")):
        capture = path.read_bytes()
        if len(capture) < 200_000 and (capture[:4] in {b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a"}):
            assert run(capture, window=window) == run(capture), path.name


def test_nothing_is_a_capture_too(tmp_path: Path) -> None:
    assert run(pcap([])) == []
