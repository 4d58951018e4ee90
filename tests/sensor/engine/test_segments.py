"""What each interface, VLAN and tunnel carried, hour by hour: true for every packet, bounded whatever they claim."""

from __future__ import annotations

import struct

import pytest

from sensor import engine as installed
from sensor.engine import TRAFFIC, load_interpreted
from tests.sensor.engine.builder import (
    SECOND,
    START_US,
    Frame,
    Tcp,
    Wire,
    datagram,
    enhanced,
    erspan2,
    ethernet,
    interface,
    ip,
    mac,
    option,
    pcap,
    section,
    udp,
    vxlan,
)
from tests.sensor.engine.harness import new_engine, run

HOUR = START_US // (3600 * SECOND)


@pytest.fixture(params=["compiled", "interpreted"])
def module(request):
    return installed if request.param == "compiled" else load_interpreted()


def traffic(capture: bytes, module=installed, **options) -> dict[tuple[str, str, int], dict[str, int]]:
    engine = new_engine(module, **options)
    run(capture, engine=engine)
    return {key: dict(zip(TRAFFIC, counts, strict=True)) for key, counts in engine.traffic().items()}


def tunnelled(number: int) -> bytes:
    """A datagram in a network of its own."""
    inside = ethernet(ip("10.1.0.1", "10.1.0.2", 17, udp(5000, 161, b"inside")))
    return ethernet(ip("192.0.2.1", "192.0.2.2", 17, udp(5000, 4789, vxlan(inside, number))))


def test_packets_count_for_the_innermost_vlan(module):
    wire = Wire()
    Tcp(wire, vlans=(12,)).open()
    datagram(wire, b"x", vlans=(7, 12))
    datagram(wire, b"x")
    wire.put(ethernet(b"\0" * 28, ether_type=0x0806, vlans=(0,)))
    counts = traffic(wire.pcap(), module)
    packets = {segment: row["packets"] for (_, segment, _), row in counts.items()}
    assert packets == {"vlan 12": 4, "": 1, "vlan 0": 1}
    assert sum(row["bytes"] for row in counts.values()) == sum(len(frame.data) for frame in wire.frames)


def test_a_packet_counts_in_its_own_hour_whatever_its_flow_does(module):
    wire = Wire()
    talk = Tcp(wire, vlans=(3,)).open()
    wire.wait(3600)
    talk.send(0, b"late")
    wire.now_us = START_US - 1
    talk.ack(1)
    assert {hour - HOUR: row["packets"] for (_, _, hour), row in traffic(wire.pcap(), module).items()} == {
        -1: 1,
        0: 3,
        1: 1,
    }


def test_copies_groups_and_cut_packets_count_where_they_were_seen(module):
    packet = ip("10.0.0.1", "10.0.0.2", 17, udp(4000, 161, b"hello"), ident=77)
    frames = [ethernet(packet, vlans=(10,)), ethernet(packet, vlans=(11,))]
    group = b"\xff" * 6 + mac(1) + b"\x08\x06" + bytes(28)
    counts = traffic(
        pcap([Frame(START_US, data, len(data) + 9 * (data is group)) for data in [*frames, group]]), module
    )
    said = {
        segment: (row["duplicates"], row["group_packets"], row["truncated"]) for (_, segment, _), row in counts.items()
    }
    assert said == {"vlan 10": (0, 0, 0), "vlan 11": (1, 0, 0), "": (0, 1, 1)}
    assert counts["", "", HOUR]["bytes"] == len(group) + 9


def test_tunnels_count_by_number_and_their_inner_vlan_before_it(module):
    packet = ethernet(ip("10.0.0.1", "10.0.0.2", 17, udp(4000, 161, b"x")))
    wire = Wire()
    wire.put(tunnelled(5000))
    for vlan in (0, 44):
        wire.put(ethernet(ip("192.0.2.1", "192.0.2.2", 47, erspan2(packet, vlan=vlan, session=7))))
    wire.put(ethernet(ip("192.0.2.1", "192.0.2.2", 4, packet[14:])))
    wire.put(packet)
    assert {segment for _, segment, _ in traffic(wire.pcap(), module)} == {
        "vni 5000",
        "erspan 7",
        "vlan 44",
        "tunnel",
        "",
    }


def test_forged_tunnels_share_the_last_place(module):
    wire = Wire()
    for number in range(300):
        wire.put(tunnelled(number))
    counts = traffic(wire.pcap(), module)
    assert len(counts) == 255
    assert counts["", "other", HOUR]["packets"] == 300 - 254


def test_forged_hours_end_at_a_bound(module, monkeypatch):
    """Each packet an hour of its own: past the bound they stay in the last one, until somebody fetches them."""
    wire = Wire(step_us=3600 * SECOND)
    for _ in range(66_000):
        wire.put(bytes(14))
    counts = traffic(wire.pcap(), module)
    assert len(counts) == 65_536
    assert sum(row["packets"] for row in counts.values()) == 66_000


def test_interfaces_of_a_pcapng_are_told_apart_by_their_names(module):
    frame = ethernet(ip("10.0.0.1", "10.0.0.2", 17, udp(4000, 161, b"x")), vlans=(5,))
    blocks = [section(), interface(options=option(2, b"span0")), *[interface()] * 20]
    blocks += [enhanced(frame, START_US, interface_id=number) for number in (0, 1, 16, 19)]
    counts = traffic(b"".join(blocks), module)
    assert {(name, row["packets"]) for (name, _, _), row in counts.items()} == {("span0", 1), ("1", 1), ("15", 2)}


def test_a_flow_knows_its_segment(module):
    wire = Wire()
    datagram(wire, b"x", vlans=(12,))
    datagram(wire, b"x", source=("10.0.0.3", 4000))
    engine = new_engine(module)
    seen = []
    run(wire.pcap(), lambda engine, event: seen.append((event.kind, engine.segment(event.flow))), engine=engine)
    assert [segment for kind, segment in seen if kind == "end"] == [("", "vlan 12"), ("", "")]


def test_what_was_fetched_does_not_come_again(module):
    wire = Wire()
    datagram(wire, b"x")
    engine = new_engine(module)
    run(wire.pcap(), engine=engine)
    assert len(engine.traffic()) == 1
    assert engine.traffic() == {}


def test_a_clock_that_is_set_back_is_counted_but_not_one_that_trembles(module):
    wire = Wire()
    for step_us in (10, -10, 5 * SECOND, -2 * SECOND):
        wire.put(struct.pack(">14x"))
        wire.now_us += step_us - wire.step_us
    wire.put(bytes(14))
    engine = new_engine(module)
    run(wire.pcap(), engine=engine)
    assert (engine.counters()["clock_backwards"], engine.counters()["clock_jumps"]) == (2, 1)
