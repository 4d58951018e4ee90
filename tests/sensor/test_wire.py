"""Frames and tables between worker and recorder: what is sent arrives; what may not be said is refused."""

from __future__ import annotations

import io
import os
import threading
from array import array
from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.columns import TEXT, TEXTS, WORD, Table, column_of, text_buffers, values
from sensor.rows import SCHEMAS
from sensor.store.sql import tables
from sensor.wire import (
    FRAME_BYTES_MAX,
    Failure,
    Gathered,
    Hello,
    Kind,
    WireError,
    decode,
    plain_bytes,
    receive,
    send,
    send_table,
    unpack_table,
)
from tests.sensor.store.facts import attribute, binding, certificate, conversation, of_kinds, referring
from tests.tables import arrow, made, packed, told

ROWS = {
    **referring([attribute(0), attribute(1, "CT02", id=2**64 - 1, mac=None)]),
    **of_kinds([conversation(0)]),
    "certificate": [certificate(sans=["DNS:a", "DNS:b"]), certificate("cd", sans=None, not_before=None)],
    "binding": [binding(0)],
}


STORED = {b"b": "BOOLEAN", b"i": "INTEGER", b"l": "BIGINT", b"L": "UBIGINT", b"tdD": "DATE", b"tsu:": "TIMESTAMP"}
STORED |= {b"u": "VARCHAR", b"s": "VARCHAR", b"+l": "VARCHAR[]"}


def table(name, rows=None):
    return made(name, rows or ROWS[name])


def texts(value, count):
    """So many rows of `attribute` with the same value."""
    return referring([attribute(0, value)])["attribute"] * count


@pytest.mark.parametrize("name", tables())
def test_workers_rows_have_the_columns_of_the_store(store, name):
    described = store.query(f"SELECT column_name, column_type FROM (DESCRIBE {name})")
    stored = {column: kind for column, kind in described if column not in {"reading", "batch", "community_id"}}
    assert {column: STORED[kind.arrow] for column, kind in SCHEMAS[name].items()} == stored


@pytest.mark.parametrize("name", ROWS)
def test_rows_arrive(name):
    received, rows = unpack_table(packed(name, table(name)), SCHEMAS)
    assert (received, rows.schema, told(rows)) == (name, SCHEMAS[name], told(table(name)))


def test_rows_are_read_where_they_lie():
    """And each number where the machine likes it."""
    payload = bytearray(packed("fact_attribute", table("fact_attribute")))
    _, rows = unpack_table(payload, SCHEMAS)
    before = told(rows)
    for place in range(len(payload)):
        payload[place] = 0
    assert told(rows) != before
    for name in ROWS:
        payload = packed(name, table(name))
        for column in unpack_table(payload, SCHEMAS)[1].columns.values():
            for memory in column.buffers:
                whole = memory.obj.tobytes() if isinstance(memory.obj, memoryview) else bytes(memory.obj)
                assert len(payload) == len(whole)
                assert len(payload) % 8 == 0


def test_a_table_is_written_whole_however_little_a_pipe_takes(monkeypatch):
    ours, theirs = os.pipe()
    writev, calls = os.writev, []

    def little(fd, pieces):
        calls.append(len(pieces))
        return writev(fd, [b"".join(pieces)[: 1 + len(calls) % 23]])

    monkeypatch.setattr("sensor.wire.os.writev", little)
    with os.fdopen(ours, "rb") as reader, os.fdopen(theirs, "wb") as writer:
        sender = threading.Thread(target=send_table, args=(writer, "certificate", table("certificate")))
        sender.start()
        kind, payload = receive(reader)
        sender.join()
    assert len(calls) > 20
    assert (kind, payload) == (Kind.TABLE, packed("certificate", table("certificate")))


