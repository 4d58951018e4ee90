"""Batches into the store: merged by key, counted once, replaced by a newer reading."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.sighting import community_id
from sensor.store import Ledger, Store, StoreError
from sensor.store.ledger import FACT_TABLES, LedgerMismatch, Summary
from sensor.store.sql import statement
from sensor.store.told import Told
from tests.sensor.store.facts import (
    START,
    attribute,
    batch,
    binding,
    certificate,
    certificate_shown,
    conversation,
    loss,
    reading,
    said,
    seen,
    traffic,
)
from tests.tables import made, told

END = Summary(START, START + timedelta(hours=1), 10, 1000, True, None, json.dumps({"packets": 10}))


def read(store, how, *batches):
    ledger = Ledger(store, how)
    for number, rows in enumerate(batches):
        ledger.commit(number, 100 * (number + 1), batch(store, **rows))
    ledger.finish(END)


def joined(parts):
    """The tables of several parts as those of one batch."""
    return {name: [table for part in parts for table in part[name]] for name in parts[0]}


def test_the_same_fact_of_one_day_is_one_row(store):
    sights = attribute(61, gap=True), attribute(3, one_sided=True, midstream=True)
    read(store, reading(), *({"fact_attribute": [row]} for row in sights))
    (row,) = store.query("SELECT first_ts, last_ts, n, hours, frame, community_id, gap, midstream FROM attributes")
    first = community_id(6, bytes((10, 0, 0, 5)), 50_003, bytes((10, 0, 0, 9)), 104)
    assert row == (START + timedelta(minutes=3), START + timedelta(minutes=61), 2, 0b11 << 10, 4, first, True, False)


def test_parts_with_words_of_their_own_keep_them(store):
    """The same numbers stand for other words in each part."""
    parts = [said([attribute(0, f"{part}{row}", id=10 * part + row) for row in range(3)]) for part in range(4)]
    for number, capture in enumerate(("a" * 32, "b" * 32)):
        ledger = Ledger(store, reading(capture))
        for at, rows in enumerate((parts[:2], parts[2:]) if number else (parts,)):
            ledger.commit(at, at + 1, joined(rows))
    found = store.query(
        "SELECT c.capture[1], f.id, a.value FROM fact_attribute AS f JOIN capture AS c USING (reading)"
        " JOIN attribute AS a ON a.reading = f.reading AND a.id = f.attribute ORDER BY ALL"
    )
    assert found == [(name, 10 * part + row, f"{part}{row}") for name in "ab" for part in range(4) for row in range(3)]


def test_a_batch_of_rows_new_and_known_is_merged(store):
    more = {"fact_attribute": [attribute(7), attribute(8, "CT02", id=2)]}
    read(store, reading(), {"fact_attribute": [attribute(5)]}, more, {"fact_attribute": [attribute(9, "CT03", id=3)]})
    assert store.query("SELECT value, n, frame FROM attributes ORDER BY value") == [
        ("CT01", 2, 6),
        ("CT02", 1, 9),
        ("CT03", 1, 10),
    ]


def test_parts_that_are_new_and_parts_that_are_known_are_each_counted_once(store):
    def part(*rows):
        return said([attribute(number, id=number) for number in rows])

    ledger = Ledger(store, reading())
    for number, parts in enumerate([[(1, 2)], [(3,), (2, 4), (5, 6)], [(7,), (8,)], [(9, 3), (10,), (9,)]]):
        ledger.commit(number, number + 1, joined([part(*rows) for rows in parts]))
    assert store.query("SELECT id, n FROM fact_attribute ORDER BY id") == [
        *((number, 2 if number in {2, 3, 9} else 1) for number in range(1, 11)),
    ]


@pytest.mark.parametrize(
    ("table", "row"),
    [("fact_attribute", attribute), ("fact_certificate", certificate_shown), ("fact_conversation", conversation)],
)
def test_what_is_known_leaves_no_texts_in_memory(store, table, row):
    """DuckDB keeps texts that were updated; those of a commit that is its own checkpoint, until it ends."""
    many = [row(1, id=number) for number in range(500)]
    read(store, reading(), *[{table: many} for _ in range(20)])
    assert store.query(f"SELECT count(*), min(n), max(n) FROM {table}") == [(500, 20, 20)]
    ((kept,),) = store.query("SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'ALLOCATOR'")
    assert kept < 64 * 500


def test_another_day_is_another_row(store):
    rows = [attribute(0), attribute(24 * 60)]
    read(store, reading(), {"fact_attribute": rows})
    assert store.query("SELECT count(*), min(n), max(n) FROM attributes") == [(2, 1, 1)]


def test_a_row_that_comes_twice_in_one_batch_is_merged_too(store):
    read(store, reading(), {"fact_attribute": [attribute(5), attribute(2)]})
    assert store.query("SELECT n, frame FROM attributes") == [(2, 3)]


def test_equal_ids_of_two_addresses_stay_two_rows(store):
    read(store, reading(), {"fact_attribute": [attribute(0), attribute(1, ip="10.0.0.6"), attribute(2, ip=None)]})
    assert store.query("SELECT count(*) FROM fact_attribute") == [(3,)]


def test_rows_know_which_batch_of_which_reading_brought_them(store):
    """And keep it when they come again; a reading that takes the place of another has a number of its own."""
    rows = {"fact_attribute": [attribute(0)], "fact_traffic": [traffic()], "certificate": [certificate()]}
    more = {"fact_attribute": [attribute(1), attribute(1, id=2)], "binding": [binding(0)]}
    for how in (reading("b" * 32), reading("c" * 32), reading("b" * 32, parser_set="p2")):
        read(store, how, rows, more, rows)
    assert store.query("SELECT capture[1], reading FROM capture ORDER BY ALL") == [("b", 3), ("c", 2)]
    for name, batches in (("fact_attribute", (0, 1)), ("place", (0,)), ("fact_traffic", (0,)), ("binding", (1,))):
        expected = [(number, at) for number in (2, 3) for at in batches]
        assert store.query(f"SELECT reading, batch FROM {name} ORDER BY ALL") == expected, name


def test_two_captures_add_up_and_the_first_sight_is_the_evidence(store):
    read(store, reading("b" * 32), {"fact_attribute": [attribute(9)]})
    read(store, reading("c" * 32), {"fact_attribute": [attribute(4)]})
    assert store.query("SELECT n, capture, frame FROM attributes") == [(2, "c" * 32, 5)]


def test_a_batch_in_the_ledger_is_skipped(store):
    first = batch(store, fact_attribute=[attribute(0)], fact_conversation=[conversation(0)])
    assert Ledger(store, reading()).commit(0, 100, dict(first))
    before = seen(store)
    assert not Ledger(store, reading()).commit(0, 100, first)
    assert seen(store) == before


def test_rows_are_let_go_of_as_they_are_written(store, monkeypatch):
    rows = batch(store, fact_attribute=[attribute(0)], fact_conversation=[conversation(0)])
    add, left = Ledger._add, []
    monkeypatch.setattr(Ledger, "_add", lambda *given: left.append(len(rows)) or add(*given))
    assert Ledger(store, reading()).commit(0, 100, rows)
    assert left == [4, 3, 2, 1, 0]


def test_two_batches_cut_at_one_offset_are_two(store):
    read_two = Ledger(store, reading())
    assert read_two.commit(0, 100, batch(store, fact_attribute=[attribute(0)]))
    assert read_two.commit(1, 100, batch(store, fact_attribute=[attribute(1)]))
    assert store.query("SELECT n FROM attributes") == [(2,)]


def test_another_batch_under_a_known_number_is_a_mismatch(store):
    Ledger(store, reading()).commit(0, 100, batch(store, fact_attribute=[attribute(0)]))
    with pytest.raises(LedgerMismatch):
        Ledger(store, reading()).commit(0, 101, batch(store, fact_attribute=[attribute(0)]))


def test_a_finished_reading_is_known(store):
    read(store, reading(), {"fact_attribute": [attribute(0)]})
    known = Ledger(store, reading()).known
    assert known is not None
    assert known.packets == 10
    assert Ledger(store, reading(parser_set="p2")).known is None
    assert Ledger(store, reading(settings="s2")).known is None
    assert Ledger(store, reading(batch_bytes=7)).known is not None


def test_what_is_known_of_a_capture_so_far_and_at_its_end_stands_with_it_alone(store):
    read(store, reading(capture="d" * 32), {"fact_attribute": [attribute(0)]})
    ledger = Ledger(store, reading())
    ledger.commit(0, 100, batch(store))
    so_far = Summary(START, None, 5, 500, False, None, "{}")
    damaged = Summary(START, START, 6, 600, False, "cut short", json.dumps({"packets": 6}))
    for tell, summary, finished in ((ledger.note, so_far, False), (ledger.finish, damaged, True)):
        tell(summary)
        columns = "first_ts, last_ts, packets, bytes, complete, damaged, counters"
        query = f"SELECT {columns}, finished FROM capture WHERE packets = $packets"
        (row,) = store.query(query, {"packets": summary.packets})
        assert row == (*(getattr(summary, name) for name in columns.split(", ")), finished)
    assert store.query("SELECT packets FROM capture ORDER BY packets") == [(6,), (10,)]


@pytest.mark.parametrize("change", [{"parser_set": "p2"}, {"settings": "s2"}])
def test_a_newer_reading_replaces_what_the_older_one_contributed(store, change):
    read(store, reading(), {"fact_attribute": [attribute(0, "OLD")], "certificate": [certificate()]})
    read(store, reading("b" * 32), {"fact_attribute": [attribute(0, "OTHER", id=2)]})
    read(store, msgspec.structs.replace(reading(), **change), {"fact_attribute": [attribute(0, "NEW")]})
    assert store.query("SELECT value, n FROM attributes ORDER BY value") == [("NEW", 1), ("OTHER", 1)]
    assert store.query("SELECT count(*) FROM certificates") == [(0,)]


def test_the_older_reading_stays_until_the_newer_one_brings_something(store):
    read(store, reading(), {"fact_attribute": [attribute(0, "OLD")]})
    Ledger(store, reading(parser_set="p2"))
    assert store.query("SELECT value FROM attributes") == [("OLD",)]


def test_an_interrupted_reading_that_was_cut_elsewhere_begins_anew(store):
    Ledger(store, reading(batch_bytes=10)).commit(0, 10, batch(store, fact_attribute=[attribute(0)]))
    read(store, reading(batch_bytes=1000), {"fact_attribute": [attribute(0)]})
    assert store.query("SELECT n FROM attributes") == [(1,)]
    assert store.query("SELECT count(*) FROM batch") == [(1,)]


def test_a_batch_that_the_store_refuses_leaves_nothing(store):
    ledger = Ledger(store, reading())
    ledger.commit(0, 100, batch(store, fact_attribute=[attribute(0)]))
    before = seen(store)
    bad = batch(store, fact_attribute=[attribute(1)], fact_conversation=[conversation(1, protocol=None)])
    with pytest.raises(StoreError, match="NOT NULL"):
        ledger.commit(1, 200, bad)
    assert seen(store) == before
    assert Ledger(store, reading()).committed_count == 1


def test_conversations_are_added_up(store):
    read(store, reading(), {"fact_conversation": [conversation(0)]}, {"fact_conversation": [conversation(4)]})
    assert store.query("SELECT packets, lost_bytes, unanswered_count, n FROM conversations") == [(6, 6, 6, 2)]


def test_traffic_and_losses_of_an_hour_are_added_up_once(store):
    twice = {"fact_traffic": [traffic(), traffic(), traffic(segment="")], "fact_loss": [loss(), loss(interface="eth2")]}
    read(store, reading(), twice, {"fact_traffic": [traffic(0, 5), traffic(1)], "fact_loss": [loss(0, 4)]})
    assert store.query("SELECT segment, packets, truncated FROM traffic ORDER BY hour, segment") == [
        ("", 1, 1),
        ("vlan 12", 7, 7),
        ("vlan 12", 1, 1),
    ]
    assert store.query("SELECT interface, kernel_drops, ring_freezes FROM losses ORDER BY interface") == [
        ("eth1", 5, 5),
        ("eth2", 1, 1),
    ]
    read(store, reading(parser_set="p2"), {"fact_traffic": [traffic()]})
    assert store.query("SELECT sum(packets) FROM traffic") == [(1,)]
    assert store.query("SELECT * FROM losses") == []


def test_warnings_take_the_place_of_those_before_and_keep_when_they_began(store):
    ledger = Ledger(store, msgspec.structs.replace(reading(), live=True))
    ledger.warn([("eth1", "silent", "silent for 60 s"), ("eth1", "clock", "set back")])
    before = dict(store.query("SELECT kind, since FROM mirror_warnings"))
    ledger.warn([("eth1", "silent", "silent for 90 s")])
    assert store.query("SELECT source, interface, kind, words, since FROM mirror_warnings") == [
        ("live", "eth1", "silent", "silent for 90 s", before["silent"])
    ]
    ledger.finish(END)
    assert store.query("SELECT * FROM mirror_warnings") == []
    ledger.forget()
    assert store.query("SELECT * FROM mirror_warning") == []


def test_warnings_of_a_reading_that_broke_off_go_when_it_has_none_later(store):
    broken = Ledger(store, reading())
    broken.commit(0, 100, batch(store))
    broken.warn([("eth1", "silent", "silent for 60 s")])
    Ledger(store, reading()).warn([])
    assert store.query("SELECT * FROM mirror_warnings") == []


def test_warnings_of_a_file_are_as_old_as_its_packets(store):
    Ledger(store, reading()).warn([("", "one-sided", "half of it")], START)
    assert store.query("SELECT source, since FROM mirror_warnings") == [("a.pcap", START)]


def test_a_certificate_has_one_row_with_where_it_was_shown(store):
    shown = [certificate_shown(0), certificate_shown(5, ip="10.0.0.6", id=2), certificate_shown(24 * 60)]
    for capture in ("a" * 32, "b" * 32):
        read(store, reading(capture), {"certificate": [certificate()], "fact_certificate": shown})
    (row,) = store.query("SELECT sha256, n, day_count, endpoint_count, roles, sans FROM certificates")
    assert row == ("ab", 6, 2, 2, ["server"], ["DNS:pacs"])


def test_a_binding_lives_until_the_holder_changes(store):
    other = "00:00:5e:00:53:02"
    read(store, reading(), {"binding": [binding(0, until=5), binding(20, other)]}, {"binding": [binding(30, other)]})
    for capture, minute in (("b" * 32, 10), ("c" * 32, 40)):
        read(store, reading(capture), {"binding": [binding(minute)]})
    rows = store.query("SELECT mac, first_ts, last_ts, n FROM bindings ORDER BY first_ts")
    spans = [(str(mac)[-2:], (a - START).seconds // 60, (b - START).seconds // 60, n) for mac, a, b, n in rows]
    assert spans == [("01", 0, 10, 2), ("02", 20, 30, 2), ("01", 40, 40, 1)]


def test_only_addresses_with_several_intervals_are_joined(store):
    here, there = ({"ip": ip} for ip in ("10.0.0.5", "10.0.0.6"))
    first = [binding(0, **here), binding(1, **there)]
    read(store, reading(), {"binding": first}, {"binding": [binding(9, **here), binding(9, ip="10.0.0.7")]})
    rows = store.query("SELECT ip, first_ts, last_ts, n FROM binding ORDER BY ip")
    assert [(ip[-1:], (b - a).seconds // 60, n) for ip, a, b, n in rows] == [("5", 9, 2), ("6", 0, 1), ("7", 0, 1)]


def test_an_interval_that_comes_late_is_joined_with_what_comes_after_it(store):
    read(store, reading(), {"binding": [binding(9)]}, {"binding": [binding(0)]})
    rows = store.query("SELECT first_ts, last_ts, n FROM binding")
    assert [((b - a).seconds // 60, n) for a, b, n in rows] == [(9, 2)]


def test_intervals_that_are_no_neighbours_stay_as_they_are(store):
    holders = [binding(minute, f"00:00:5e:00:53:{minute:02x}") for minute in range(20)]
    read(store, reading(), {"binding": holders})
    before = store.query("SELECT rowid, mac FROM binding")
    read(store, reading(), {"binding": holders}, {"binding": [binding(30, holders[-1]["mac"])]})
    after = store.query("SELECT rowid, mac FROM binding")
    assert [mac for row, mac in before if (row, mac) not in after] == [0x00005E005313]
    assert len(after) == len(before)


SIGHTS = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 3), st.sampled_from(["10.0.0.5", "10.0.0.6"]), st.booleans()),
    min_size=1,
    max_size=20,
)


def _rows(store, sights):
    """Facts, conversations and bindings from (minute, id, ip, gap)."""
    return batch(
        store,
        fact_attribute=[attribute(minute, f"V{key}", id=key, ip=ip, gap=gap) for minute, key, ip, gap in sights],
        fact_certificate=[certificate_shown(minute, f"c{key}", id=key, ip=ip) for minute, key, ip, _ in sights],
        certificate=[certificate(name) for name in sorted({f"c{key}" for _, key, _, _ in sights})],
        fact_conversation=[conversation(minute, id=key, initiator_ip=ip) for minute, key, ip, _ in sights],
        binding=[binding(minute, f"00:00:5e:00:53:0{key}", ip=ip) for minute, key, ip, _ in sights],
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sights=SIGHTS, cuts=st.sets(st.integers(1, 19), max_size=4), again=st.integers(0, 4))
def test_how_a_reading_is_cut_and_interrupted_does_not_show(tmp_path_factory, sights, cuts, again):
    sights = sorted(set(sights))  # a capture's batches come in the order of its time
    folder = tmp_path_factory.mktemp("split")
    with Store.open(folder / "whole.duckdb") as whole, Store.open(folder / "split.duckdb") as split:
        Ledger(whole, reading()).commit(0, 100, _rows(whole, sights))
        edges = [0, *sorted(cut for cut in cuts if cut < len(sights)), len(sights)]
        parts = [_rows(split, sights[a:b]) for a, b in pairwise(edges)]
        # Interrupted after `again` batches, then read again from the start.
        for stop in (min(again, len(parts)), len(parts)):
            ledger = Ledger(split, reading())
            for number, part in enumerate(parts[:stop]):
                ledger.commit(number, 100 * number, dict(part))
        assert seen(split) == seen(whole)


def test_every_table_of_a_batch_can_be_inserted_merged_and_forgotten() -> None:
    """What a reading just begun brings is inserted; the same rows later are merged."""
    for name in FACT_TABLES:
        assert all(statement(f"{how}/{name}") for how in ("insert", "merge", "forget"))
        assert name == "binding" or statement(f"distinct/{name}")


def test_only_a_reading_just_begun_is_inserted(store):
    """The same rows again, in the next batch and by a reading that goes on after a break: added up, never twice."""
    rows = {"fact_attribute": [attribute(0)], "certificate": [certificate()], "binding": [binding(0)]}
    read(store, reading(), rows, rows)
    going_on = Ledger(store, reading())
    going_on.commit(2, 300, batch(store, **rows))
    counts = [store.query(f"SELECT count(*) FROM {name}") for name in ("fact_attribute", "certificate", "binding")]
    assert counts == [[(1,)]] * 3
    assert store.query("SELECT n FROM attributes") == [(3,)]


def test_the_store_is_searched_for_what_was_told_before_alone(store, monkeypatch):
    """A batch without a known row costs the same in a store of any size, one with some as much as came since these."""
    merged = []

    def merge(_, name, parts, since):
        merged.append((name, [part.row_count for part in parts], since["since_batch"]))

    monkeypatch.setattr("sensor.store.ledger._merge", merge)
    rows = [attribute(0, id=number) for number in range(9)]
    cuts = rows[:3], rows[3:6], rows[6:], rows[3:4] + rows[8:], rows[:1] + rows[7:], [*rows[7:8], attribute(0, id=99)]
    read(store, reading(), *({"fact_attribute": some} for some in cuts))
    assert merged == [("fact_attribute", [2], 1), ("fact_attribute", [3], 0), ("fact_attribute", [1], 2)]


def test_a_reading_that_goes_on_knows_which_batch_brought_what(store, monkeypatch):
    rows = [[attribute(0, id=number)] for number in range(3)]
    read(store, reading(), *({"fact_attribute": some} for some in rows))
    since = []
    monkeypatch.setattr("sensor.store.ledger._merge", lambda *given: since.append(given[-1]))
    Ledger(store, reading()).commit(3, 400, batch(store, fact_attribute=rows[2]))
    assert since == [{"since_batch": 2}]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("fact_attribute", attribute),
        ("fact_certificate", certificate_shown),
        ("fact_conversation", conversation),
        ("binding", binding),
    ],
)
def test_rows_that_came_before_are_not_looked_at(store, table, row):
    """A row that is told to have come before any of those that are known is not found."""
    ledger = Ledger(store, reading())
    ledger.commit(0, 100, batch(store, **{table: [row(0)]}))
    ledger.commit(1, 200, batch(store, **{table: [row(1)]}))
    assert _counts(store, table) == [2]
    store.query(f"UPDATE {table} SET batch = -1")
    ledger.commit(2, 300, batch(store, **{table: [row(2)]}))
    assert _counts(store, table) == [1, 2]


@pytest.mark.parametrize(
    ("table", "row", "view"),
    [
        ("fact_attribute", attribute, "attributes"),
        ("fact_certificate", certificate_shown, "certificate_sightings"),
        ("fact_conversation", conversation, "conversations"),
        ("binding", binding, "bindings"),
    ],
)
@pytest.mark.parametrize("breaks_off", [False, True])
def test_a_row_that_stands_too_far_back_is_written_anew(store, monkeypatch, table, row, view, breaks_off):
    """Once: it is found there from then on, and there alone, also with one that has always been found."""
    far, near = {"ip": "10.0.0.8"}, {"ip": "10.0.0.9"}
    if table == "fact_conversation":
        far, near = ({"id": number, "initiator_ip": f"10.0.0.{number}"} for number in (8, 9))
    elif table != "binding":
        far, near = far | {"id": 8}, near | {"id": 9}
    ledger = Ledger(store, reading())
    ledger.commit(0, 100, batch(store, certificate=[certificate()], **{table: [row(0, **far), row(0, **near)]}))
    monkeypatch.setattr("sensor.store.growth.ALWAYS", 1)
    monkeypatch.setattr("sensor.store.growth.PER_ROW", 1)
    ledger.commit(1, 200, batch(store, **{table: [row(1, **far)]}))
    assert _counts(store, table) == [1, 1, 1]
    monkeypatch.setattr("sensor.store.growth.PER_ROW", 3)
    ledger = Ledger(store, reading()) if breaks_off else ledger
    ledger.commit(2, 300, batch(store, **{table: [row(2, **far), row(2, **near)]}))
    assert store.query(f"SELECT sum(n) FROM {table}") == [(5,)]
    assert sorted(n for (n,) in store.query(f"SELECT n FROM {view}")) == [2, 3]
    assert _counts(store, table) == [1, 2, 2]


def _counts(store, table):
    return [n for (n,) in store.query(f"SELECT n FROM {table} ORDER BY n")]


def test_what_facts_refer_to_stands_once(store, monkeypatch):
    """However often it is told, and when it was forgotten that it had been."""
    monkeypatch.setattr("sensor.store.ledger.Told", lambda: Told(2))
    rows = [attribute(0, f"V{number % 3}", id=number, ip=f"10.0.0.{number % 4}") for number in range(12)]
    read(store, reading(), *({"fact_attribute": rows[begin:]} for begin in (0, 6, 3, 0)))
    assert [store.query(f"SELECT count(*) FROM {name}") for name in ("place", "attribute")] == [[(4,)], [(3,)]]
    assert store.query("SELECT count(*), sum(n) FROM attributes") == [(12, 12 + 6 + 9 + 12)]
    Ledger(store, reading()).forget()
    assert [store.query(f"SELECT * FROM {name}") for name in ("place", "attribute", "fact_attribute")] == [[]] * 3


def test_a_fact_whose_place_was_never_told_is_not_shown(store):
    """A taken-over worker may leave it out."""
    whole = batch(store, fact_attribute=[attribute(0), attribute(1, id=2, ip="10.0.0.6")])
    Ledger(store, reading()).commit(0, 100, whole | {"place": [made("place", told(*whole["place"])[1:])]})
    assert store.query("SELECT ip FROM attributes") == [("10.0.0.6",)]


def test_a_place_is_what_was_said_first(store):
    rows = batch(store, fact_attribute=[attribute(0)])
    other = [made("place", [row | {"ip": "10.0.0.6"} for row in told(*rows["place"])])]
    ledger = Ledger(store, reading())
    ledger.commit(0, 100, rows | {"place": rows["place"] + other})
    ledger.commit(1, 200, {"place": other})
    assert store.query("SELECT ip, n FROM attributes") == [("10.0.0.5", 1)]
