"""Tunnels: what is inside becomes the packet, the tunnel may name its scope, and a port's word is not believed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

import pytest

from sensor import engine as installed
from sensor.engine import TUNNELLED, load_interpreted
from tests.sensor.engine.builder import (
    ETHERNET,
    SECOND,
    Frame,
    erspan2,
    erspan3,
    ethernet,
    geneve,
    gre,
    gtp,
    ip,
    mac,
    mpls,
    pcap,
    ppp,
    pppoe,
    udp,
    vxlan,
)
from tests.sensor.engine.harness import Event, new_engine, of, run

OUTER = ("192.0.2.1", "192.0.2.2")
OUTER6 = ("2001:db8:f::1", "2001:db8:f::2")
V4, V6 = ("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8::2")
HELLO = udp(40000, 161, b"hello")
IN4, IN6 = ip(*V4, 17, HELLO), ip(*V6, 17, HELLO)
FRAME = ethernet(IN4, source=21, target=22)
TAGGED = ethernet(IN4, source=21, target=22, vlans=(310,))
ARP = ethernet(b"\x00\x01\x08\x00\x06\x04\x00\x01" + bytes(20), ether_type=0x0806)
TEREDO = ip("2001:0:c000:201::1", "2001:db8::2", 17, HELLO)


def over(protocol: int, payload: bytes, addresses: tuple[str, str] = OUTER) -> bytes:
    return ethernet(ip(*addresses, protocol, payload), vlans=(99,))


def over_udp(port: int, payload: bytes, source: int = 55555, addresses: tuple[str, str] = OUTER) -> bytes:
    return over(17, udp(source, port, payload), addresses)


IN_IP: dict[str, bytes] = {
    "4in4": over(4, IN4),
    "6in4": over(41, IN6),
    "4in6": over(4, IN4, OUTER6),
    "6in6": over(41, IN6, OUTER6),
    "gre": over(47, gre(IN4, 0x0800)),
    "gre of IPv6": over(47, gre(IN6, 0x86DD)),
    "gre over IPv6": over(47, gre(IN4, 0x0800), OUTER6),
    "gre, all fields": over(47, gre(IN4, 0x0800, key=7, sequence=1, checksum=True)),
    "gre of MPLS": over(47, gre(mpls(IN4, 5, 6), 0x8847)),
    "gre of PPP": over(47, gre(ppp(IN4), 0x880B)),
    "pptp": over(47, gre(b"\xff\x03" + ppp(IN4, short=True), 0x880B, key=len(IN4) << 16, sequence=1, flags=1)),
    "pptp with acknowledgement": over(47, gre(bytes(4) + ppp(IN4), 0x880B, key=1 << 16, sequence=1, flags=0x81)),
    "wccp": over(47, gre(bytes(4) + IN4, 0x883E)),
    "erspan III of IP": over(47, erspan3(IN4, frame_type=2)),
    "mpls in IP": over(137, mpls(IN4, 5)),
    "gtp": over_udp(2152, gtp(IN4)),
    "gtp of IPv6": over_udp(2152, gtp(IN6)),
    "gtp with extensions": over_udp(2152, gtp(IN4, extensions=b"\x85\x01\x00\x00\xc0\x01\x00\x00\x00")),
    "gpe": over_udp(4790, vxlan(IN4, 9, flags=12, following=1)),
    "geneve of IP": over_udp(6081, geneve(IN6, 9, kind=0x86DD)),
    "teredo": over_udp(3544, TEREDO),
    "teredo, the way back": over(17, udp(3544, 55555, TEREDO)),
    "teredo with its headers": over_udp(3544, bytes([0, 1, 0, 0]) + bytes(9) + bytes(8) + TEREDO),
    "authentication header": over(51, bytes([4, 4]) + bytes(22) + IN4),
    "authentication header inside": over(4, ip(*V4, 51, bytes([17, 4]) + bytes(22) + HELLO)),
}
IN_FRAMES: dict[str, bytes] = {
    "etherip": over(97, b"\x30\x00" + FRAME),
    "nvgre": over(47, gre(FRAME, 0x6558, key=5000 << 8)),
    "gre of frames": over(47, gre(FRAME, 0x6558)),
    "erspan I": over(47, gre(FRAME, 0x88BE)),
    "erspan II": over(47, erspan2(FRAME)),
    "erspan III": over(47, erspan3(FRAME)),
    "erspan III with subheader": over(47, erspan3(FRAME, subheader=True)),
    "vxlan": over_udp(4789, vxlan(FRAME, 5000)),
    "vxlan, the old port": over_udp(8472, vxlan(FRAME, 5000)),
    "vxlan over IPv6": over_udp(4789, vxlan(FRAME, 5000), addresses=OUTER6),
    "vxlan with a group": over_udp(4789, vxlan(FRAME, 5000, flags=0x88)),
    "gpe": over_udp(4790, vxlan(FRAME, 9, flags=12, following=3)),
    "geneve": over_udp(6081, geneve(FRAME, 9)),
    "geneve with options": over_udp(6081, geneve(FRAME, 9, options=bytes(12))),
    "pseudowire": ethernet(mpls(FRAME, 5, 6), ether_type=0x8847),
    "pseudowire with control word": ethernet(mpls(bytes(4) + FRAME, 5), ether_type=0x8847),
    "802.1ah": ethernet(struct.pack(">I", 77) + FRAME, ether_type=0x88E7, vlans=(99,), tpid=0x88A8),
    "fabricpath": ethernet(b"\x00\x10" + FRAME, ether_type=0x8903),
    "service header": ethernet(b"\x00\x02\x02\x03" + bytes(4) + FRAME, ether_type=0x894F),
    "geneve in geneve": over_udp(6081, geneve(over_udp(6081, geneve(FRAME, 9)), 9)),
}
AROUND: dict[str, bytes] = {
    "mpls": ethernet(mpls(IN4, 5, 6, 7), ether_type=0x8847, vlans=(99,)),
    "mpls multicast": ethernet(mpls(IN4, 5), ether_type=0x8848, vlans=(99,)),
    "pppoe": ethernet(pppoe(ppp(IN4)), ether_type=0x8864, vlans=(99,)),
    "snap": ethernet(b"\xaa\xaa\x03\0\0\0\x08\x00" + IN4, ether_type=8 + len(IN4), vlans=(99,)),
    "e-tag": ethernet(bytes(6) + b"\x08\x00" + IN4, ether_type=0x893F, vlans=(99,)),
    "vn-tag": ethernet(bytes(4) + b"\x08\x00" + IN4, ether_type=0x8926, vlans=(99,)),
    "metadata": ethernet(bytes(6) + b"\x08\x00" + IN4, ether_type=0x8909, vlans=(99,)),
}


def frames_of(*data: bytes) -> list[Frame]:
    return [Frame(SECOND + n * SECOND, each, len(each)) for n, each in enumerate(data)]


def datagrams(*data: bytes, link_type: int = ETHERNET, **options: object) -> list[Event]:
    return of(run(pcap(frames_of(*data), link_type=link_type), **options), "datagram")


def counted(*data: bytes) -> dict[str, int]:
    engine = new_engine()
    run(pcap(frames_of(*data)), engine=engine)
    return engine.counters()


# --- what is inside


@pytest.mark.parametrize("name", IN_IP)
def test_an_ip_packet_inside_becomes_the_packet(name: str) -> None:
    """Who carries it is none of its addresses: there is neither MAC nor VLAN."""
    (event,) = datagrams(IN_IP[name])
    _, scope, vlan, source, _, source_mac, _, port, target_mac = event.addresses
    assert event.data == b"hello"
    assert port == 161
    assert source.hex() in {"0a000001", "20010db8000000000000000000000001", "20010000c00002010000000000000001"}
    assert (scope, vlan, source_mac, target_mac) == (0, -1, -1, -1)
    assert event.stat("flags") & TUNNELLED
    assert counted(IN_IP[name])["tunnelled"] >= 1


@pytest.mark.parametrize("name", IN_FRAMES)
def test_a_frame_inside_becomes_the_frame(name: str) -> None:
    (event,) = datagrams(IN_FRAMES[name])
    assert event.data == b"hello"
    assert (event.addresses[2], event.addresses[5], event.addresses[8]) == (-1, 0x020000000015, 0x020000000016)
    assert bool(event.stat("flags") & TUNNELLED) == (name != "fabricpath")


@pytest.mark.parametrize("name", AROUND)
def test_what_lies_between_a_frame_and_ip_changes_no_address(name: str) -> None:
    (event,) = datagrams(AROUND[name])
    assert event.data == b"hello"
    assert (event.addresses[2], event.addresses[5], event.addresses[8]) == (99, 0x020000000001, 0x020000000002)
    assert not event.stat("flags") & TUNNELLED


@pytest.mark.parametrize(
    ("link_type", "header"),
    [
        (9, b"\x00\x21"),
        (9, b"\xff\x03\x00\x21"),
        (50, b"\xff\x03\x21"),
        (50, b"\x0f\x00\x08\x00"),
        (104, b"\x0f\x00\x08\x00"),
        (166, b"\x00\x03\x00\x21"),
        (51, b"\x11\x00\x00\x01" + struct.pack(">H", 2 + len(IN4)) + b"\x00\x21"),
        (10, b"\x50" + mac(1) + mac(2) + b"\xaa\xaa\x03\0\0\0\x08\x00"),
        (239, b"\x02\x00\x00\x00" + b"\x08\x00\x01\x00" + bytes(4) + struct.pack("<HH", 4 + len(IN4), 9)),
        (192, b"\x00\x00\x08\x00" + struct.pack("<I", 101)),
        (192, b"\x00\x00\x0c\x00" + struct.pack("<II", 1, 0) + mac(1) + mac(2) + b"\x08\x00"),
    ],
)
def test_link_types_of_serial_lines_and_of_logs(link_type: int, header: bytes) -> None:
    (event,) = datagrams(header + IN4, link_type=link_type)
    assert event.data == b"hello"


def test_a_frame_behind_a_cooked_header_may_be_snap() -> None:
    header = struct.pack(">HHH", 0, 1, 6) + mac(9) + bytes(2) + b"\x00\x04"
    (event,) = datagrams(header + b"\xaa\xaa\x03\0\0\0\x08\x00" + IN4, link_type=113)
    assert event.data == b"hello"


def test_what_a_tunnel_pads_is_no_payload() -> None:
    assert [e.data for e in datagrams(over(4, IN4) + b"\xee" * 30)] == [b"hello"]
    assert [e.data for e in datagrams(ethernet(pppoe(ppp(IN4)) + b"\xee" * 9, ether_type=0x8864))] == [b"hello"]


def test_arp_in_a_tunnel_is_no_datagram_of_the_tunnel() -> None:
    counters = counted(over_udp(4789, vxlan(ARP, 7)))
    assert (counters["not_ip"], counters["udp_datagrams"], counters["tunnelled"]) == (1, 0, 1)


def test_a_gre_keepalive_holds_nothing() -> None:
    assert counted(over(47, gre(b"", 0)))["other_transport"] == 1


# --- scopes

SCOPES = {("vni", 5000): 3, ("gre", 7): 4, ("vsid", 5000): 5, ("erspan", 12): 6, ("isid", 77): 7}


def scope_and_vlan(frame: bytes, module: object = installed) -> tuple[int, int]:
    engine = new_engine(module)
    table = bytearray(4096)
    table[310], table[99] = 1, 2
    engine.scope_of_vlan(table)
    engine.scope_of_tunnel(SCOPES)
    (event,) = datagrams(frame, engine=engine)
    return event.addresses[1], event.addresses[2]


@pytest.mark.parametrize("module", [installed, load_interpreted()])
@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (over_udp(4789, vxlan(FRAME, 5000)), (3, -1)),
        (over_udp(4789, vxlan(TAGGED, 5000)), (3, 310)),  # a named tunnel is an address space of its own
        (over_udp(4789, vxlan(TAGGED, 5001)), (1, 310)),
        (over_udp(4789, vxlan(FRAME, 5001)), (2, -1)),  # as around it
        (over_udp(6081, geneve(FRAME, 5000)), (3, -1)),
        (over(47, gre(IN4, 0x0800, key=7)), (4, -1)),
        (over(47, gre(IN4, 0x0800, key=0)), (2, -1)),
        (over(47, gre(IN4, 0x0800)), (2, -1)),
        (over(47, gre(FRAME, 0x6558, key=5000 << 8 | 3)), (5, -1)),
        (over(47, gre(FRAME, 0x6558, key=7)), (4, -1)),
        (over(47, erspan2(FRAME, session=12, vlan=310)), (6, 310)),
        (over(47, erspan2(FRAME, session=13, vlan=310)), (1, 310)),
        (over(47, erspan3(TAGGED, session=12, vlan=5)), (6, 310)),
        (ethernet(struct.pack(">I", 77) + FRAME, ether_type=0x88E7), (7, -1)),
        (over(47, erspan2(over_udp(4789, vxlan(TAGGED, 1)), session=12)), (6, 310)),
        (over(47, erspan2(over_udp(4789, vxlan(TAGGED, 5000)), session=12)), (3, 310)),
        (over(4, IN4), (2, -1)),
        (ethernet(mpls(TAGGED, 5), ether_type=0x8847, vlans=(99,)), (1, 310)),
        (ethernet(mpls(bytes(4) + TAGGED, 5), ether_type=0x8847, vlans=(99,)), (1, 310)),
    ],
)
def test_a_tunnel_can_name_a_scope(frame: bytes, expected: tuple[int, int], module: object) -> None:
    assert scope_and_vlan(frame, module) == expected


def test_the_scope_of_a_tunnel_ends_with_its_packet() -> None:
    engine = new_engine()
    engine.scope_of_tunnel(SCOPES)
    plain = ethernet(IN4)
    events = datagrams(over_udp(4789, vxlan(FRAME, 5000)), plain, over_udp(4789, vxlan(FRAME, 5)), engine=engine)
    assert [e.addresses[1] for e in events] == [3, 0, 0]
    assert events[0].flow != events[1].flow == events[2].flow


# --- nothing is believed on a port's word

BROKEN4 = IN4[:10] + b"\x12\x34" + IN4[12:]  # a header checksum that is wrong
MISMATCHES = {
    "vxlan without its flag": (4789, vxlan(FRAME, 7, flags=0)),
    "vxlan with something reserved": (4789, vxlan(FRAME, 7)[:7] + b"\x01" + FRAME),
    "vxlan of noise": (4789, vxlan(b"\x55" * 60, 7)),
    "vxlan of a group's frame": (4789, vxlan(b"\x02" * 6 + b"\x01" * 6 + FRAME[12:], 7)),
    "vxlan of a broken packet": (4789, vxlan(ethernet(BROKEN4), 7)),
    "vxlan of too long a packet": (4789, vxlan(ethernet(ip(*V4, 17, HELLO, total=999)), 7)),
    "vxlan of the other IP": (4789, vxlan(ethernet(IN6, ether_type=0x0800), 7)),
    "vxlan of nothing": (4789, vxlan(b"", 7)),
    "gpe of something else": (4790, vxlan(IN4, 7, flags=12, following=9)),
    "geneve, version 1": (6081, b"\x40" + geneve(FRAME, 7)[1:]),
    "geneve with too many options": (6081, geneve(FRAME, 7, options=b"")[:0] + b"\x3f" + geneve(FRAME, 7)[1:]),
    "geneve of something else": (6081, geneve(FRAME, 7, kind=0x1234)),
    "gtp of noise": (2152, gtp(b"\x55" * 60)),
    "gtp echo": (2152, gtp(IN4, message=1)),
    "gtp with an extension of no length": (2152, gtp(IN4, extensions=b"\x85\x00\x00\x00\x00")),
    "gtp that is too long": (2152, gtp(IN4)[:2] + b"\xff\xff" + gtp(IN4)[4:]),
    "teredo of other addresses": (3544, IN6),
    "teredo that does not fit": (3544, TEREDO + b"x"),
    "short": (4789, b"\x08"),
    "empty": (2152, b""),
}


@pytest.mark.parametrize("name", [name for name in MISMATCHES if name != "empty"])
def test_what_does_not_fit_inside_is_a_datagram_like_any_other(name: str) -> None:
    port, payload = MISMATCHES[name]
    (event,) = datagrams(over_udp(port, payload))
    assert event.data == payload
    assert event.addresses[2:5] == (99, bytes([192, 0, 2, 1]), 55555)
    counters = counted(over_udp(port, payload))
    assert (counters["tunnels_refused"], counters["tunnelled"], counters["udp_datagrams"]) == (1, 0, 1)


@pytest.mark.parametrize(
    "payload", [gre(IN4, 0x0800, flags=0x4000), gre(IN4, 0x0800, flags=2), gre(IN4, 0x0800, flags=1)]
)
def test_gre_of_no_known_kind_is_refused(payload: bytes) -> None:
    counters = counted(over(47, payload))
    assert (counters["tunnels_refused"], counters["flows"]) == (1, 0)


# --- bounds


def nested(frame: bytes, times: int) -> bytes:
    for _ in range(times):
        frame = over_udp(4789, vxlan(frame, 7))
    return frame


@pytest.mark.parametrize("times", [1, 4, 6])
def test_tunnels_in_tunnels(times: int) -> None:
    (event,) = datagrams(nested(FRAME, times))
    assert event.data == b"hello"
    assert counted(nested(FRAME, times))["tunnelled"] == times


def test_tunnels_nest_within_a_bound() -> None:
    """What is deeper is a datagram of the last tunnel."""
    (event,) = datagrams(nested(FRAME, 9))
    assert event.addresses[7] == 4789
    counters = counted(nested(FRAME, 9))
    assert (counters["nested_too_deep"], counters["tunnelled"]) == (1, 6)


def test_ip_in_ip_nests_within_a_bound() -> None:
    packet = IN4
    for _ in range(500):
        packet = ip(*V4, 4, packet)
    counters = counted(ethernet(packet))
    assert (counters["nested_too_deep"], counters["flows"]) == (1, 0)


def test_labels_within_a_bound() -> None:
    assert counted(ethernet(mpls(IN4, *range(9)), ether_type=0x8847))["bad_header"] == 1
    assert datagrams(ethernet(mpls(IN4, *range(8)), ether_type=0x8847))


EVERY = [*IN_IP.values(), *IN_FRAMES.values(), *AROUND.values()]


@pytest.mark.parametrize(
    "name", [*IN_IP, *(f"{name} frame" for name in IN_FRAMES), *(f"{name} tag" for name in AROUND)]
)
def test_a_tunnel_cut_anywhere_is_no_exception(name: str) -> None:
    """As if the snaplen had cut it, and as if the sender had; compiled and interpreted agree."""
    frame = (IN_IP | {f"{n} frame": f for n, f in IN_FRAMES.items()} | {f"{n} tag": f for n, f in AROUND.items()})[name]
    cuts = [Frame(n * SECOND, frame[:n], length) for n in range(len(frame)) for length in (n, len(frame))]
    engines = [new_engine(module) for module in (installed, load_interpreted())]
    first, second = (run(pcap(cuts), module=module, engine=engine) for module, engine in
                     zip((installed, load_interpreted()), engines, strict=True))  # fmt: skip
    assert first == second
    assert engines[0].counters() == engines[1].counters()


def changed(chance: random.Random, count: int) -> Iterator[bytes]:
    for _ in range(count):
        frame = bytearray(chance.choice(EVERY))
        for _ in range(chance.choice((1, 1, 2, 5))):
            frame[chance.randrange(len(frame))] = chance.choice((0, 1, 0x45, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        yield bytes(frame)


def test_both_agree_on_mutated_tunnels() -> None:
    capture = pcap(frames_of(*changed(random.Random(7), 3000)))
    outcomes = []
    for module in (installed, load_interpreted()):
        engine = new_engine(module)
        engine.scope_of_tunnel(SCOPES)
        outcomes.append((run(capture, module=module, engine=engine), engine.counters()))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1]["tunnelled"] > 1000


# --- fragments


def cut(packet: Callable[..., bytes], payload: bytes, size: int) -> list[bytes]:
    return [
        ethernet(packet(payload[at : at + size], fragment=at, more=at + size < len(payload)), vlans=(99,))
        for at in range(0, len(payload), size)
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_fragments_of_a_tunnel(order: int) -> None:
    carried = udp(55555, 4789, vxlan(TAGGED, 7))

    def packet(payload: bytes, **place: object) -> bytes:
        return ip(*OUTER, 17, payload, ident=5, **place)  # type: ignore[arg-type]

    (event,) = datagrams(*cut(packet, carried, 24)[::order])
    assert event.data == b"hello"
    assert event.addresses[2] == 310


def test_fragments_in_fragments_of_a_tunnel() -> None:
    """Each tunnel may have reassembled once; the inner key knows its scope."""
    message = udp(40000, 161, bytes(range(200)))
    inner = [ip(*V4, 17, message[at : at + 64], ident=9, fragment=at, more=at < 192) for at in range(0, 208, 64)]
    frames = []
    for ident, packet in enumerate(inner):
        carried = gre(packet, 0x0800)
        frames += [
            ethernet(ip(*OUTER, 47, carried[at : at + 40], ident=ident, fragment=at, more=at + 40 < len(carried)))
            for at in range(0, len(carried), 40)
        ]
    (event,) = datagrams(*frames)
    assert event.data == bytes(range(200))
    assert counted(*frames)["held_bytes"] == 0


# --- IPv6 extension headers before a tunnel


def test_extension_headers_before_a_tunnel() -> None:
    routing = bytes([60, 2, 0, 0]) + bytes(20)
    options = bytes([51, 0]) + bytes(6)
    authentication = bytes([4, 4]) + bytes(22)
    packet = ip(*OUTER6, 43, IN4, extensions=routing + options + authentication)
    (event,) = datagrams(ethernet(packet))
    assert event.data == b"hello"
    assert event.addresses[3] == bytes([10, 0, 0, 1])
