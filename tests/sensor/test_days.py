"""What is folded of flows, as rows: made of numbers, compiled and interpreted, up to the largest and strangest ones."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor import engine as installed
from sensor.days import Days, ip_text, joined, mac_text
from sensor.engine import DAYS, ENDS, load_interpreted
from sensor.rows import PART_ROWS, SCHEMAS, SUMS
from sensor.wire import unpack_table
from tests.tables import packed, told

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NOON_US = 20_000 * DAY_US + 12 * HOUR_US
MAPPED = "::ffff:10.0.0.1"
LARGEST_US = 253_402_300_799_000_000


@pytest.fixture(params=["installed", "interpreted"])
def both(request, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class that folds, of the installed engine and of the interpreted one; rows are then made by the same."""
    if request.param == "installed":
        return installed.days.Folded
    monkeypatch.setattr("sensor.days.columns", load_interpreted("columns"))
    return load_interpreted("days").Folded


class Flow(NamedTuple):
    """What the engine says of a flow."""

    initiator: str = "10.0.0.1"
    responder: str = "10.0.0.2"
    ports: tuple[int, int] = (50_000, 443)
    macs: tuple[int, int] = (0x001122334455, 0x00AABBCCDDEE)
    transport: int = 6
    label: int = 0
    segment: int = 0
    scope: int = 0
    first: int = NOON_US
    last: int = NOON_US
    frame: int = 1
    sums: Sequence[int] = range(7)
    marks: Sequence[int] = (0, 1, 0, 1, 0, 1)
    seen: int = 3


def words_of(ip: str) -> tuple[int, ...]:
    packed = ipaddress.ip_address(ip).packed
    return struct.unpack(">4I", packed.rjust(16, b"\0"))


def new(kind: Any) -> Any:
    keys = struct.pack("16q", *range(0x1F3A5C7E9B2D4681, 0x1F3A5C7E9B2D4691))
    return kind(memoryview(bytearray(keys)).cast("q"))


def fold(folded: Any, *flows: Flow) -> None:
    """As the engine does when they end."""
    for flow in flows:
        if not folded.admits():
            continue
        family = ipaddress.ip_address(flow.initiator).version
        rest = flow.scope << 16 | family << 8
        one, other = (
            folded.end(rest, mac, *words_of(ip))
            for mac, ip in zip(flow.macs, (flow.initiator, flow.responder), strict=True)
        )
        day, (port, service) = flow.first // DAY_US, flow.ports
        row = folded.day(day, one, other, flow.transport, service, flow.label, flow.segment)
        folded.see(row, flow.first, flow.last, flow.frame, port)
        folded.carry(row, *flow.sums)
        folded.mark(row, *flow.marks)
        for end, bit in ((one, 1), (other, 2)):
            if flow.seen & bit:
                folded.hold(end, flow.first, flow.last)


LABELS = [("", "port"), ("tls", "confirmed"), ("hl7", "guessed")]


def days_of(folded: Any, labels: Sequence[tuple[str, str]] = LABELS) -> Days:
    return Days(
        *folded.take(), labels, ["default", "ward"], lambda number: ("eth1", f"vlan {number}" if number else ""), (1, 2)
    )


def rows_of(*flows: Flow, folded: Any = installed.days.Folded, labels: Any = LABELS) -> dict[str, list[dict[str, Any]]]:
    """All rows of all parts, each part as it is after the way to the recorder."""
    folded = new(folded)
    fold(folded, *flows)
    found: dict[str, list[dict[str, Any]]] = {"kind": [], "fact_conversation": [], "binding": []}
    for name, part in days_of(folded, labels).parts():
        received, table = unpack_table(packed(name, part), SCHEMAS)
        assert (received, told(table)) == (name, told(part))
        found[name] += told(table)
    return found | {"fact_conversation": with_kinds(found["kind"], found["fact_conversation"])}