def test_frames_arrive_until_the_end():
    pipe = io.BytesIO()
    send(pipe, Kind.HELLO, b"{}")
    send(pipe, Kind.SUMMARY, b"")
    whole = pipe.getvalue()
    pipe.seek(0)
    assert [receive(pipe) for _ in range(3)] == [(Kind.HELLO, b"{}"), (Kind.SUMMARY, b""), None]
    assert receive(io.BytesIO(whole[:6])) is None


@pytest.mark.parametrize(
    "header", [b"\x00\x00\x00\x00\x01", b"\x09\x00\x00\x00\x01", b"\x02\xff\xff\xff\xff", b"\x01\x00\x20\x00\x00"]
)
def test_frames_of_no_kind_or_any_length_are_refused(header):
    with pytest.raises(WireError):
        receive(io.BytesIO(header + b"x"))


def tampered(name, /, **columns):
    """A frame of `table(name)` with other columns, which may be anything."""
    return packed(name, Table({**table(name).columns, **columns}))


@dataclass
class Bare:
    """Buffers as a worker may send them that was taken over: of any length, for any number of rows."""

    buffers: list[memoryview]
    known: memoryview | None = None
    count: int = 1


def bare(*buffers, known=None, count=1):
    return Bare([memoryview(buffer) for buffer in buffers], known and memoryview(known), count)


def refused(name, match="damaged", /, **columns):
    with pytest.raises(WireError, match=match):
        unpack_table(tampered(name, **columns), SCHEMAS)


def test_other_columns_are_refused():
    rows = table("binding")
    for other in (
        {name: column for name, column in rows.columns.items() if name != "n"},
        {**rows.columns, "capture": column_of(TEXT, ["x"])},
        dict(reversed(rows.columns.items())),
        {**rows.columns, "mac": column_of(WORD, ["x"])},
        {**rows.columns, "ip": column_of(TEXTS, [["x"]])},
    ):
        with pytest.raises(WireError, match="damaged"):
            unpack_table(packed("binding", Table(other)), SCHEMAS)
    for name in ("batch", "capture", "migration", "", "x" * 255):
        with pytest.raises(WireError, match="does not exist"):
            unpack_table(packed(name, rows), SCHEMAS)
    with pytest.raises(WireError):
        unpack_table(b"", SCHEMAS)


def test_lengths_are_what_rows_make_of_them():
    """One row more or less, half a number, a bitmap of another length, nothing at all."""
    for name, column in (("port", "i"), ("id", "Q")):
        for size in (0, 1, 3):
            refused("place", **{name: bare(array(column, range(size)))})
        refused("place", **{name: bare(array(column, [1, 2]).tobytes()[1:])})
    refused("place", continued=bare(b""))
    refused("place", continued=bare(b"\0\0"))
    refused("place", port=bare(array("i", [1, 2]), known=b"\1\1"))
    refused("certificate", sans=bare(array("i", [0, 0]), array("i", [0]), b""))
    refused("certificate", sans=bare(array("i", [0, 0, 1]), array("i", [0]), b""))
    refused("binding", ip=bare(array("i", [0, 1, 1]), b"a"))
    refused("binding", ip=bare(array("i", []), b""))
    assert unpack_table(tampered("binding", ip=bare(array("i", [0, 1]), b"a")), SCHEMAS)[1]["ip"].count == 1


@pytest.mark.parametrize("length", [1, 7, 8, 2**31, 2**63 - 1, 2**63, 2**64 - 8, 2**64 - 1])
def test_lengths_that_overflow_are_refused(length):
    whole = packed("binding", table("binding"))
    for place in range(8, 8 + 8 * 13, 8):  # the number of rows, and all lengths
        before = int.from_bytes(whole[place : place + 8], "little")
        for said in {length, (before + length) % 2**64} - {before}:
            with pytest.raises(WireError):
                unpack_table(whole[:place] + said.to_bytes(8, "little") + whole[place + 8 :], SCHEMAS)


