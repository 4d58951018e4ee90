"""Frames and tables between worker and recorder: what is sent arrives; what may not be said is refused."""

from __future__ import annotations

import io
import struct
from contextlib import nullcontext

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rows import SCHEMAS
from sensor.store.sql import tables
from sensor.wire import (
    FRAME_BYTES_MAX,
    SHORT_BYTES,
    Failure,
    Gathered,
    Hello,
    Kind,
    Room,
    WireError,
    decode,
    pack_table,
    plain_bytes,
    receive,
    send,
    unpack_table,
)
from tests.sensor.store.facts import attribute, binding, certificate, conversation, of_kinds, referring, schema_of

ROWS = {
    **referring([attribute(0), attribute(1, "CT02", id=2**64 - 1, mac=None)]),
    **of_kinds([conversation(0)]),
    "certificate": [certificate(sans=["DNS:a", "DNS:b"]), certificate("cd", sans=None, not_before=None)],
    "binding": [binding(0)],
}


def table(name, rows=None):
    return pa.Table.from_pylist(rows or ROWS[name], schema=SCHEMAS[name])


def texts(value, count):
    """So many rows of `attribute` with the same value."""
    return referring([attribute(0, value)])["attribute"] * count


@pytest.mark.parametrize("name", tables())
def test_workers_rows_have_the_columns_of_the_store(store, name):
    ddl = schema_of(store, name)
    types = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in SCHEMAS[name].types]
    assert dict(zip(SCHEMAS[name].names, types, strict=True)) == dict(zip(ddl.names, ddl.types, strict=True))


@pytest.mark.parametrize("name", ROWS)
def test_rows_arrive(name):
    assert unpack_table(pack_table(name, table(name)), SCHEMAS) == (name, table(name))


def test_room_is_used_again():
    """For a larger payload, a smaller one, and the first one again: the very bytes that it has by itself."""
    room = Room()
    for name in sorted(ROWS, key=lambda name: -len(pack_table(name, table(name)))) + list(ROWS):
        alone, payload = pack_table(name, table(name)), pack_table(name, table(name), room)
        assert payload == alone
        assert unpack_table(payload, SCHEMAS) == (name, table(name))


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