def with_kinds(kinds: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of conversations that say all themselves."""
    of_kind = {kind.pop("id"): kind for kind in map(dict, kinds)}
    return [of_kind[row.pop("kind")] | row for row in map(dict, rows)]


def conversations(*flows: Flow, **options: Any) -> list[dict[str, Any]]:
    return rows_of(*flows, **options)["fact_conversation"]


def bindings(*flows: Flow, **options: Any) -> list[dict[str, Any]]:
    return rows_of(*flows, **options)["binding"]


def test_a_conversation_is_told_in_texts(both) -> None:
    flow = Flow(label=1, segment=12, scope=1, last=NOON_US + HOUR_US, frame=7)
    (row,) = conversations(flow, folded=both)
    assert row.pop("id") > 0
    assert row.pop("first_ts").isoformat() == "2024-10-04T12:00:00"
    assert row.pop("last_ts").isoformat() == "2024-10-04T13:00:00"
    assert row.pop("day").isoformat() == "2024-10-04"
    assert [row.pop(name) for name in SUMS] == [*flow.sums, *flow.marks]
    assert row == {
        "scope": "ward",
        "initiator_mac": 0x001122334455,
        "initiator_ip": "10.0.0.1",
        "responder_mac": 0x00AABBCCDDEE,
        "responder_ip": "10.0.0.2",
        "port": 443,
        "transport": "tcp",
        "protocol": "tls",
        "confidence": "confirmed",
        "interface": "eth1",
        "segment": "vlan 12",
        "n": 1,
        "hours": 0b11 << 12,
        "frame": 7,
        "initiator_port": 50_000,
    }


def test_flows_of_one_key_are_one_row_with_the_evidence_of_the_first(both) -> None:
    later = Flow(ports=(50_001, 443), first=NOON_US + 5, last=NOON_US + 9, frame=9)
    first = Flow(first=NOON_US - HOUR_US, last=NOON_US + 3, frame=2)
    (row,) = conversations(later, first, later, folded=both)
    assert (row["n"], row["frame"], row["hours"]) == (3, 2, 0b11 << 11)
    assert row["initiator_port"] == conversations(first)[0]["initiator_port"] != later.ports[0]
    assert [row[name] for name in SUMS] == [3 * number for number in (*first.sums, *first.marks)]


KEYS = [
    Flow(),
    Flow(initiator="10.0.0.3"),
    Flow(responder="10.0.0.3"),
    Flow(initiator="10.0.0.2", responder="10.0.0.1"),
    Flow(ports=(50_000, 80)),
    Flow(macs=(-1, 0x00AABBCCDDEE)),
    Flow(macs=(0x001122334455, -1)),
    Flow(macs=(0x001122334456, 0x00AABBCCDDEE)),
    Flow(transport=17),
    Flow(label=1),
    Flow(label=2),
    Flow(segment=1),
    Flow(scope=1),
    Flow(first=NOON_US + DAY_US, last=NOON_US + DAY_US),
    Flow(initiator="::10.0.0.1", responder="::10.0.0.2"),
    Flow(initiator=MAPPED, responder="::ffff:10.0.0.2"),
    Flow(initiator="2001:db8::1", responder="2001:db8::2"),
    Flow(initiator="0:0:1::1", responder="2001:db8::2"),
]


def test_an_id_depends_on_all_of_the_key_and_on_nothing_else(both) -> None:
    ids = [row["id"] for row in conversations(*KEYS, *KEYS, folded=both)]
    assert len(set(ids)) == len(ids) == len(KEYS)
    assert ids == [row["id"] for flow in KEYS for row in conversations(flow._replace(ports=(7, flow.ports[1])))]


IDS = [11_109_455_829_532_975_609, 8_198_615_188_449_490_377, 18_388_057_610_682_769_599]


def test_ids_are_the_same_as_ever() -> None:
    """They stand in stores: whoever changes them has to change `PIPELINE_VERSION` too."""
    assert [row["id"] for row in conversations(*KEYS[:2], KEYS[-2])] == IDS


def test_addresses_without_a_mac_are_told_and_held_by_nobody(both) -> None:
    rows = rows_of(Flow(macs=(-1, -1)), Flow(macs=(-1, 5), responder="10.9.9.9"), folded=both)
    assert [(row["initiator_mac"], row["responder_mac"]) for row in rows["fact_conversation"]] == [
        (None, None),
        (None, 5),
    ]
    assert [(row["mac"], row["ip"]) for row in rows["binding"]] == [(5, "10.9.9.9")]


def test_who_was_not_seen_holds_nothing(both) -> None:
    assert [row["ip"] for row in bindings(Flow(seen=1), folded=both)] == ["10.0.0.1"]


def test_the_largest_numbers_are_told(both) -> None:
    most = (1 << 62) - 1
    flow = Flow(
        initiator="255.255.255.255",
        responder="255.255.255.254",
        ports=(65_535, 65_535),
        macs=((1 << 48) - 1, (1 << 48) - 2),
        first=LARGEST_US,
        last=LARGEST_US,
        frame=most,
        sums=[most] * 7,
        segment=16 * 4352 - 1,
    )
    rows = rows_of(flow, folded=both)
    (row,) = rows["fact_conversation"]
    assert [row[name] for name in SUMS[:7]] == [most] * 7
    assert (row["frame"], row["port"], row["hours"]) == (most, 65_535, 1 << 23)
    assert (row["initiator_mac"], row["initiator_ip"]) == ((1 << 48) - 1, "255.255.255.255")
    assert row["day"].year == row["first_ts"].year == 9999
    assert row["segment"] == "vlan 69631"
    assert {row["ip"] for row in rows["binding"]} == {"255.255.255.255", "255.255.255.254"}


def test_thousands_of_labels_segments_and_ends_in_parts(both) -> None:
    count = PART_ROWS + 300
    labels = [(f"protocol {number}", "confirmed") for number in range(count)]
    flows = [
        Flow(initiator=f"10.0.{at >> 8 & 255}.{at & 255}", label=at, segment=at % 60_000, macs=(at, 7), scope=at & 1)
        for at in range(count)
    ]
    folded = new(both)
    fold(folded, *flows)
    days = days_of(folded, labels)
    assert days.row_count == 2 * count + 2  # and the responder in two scopes
    parts = list(days.parts())
    assert [(name, part.row_count) for name, part in parts][-2:] == [
        ("fact_conversation", (count - 1) % PART_ROWS + 1),
        ("binding", count + 2),
    ]
    kinds, rows = (
        [row for name, part in parts if name == wanted for row in told(part)]
        for wanted in ("kind", "fact_conversation")
    )
    rows = with_kinds(kinds, rows)
    assert len({row["id"] for row in rows}) == count
    for at in (0, 1, count - 2, count - 1):
        assert rows[at]["protocol"] == f"protocol {at}"
        assert rows[at]["segment"] == (f"vlan {at % 60_000}" if at else "")
        assert rows[at]["scope"] == ("default", "ward")[at & 1]
        assert rows[at]["initiator_ip"] == flows[at].initiator
        assert rows[at]["initiator_mac"] == at


def test_nothing_makes_no_part(both) -> None:
    days = days_of(new(both))
    assert (list(days.parts()), days.row_count, days.span_us) == ([], 0, None)


def test_the_span_is_that_of_all_rows(both) -> None:
    folded = new(both)
    fold(
        folded, Flow(), Flow(initiator="10.0.0.9", first=NOON_US - 5, last=NOON_US - 4), Flow(label=1, last=NOON_US + 9)
    )
    assert days_of(folded).span_us == (NOON_US - 5, NOON_US + 9)


def test_intervals_of_an_end_are_joined_where_they_touch(both) -> None:
    """Also by a long flow that ends after later ones, and only its own."""
    quarter, minute = 900_000_000, 60_000_000
    times = [(0, 10), (quarter + minute, quarter + 2 * minute), (4 * quarter, 4 * quarter + 5), (10, quarter)]
    flows = [Flow(first=NOON_US + first, last=NOON_US + last, seen=1) for first, last in times]
    other = Flow(initiator="10.0.0.7", seen=1)
    rows = bindings(flows[0], other, *flows[1:], folded=both)
    assert sorted((row["ip"], row["first_ts"].hour, row["last_ts"].minute, row["n"]) for row in rows) == [
        ("10.0.0.1", 12, 17, 3),
        ("10.0.0.1", 13, 0, 1),
        ("10.0.0.7", 12, 0, 1),
    ]


def test_too_many_intervals_of_an_end_are_one() -> None:
    step = 901_000_000
    flows = [Flow(first=NOON_US + number * step, last=NOON_US + number * step, seen=1) for number in range(128)]
    assert len(bindings(*flows)) == 128
    (row,) = bindings(*flows, Flow(first=NOON_US + 128 * step, last=NOON_US + 128 * step, seen=1))
    assert row["n"] == 129
    assert joined([(0, 5, 1)]) == [(0, 5, 1)]


def test_a_table_that_nobody_takes_loses_flows_and_counts_them(both) -> None:
    folded = new(both)
    for number in range(65_536):
        assert not folded.full
        fold(folded, Flow(ports=(1, number)))
    assert folded.full
    fold(folded, *(Flow(ports=(1, number), label=1) for number in range(10)))
    assert folded.lost == 2
    assert folded.row_count() == 65_536 + 8 + 2
    folded.take()
    assert (folded.full, folded.row_count()) == (False, 0)
    fold(folded, Flow())
    assert (folded.lost, folded.row_count()) == (2, 3)


@pytest.mark.parametrize("step", [1, 1 << 8, 1 << 12, 1 << 16])
def test_addresses_that_resemble_each_other_do_not_share_chains(step) -> None:
    """Nor do MAC addresses that are made of them."""
    folded = new(installed.days.Folded)
    for number in range(4_000):
        word = 10 << 24 | number * step & 0xFFFFFF
        end = folded.end(0x400, 0x020000000000 | word, 0, 0, 0, word)
        six = folded.end(0x600, word, word, word, word, word)
        folded.day(20_000, end, six, 17, 161, number * step & 0xFFFF, 0)
    days, _, ends = folded.take()
    for table, columns in ((days, DAYS), (ends, ENDS)):
        depths = [0]
        for at in range(columns.index("chain"), len(table), len(columns)):
            depths.append(depths[table[at]] + 1)
        assert max(depths) < 12


ADDRESSES = [
    *("0.0.0.0", "255.255.255.255", "10.0.0.1", "1.20.100.9", "::", "::1", "1::", "1:0:0:1::1", "1::1:0:0:1"),
    *("fe80::1", "2001:db8:0:1:1:1:1:1", "2001:0:0:1:0:0:0:1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6::", "0:1::", "::8:0:0"),
    *(
        "0:0:3:4:5:6:7:8",
        "::2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:0",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "a:b00:c0d0::",
    ),
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_have_their_usual_texts(address) -> None:
    ip = ipaddress.ip_address(address)
    assert ip_text(ip.packed) == str(ip)
    if ip.version == 6:
        assert conversations(Flow(initiator=address, responder="9::"))[0]["initiator_ip"] == str(ip)


def test_a_mapped_address_is_no_ipv4_address() -> None:
    """Whichever version of Python is asked."""
    assert ip_text(ipaddress.ip_address(MAPPED).packed) == "::ffff:a00:1"
    assert conversations(Flow(initiator=MAPPED, responder="::1"))[0]["initiator_ip"] == "::ffff:a00:1"


def test_mac_addresses_have_their_usual_texts() -> None:
    assert [mac_text(mac) for mac in (-1, 0, 0x0A0B0C0D0E0F, (1 << 48) - 1)] == [
        None,
        "00:00:00:00:00:00",
        "0a:0b:0c:0d:0e:0f",
        "ff:ff:ff:ff:ff:ff",
    ]


ips = st.one_of(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 16) - 1)).map(ipaddress.IPv4Address)
groups = st.lists(st.sampled_from([0, 0, 0, 1, 0xFF, 0xFFFF]), min_size=8, max_size=8)
six = groups.map(lambda values: ipaddress.IPv6Address(struct.pack(">8H", *values))).filter(
    lambda ip: ip.ipv4_mapped is None
)


@st.composite
def flows(draw: Any) -> Flow:
    addresses = draw(st.sampled_from([ips, six]))
    first = draw(st.integers(0, LARGEST_US))
    return Flow(
        initiator=str(draw(addresses)),
        responder=str(draw(addresses)),
        ports=(draw(st.integers(0, 65_535)), draw(st.sampled_from([0, 1, 443, 65_535]))),
        macs=(draw(st.integers(-1, (1 << 48) - 1)), draw(st.integers(-1, 3))),
        transport=draw(st.sampled_from([6, 17])),
        label=draw(st.integers(0, 2)),
        segment=draw(st.integers(0, 69_631)),
        scope=draw(st.integers(0, 1)),
        first=first,
        last=draw(st.integers(first, LARGEST_US)),
        frame=draw(st.integers(1, 1 << 40)),
        sums=draw(st.lists(st.integers(0, 1 << 50), min_size=7, max_size=7)),
        seen=draw(st.integers(1, 3)),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(flows(), max_size=12))
def test_compiled_and_interpreted_make_the_same_rows(made) -> None:
    """And they tell of each flow what was said of it."""
    rows = rows_of(*made, *made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sensor.days.columns", load_interpreted("columns"))
        assert rows == rows_of(*made, *made, folded=load_interpreted("days").Folded)
    told = {(row["initiator_ip"], row["initiator_mac"], row["port"]) for row in rows["fact_conversation"]}
    assert told == {(flow.initiator, None if flow.macs[0] < 0 else flow.macs[0], flow.ports[1]) for flow in made}
    assert sum(row["n"] for row in rows["fact_conversation"]) == 2 * len(made)