@pytest.mark.parametrize(
    "offsets", [(1, 2), (0, 1), (0, 3), (0, -1), (-1, 2), (2, 2), (2**31 - 1, 2), (0, 2**31 - 1), (0, -(2**31))]
)
def test_offsets_that_go_elsewhere_are_refused(offsets):
    refused("binding", ip=bare(array("i", offsets), b"ab"))
    for words in (offsets, (0, *offsets), (*offsets, 2)):
        if words not in {(0, 1, 2), (0, 2, 2)}:
            refused("attribute", name=bare(array("h", [0, 0]), array("i", words), b"ab"))
            refused("certificate", sans=bare(array("i", words), array("i", [0, 1, 2]), b"ab"))


def test_offsets_that_fall_are_refused():
    refused("attribute", name=bare(array("h", [0, 0]), array("i", [0, 2, 1, 2]), b"ab"))
    refused("certificate", sans=bare(array("i", [0, 2, 1]), array("i", [0, 1]), b"a"))


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\xc3", b"\xa4", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80"])
def test_text_that_is_no_text_is_refused(text):
    refused("binding", ip=bare(array("i", [0, len(text)]), text))
    refused("attribute", name=bare(array("h", [0, 0]), array("i", [0, len(text)]), text))
    refused("certificate", sans=bare(array("i", [0, 1, 1]), array("i", [0, len(text)]), text))


def test_text_is_looked_through_to_its_end(monkeypatch):
    """Piece by piece, of which the borders may lie within a character."""
    monkeypatch.setattr("sensor.wire._PIECE_BYTES", 3)
    whole = "aä€𝄞" * 5
    for text in (whole.encode(), whole.encode() + b"\xff", whole.encode()[:-1]):
        payload = tampered("binding", ip=bare(array("i", [0, len(text)]), text))
        with nullcontext() if text == whole.encode() else pytest.raises(WireError, match="damaged"):
            assert list(values(unpack_table(payload, SCHEMAS)[1]["ip"])) == [whole]


def test_half_a_character_is_refused():
    """All of them together may be whole."""
    refused("attribute", name=bare(array("h", [0, 1]), array("i", [0, 1, 2]), "ä".encode()))
    refused("certificate", sans=bare(array("i", [0, 2, 2]), array("i", [0, 1, 2]), "ä".encode()))


@pytest.mark.parametrize("ts_us", [-(2**63), 2**63 - 1, -62_135_596_800_000_001, 253_402_300_800_000_000])
def test_times_that_no_datetime_holds_are_refused(ts_us):
    refused("binding", "out of range", first_ts=bare(array("q", [ts_us])))
    refused("certificate", "out of range", not_before=bare(array("q", [0, ts_us]), known=b"\2"))


@pytest.mark.parametrize("ts_us", [-62_135_596_800_000_000, -1, 0, 2**56 - 1, 2**56, 253_402_300_799_999_999])
def test_times_that_a_datetime_holds_are_not(ts_us):
    _, rows = unpack_table(tampered("certificate", not_before=bare(array("q", [ts_us, ts_us]))), SCHEMAS)
    assert list(values(rows["not_before"])) == [ts_us] * 2


def test_whatever_stands_where_no_time_is_is_none():
    _, rows = unpack_table(tampered("certificate", not_before=bare(array("q", [2**63 - 1, 5]), known=b"\xfe")), SCHEMAS)
    assert list(values(rows["not_before"])) == [None, 5]


@pytest.mark.parametrize(
    ("days", "refused"), [(-719_163, True), (-719_162, False), (2_932_896, False), (2_932_897, True)]
)
def test_so_are_days(days, refused):
    payload = tampered("fact_attribute", day=bare(array("i", [days] * 2), count=2))
    with pytest.raises(WireError, match="out of range") if refused else nullcontext():
        unpack_table(payload, SCHEMAS)


def worded(words, indices, known=None):
    """Two rows of `attribute` with these words in column `value`."""
    return tampered("attribute", value=bare(array("h", indices), *text_buffers(words), known=known))