def stream(rows, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(rows)
    return sink.getvalue().to_pybytes()


def named(name, body):
    label = bytes([len(name)]) + name.encode()
    return label + bytes(-len(label) % 8) + body


def test_compressed_rows_are_refused():
    rows = table("attribute", texts("x" * 256, 1000))
    assert unpack_table(named("attribute", stream(rows)), SCHEMAS)[1] == rows
    for codec in ("lz4", "zstd"):
        with pytest.raises(WireError, match="compressed"):
            unpack_table(named("attribute", stream(rows, compression=codec)), SCHEMAS)


def test_words_that_are_compressed_are_refused_among_rows_that_are_not():
    rows = table("attribute", texts("x" * 256, 1000))
    packed, plain = (
        list(pa.ipc.MessageReader.open_stream(stream(rows, compression=codec))) for codec in ("zstd", None)
    )
    for mixed in (packed[:-1] + plain[-1:], plain[:-1] + packed[-1:]):
        body = b"".join(message.serialize().to_pybytes() for message in mixed)
        assert {message.type for message in mixed} == {"schema", "dictionary", "record batch"}
        with pytest.raises(WireError, match="compressed"):
            unpack_table(named("attribute", body), SCHEMAS)
    body = b"".join(message.serialize().to_pybytes() for message in plain)
    assert unpack_table(named("attribute", body), SCHEMAS)[1] == rows


def test_another_schema_is_refused():
    rows = table("binding")
    for other in (
        rows.drop_columns(["n"]),
        rows.append_column("capture", pa.array(["x"])),
        rows.rename_columns(list(reversed(rows.column_names))),
        rows.set_column(1, "mac", rows["mac"].dictionary_encode()),
        rows.cast(
            pa.schema([field.with_type(pa.large_string()) if field.name == "ip" else field for field in rows.schema])
        ),
    ):
        with pytest.raises(WireError, match=r"another schema|dictionaries"):
            unpack_table(named("binding", stream(other)), SCHEMAS)
    for name in ("batch", "capture", "migration", "", "x" * 255):
        with pytest.raises(WireError, match="does not exist"):
            unpack_table(named(name, stream(rows)), SCHEMAS)
    with pytest.raises(WireError):
        unpack_table(b"", SCHEMAS)


def test_text_that_is_no_text_is_refused():
    bad = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    rows = table("binding")
    with pytest.raises(WireError, match="damaged"):
        unpack_table(named("binding", stream(rows.set_column(1, "mac", bad))), SCHEMAS)


@pytest.mark.parametrize("ts_us", [-(2**63), 2**63 - 1, -62_135_596_800_000_001, 253_402_300_800_000_000])
def test_times_that_no_datetime_holds_are_refused(ts_us):
    rows = table("binding").set_column(3, "first_ts", pa.array([ts_us], pa.timestamp("us")))
    with pytest.raises(WireError, match="out of range"):
        unpack_table(named("binding", stream(rows)), SCHEMAS)


@pytest.mark.parametrize("ts_us", [-62_135_596_800_000_000, -1, 0, 2**56 - 1, 2**56, 253_402_300_799_999_999, None])
def test_times_that_a_datetime_holds_are_not(ts_us):
    rows = table("certificate")
    rows = rows.set_column(5, "not_before", pa.array([ts_us] * len(rows), pa.timestamp("us")))
    assert unpack_table(named("certificate", stream(rows)), SCHEMAS)[1] == rows


@pytest.mark.parametrize(
    ("days", "refused"), [(-719_163, True), (-719_162, False), (2_932_896, False), (2_932_897, True)]
)
def test_so_are_days(days, refused):
    rows = table("fact_attribute")
    days_of = pa.array([days] * len(rows), pa.int32()).view(pa.date32())
    rows = rows.set_column(0, "day", days_of)
    with pytest.raises(WireError, match="out of range") if refused else nullcontext():
        unpack_table(named("fact_attribute", stream(rows)), SCHEMAS)


def worded(name, values, indices=(0, 1)):
    """Two rows of `attribute` with these words in a column."""
    numbers = pa.array(indices, pa.int16())
    words = pa.DictionaryArray.from_arrays(numbers, pa.array(values, pa.string()), safe=False)
    rows = table("attribute")
    return rows.set_column(rows.schema.get_field_index(name), name, words)


def test_numbers_of_words_that_are_not_there_are_refused():
    for indices in ((0, 2), (-1, 0), (0, 32_767)):
        with pytest.raises(WireError, match="damaged"):
            unpack_table(named("attribute", stream(worded("value", ["a", "b"], indices))), SCHEMAS)


def test_words_are_counted_as_often_as_they_stand_there():
    for size in (SHORT_BYTES, 10 * SHORT_BYTES):
        for words, indices in (["x" * size], (0, 0)), (["x" * size, None], (0, None)), ([], (None, None)):
            many = worded("value", words, indices)
            exact = sum(len(value) for value in many["value"].to_pylist() if value)
            counted = plain_bytes(many.select(["value"]))
            assert exact == counted or exact < counted <= 2 * SHORT_BYTES


def test_words_may_stand_in_more_memory_than_they_need():
    """A worker that was taken over says how long its buffers are."""
    begins = pa.py_buffer(struct.pack("<3i", 0, 1, 3) + b"?")
    words = pa.Array.from_buffers(pa.string(), 2, [None, begins, pa.py_buffer(b"abb")])
    many = pa.table({"value": pa.DictionaryArray.from_arrays(pa.array([0, 1, 1], pa.int16()), words)})
    assert plain_bytes(many) == 3 * len("bb")


def test_a_batch_is_bounded_by_what_its_words_come_to():
    rows = table("attribute", texts("x" * 100_000, 30_000))
    payload = pack_table("attribute", rows)
    assert len(payload) < 4 << 20
    with pytest.raises(WireError, match="never ends"):
        Gathered(SCHEMAS, 512 << 20).add(payload)


WHOLE = bytes(pack_table("certificate", table("certificate")))
WORDED = bytes(pack_table("attribute", table("attribute")))
NUMBERED = bytes(pack_table("fact_attribute", table("fact_attribute")))


@pytest.mark.parametrize("end", range(0, len(WHOLE), 7))
def test_rows_that_are_cut_short_are_refused(end):
    try:
        _, rows = unpack_table(WHOLE[:end], SCHEMAS)
    except WireError:
        return
    assert rows in (
        table("certificate"),
        table("certificate").slice(0, 0),
    )  # only the end mark was cut off, or all rows


@settings(max_examples=400, deadline=None)
@given(
    whole=st.sampled_from([WHOLE, WORDED, NUMBERED]),
    flips=st.lists(st.tuples(st.integers(15, len(WORDED) - 1), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_rows_with_flipped_bits_are_refused_or_whole(whole, flips):
    payload = bytearray(whole)
    for position, mask in flips:
        payload[position % len(whole)] ^= mask if position % len(whole) >= 15 else 0
    try:
        name, rows = unpack_table(bytes(payload), SCHEMAS)
    except WireError:
        return
    rows.validate(full=True)
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