@pytest.mark.parametrize("indices", [(0, 2), (-1, 0), (0, 32_767), (-(2**15), 0)])
def test_numbers_of_words_that_are_not_there_are_refused(indices):
    """Also where a row has none: DuckDB may look there."""
    for known in (None, b"\0", b"\1", b"\2"):
        with pytest.raises(WireError, match="damaged"):
            unpack_table(worded(["a", "b"], indices, known), SCHEMAS)


def test_without_words_no_row_has_one():
    _, rows = unpack_table(worded([], (0, 0), b"\xfc"), SCHEMAS)
    assert told(rows)[1]["value"] is None
    for indices, known in (((0, 0), None), ((0, 0), b"\1"), ((0, 1), b"\0")):
        with pytest.raises(WireError, match="damaged"):
            unpack_table(worded([], indices, known), SCHEMAS)


def test_words_are_counted_as_often_as_they_stand_there():
    for size in (9, 640):
        for words in ["x" * size] * 2, ["x" * size, None], [None, None]:
            counted = plain_bytes(Table({"value": column_of(WORD, words)}))
            assert counted == sum(len(value) for value in words if value)


def test_a_batch_is_bounded_by_what_its_words_come_to():
    rows = table("attribute", texts("x" * 100_000, 30_000))
    payload = packed("attribute", rows)
    assert len(payload) < 4 << 20
    with pytest.raises(WireError, match="never ends"):
        Gathered(SCHEMAS, 512 << 20).add(payload)


WHOLE = packed("certificate", table("certificate"))
WORDED = packed("attribute", table("attribute"))
NUMBERED = packed("fact_attribute", table("fact_attribute"))


@pytest.mark.parametrize("whole", [WHOLE, WORDED, NUMBERED])
def test_rows_that_are_cut_short_or_go_on_are_refused(whole):
    for end in range(len(whole)):
        with pytest.raises(WireError):
            unpack_table(whole[:end], SCHEMAS)
    for more in (1, 8, 64):
        with pytest.raises(WireError):
            unpack_table(whole + bytes(more), SCHEMAS)


@settings(max_examples=400, deadline=None)
@given(
    whole=st.sampled_from([WHOLE, WORDED, NUMBERED]),
    flips=st.lists(st.tuples(st.integers(16, len(WHOLE) - 1), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_rows_with_flipped_bits_are_refused_or_whole(whole, flips):
    payload = bytearray(whole)
    for position, mask in flips:
        payload[position % len(whole)] ^= mask if position % len(whole) >= 16 else 0
    try:
        name, rows = unpack_table(bytes(payload), SCHEMAS)
    except WireError:
        return
    arrow(rows)  # pyarrow looks at everything, too
    assert rows.schema == SCHEMAS[name]
    assert plain_bytes(rows) >= 0


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{", b'{"kind": 1}', b'{"kind": "x y", "what": "", "hint": ""}', b"\xff", b'{"kind":"a"}']
)
def test_words_that_are_none_are_refused(payload):
    with pytest.raises(WireError):
        decode(payload, Failure)


def test_ids_are_hexadecimal():
    good = (
        b'{"capture":"0123456789abcdef","parser_set":"1-a","settings":"0123456789abcdef","size_bytes":0,"sandbox":"x"}'
    )
    assert decode(good, Hello).parser_set == "1-a"
    for bad in (good.replace(b"cdef", b"'; --"), good.replace(b"1-a", b"\\u001b[2J"), good.replace(b":0,", b":-1,")):
        with pytest.raises(WireError):
            decode(bad, Hello)


def test_a_frame_may_be_as_long_as_a_table():
    class Endless(io.BytesIO):
        def read(self, size=-1):
            return super().read(size) if size == 5 else b"x" * min(size, 10)

    assert receive(Endless(bytes([Kind.TABLE]) + FRAME_BYTES_MAX.to_bytes(4, "big"))) is None
