"""Tables handed over in place, by Arrow's C stream interface: DuckDB reads our memory where it lies.

What is handed over is a few structures that point to our buffers. Who takes them says when it has done with them, by
calling what stands in their `release`; until then `_lent` holds them, and by them the memory they point to.

Spec: Arrow C data interface, Arrow C stream interface, Arrow PyCapsule interface.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import CFUNCTYPE, POINTER, PYFUNCTYPE, Structure, c_char_p, c_int, c_int64, c_ssize_t, c_void_p, py_object
from itertools import count
from typing import ClassVar, Final, cast

from sensor.columns import NOTHING, TEXT, TEXTS, WORD, Column, Kind, Schema, Table, known_count

_NULLABLE: Final = 2
_CAPSULE: Final = b"arrow_array_stream"
_RECORD: Final = b"+s"
_lent: Final[dict[int, object]] = {}
"""What others look at, by the number that stands in `private_data`."""
_streams: Final[dict[int, _Stream]] = {}
"""What stands in capsules, by its address, as long as these are there."""
_numbers: Final = count(1)


class _Schema(Structure):
    _fields_: ClassVar = [
        ("format", c_char_p),
        ("name", c_char_p),
        ("metadata", c_char_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


class _Array(Structure):
    _fields_: ClassVar = [
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", c_void_p),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


class _Stream(Structure):
    _fields_: ClassVar = [
        ("get_schema", c_void_p),
        ("get_next", c_void_p),
        ("get_last_error", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


class _Buffer(Structure):
    """Spec: Python/C API, buffer protocol, `Py_buffer`."""

    _fields_: ClassVar = [
        ("buf", c_void_p),
        ("obj", c_void_p),
        ("len", c_ssize_t),
        ("itemsize", c_ssize_t),
        ("readonly", c_int),
        ("ndim", c_int),
        ("format", c_char_p),
        ("shape", c_void_p),
        ("strides", c_void_p),
        ("suboffsets", c_void_p),
        ("internal", c_void_p),
    ]


_get_buffer: Final = PYFUNCTYPE(c_int, py_object, POINTER(_Buffer), c_int)(("PyObject_GetBuffer", ctypes.pythonapi))
_release_buffer: Final = PYFUNCTYPE(None, POINTER(_Buffer))(("PyBuffer_Release", ctypes.pythonapi))
_new_capsule: Final = PYFUNCTYPE(py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", ctypes.pythonapi))
_pointer_in: Final = PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))


def stream(schema: Schema, tables: Sequence[Table]) -> object:
    """A capsule with a stream of these tables, which have that schema; it can be read once."""
    made = _Stream(*(_places[name] for name in _OF_STREAMS), _lend(_Lent(schema, tables)))
    place = ctypes.addressof(made)
    _streams[place] = made
    return _new_capsule(place, _CAPSULE, _places["drop"])


class _Lent:
    """What is still to come of a stream."""

    def __init__(self, schema: Schema, tables: Sequence[Table]) -> None:
        self.schema = schema
        self.arrays = [_record(table) for table in reversed(tables)]


def _lend(held: object) -> int:
    """Hold this until it is released; the number by which it is."""
    number = next(_numbers)
    _lent[number] = held
    return number


# ---------------------------------------------------------------------- what is made


def _schema(kind: Kind, name: bytes) -> _Schema:
    if kind == WORD:
        return _field(kind.arrow, name, dictionary=_field(TEXT.arrow, b""))
    if kind == TEXTS:
        return _field(kind.arrow, name, [_field(TEXT.arrow, b"item")])
    return _field(kind.arrow, name)


def _field(
    arrow: bytes,
    name: bytes,
    children: Sequence[_Schema] = (),
    dictionary: _Schema | None = None,
    flags: int = _NULLABLE,
) -> _Schema:
    made = _Schema(arrow, name, None, flags, len(children))
    made.children, made.dictionary, held = _related(children, dictionary)
    made.release, made.private_data = _places["release schema"], _lend((arrow, name, held))
    return made


def _record(table: Table) -> _Array:
    """A table is a structure of its columns."""
    return _array(table.row_count, 0, [None], [_column(column) for column in table.columns.values()])


def _column(column: Column) -> _Array:
    lacking, known, buffers = column.count - known_count(column), column.known, column.buffers
    if column.kind == WORD:
        indices, *words = buffers
        return _array(column.count, lacking, [known, indices], dictionary=_texts(*words))
    if column.kind == TEXTS:
        begins, *texts = buffers
        return _array(column.count, lacking, [known, begins], [_texts(*texts)])
    if column.kind == NOTHING:
        return _array(column.count, column.count, [])
    return _array(column.count, lacking, [known, *buffers])


def _texts(offsets: memoryview, characters: memoryview) -> _Array:
    return _array(len(offsets) - 1, 0, [None, offsets, characters])


def _array(
    length: int,
    null_count: int,
    buffers: Sequence[memoryview | None],
    children: Sequence[_Array] = (),
    dictionary: _Array | None = None,
) -> _Array:
    places = (c_void_p * len(buffers))(*(_place(memory) for memory in buffers))
    made = _Array(length, null_count, 0, len(buffers), len(children), ctypes.addressof(places))
    made.children, made.dictionary, held = _related(children, dictionary)
    made.release, made.private_data = _places["release array"], _lend((buffers, places, held))
    return made


def _related(children: Sequence[Structure], dictionary: Structure | None) -> tuple[int | None, int | None, object]:
    """Where a structure's children and its dictionary are found, and what must be held for that."""
    places = (c_void_p * len(children))(*(ctypes.addressof(child) for child in children))
    return (
        ctypes.addressof(places) if children else None,
        None if dictionary is None else ctypes.addressof(dictionary),
        (children, places, dictionary),
    )


def _place(memory: memoryview | None) -> int | None:
    """Where memory begins."""
    if memory is None:
        return None
    seen = _Buffer()
    _get_buffer(memory, seen, 0)
    _release_buffer(seen)  # the structure that is made of it holds the memory
    return seen.buf  # type: ignore[no-any-return]


# ---------------------------------------------------------------------- what is called by whoever takes it


def _release_schema(place: int) -> None:
    _give_back(_Schema.from_address(place))


def _release_array(place: int) -> None:
    _give_back(_Array.from_address(place))


def _give_back(made: _Schema | _Array) -> None:
    """Let go of a structure, and of those below it that were not taken by themselves. Spec: C data interface 3.4."""
    below = list((c_void_p * made.n_children).from_address(made.children)) if made.n_children else []
    for place in (*below, made.dictionary):
        if place and (one := type(made).from_address(place)).release:
            _give_back(one)
    _lent.pop(made.private_data, None)
    made.release = None


def _get_schema(stream: int, out: int) -> int:
    fields = [_schema(kind, name.encode()) for name, kind in _at(stream).schema.items()]
    return _moved(_field(_RECORD, b"", fields, flags=0), out)


def _get_next(stream: int, out: int) -> int:
    """One that is released already is the end."""
    lent = _at(stream)
    return _moved(lent.arrays.pop() if lent.arrays else _Array(), out)


def _moved(made: _Schema | _Array, out: int) -> int:
    """Put a structure where it is wanted; that there was no error."""
    ctypes.memmove(out, ctypes.addressof(made), ctypes.sizeof(made))
    return 0


def _at(stream: int) -> _Lent:
    """What is still to come of a stream."""
    return cast("_Lent", _lent[_Stream.from_address(stream).private_data])


def _last_error(_: int) -> None:
    """There is never one."""


def _end(stream: int) -> None:
    """What nobody has taken goes with the stream."""
    for array in _at(stream).arrays:
        _give_back(array)
    made = _Stream.from_address(stream)
    _lent.pop(made.private_data)
    made.release = None


def _drop(capsule: int) -> None:
    """The capsule is gone; its stream may have been taken out of it, which whoever does so notes there."""
    place = _pointer_in(capsule, _CAPSULE)
    left = _streams[place]
    if left.release:
        _end(place)
    del _streams[place]


_frees: Final = CFUNCTYPE(None, c_void_p)
_gives: Final = CFUNCTYPE(c_int, c_void_p, c_void_p)
_callbacks: Final = {
    "release schema": _frees(_release_schema),
    "release array": _frees(_release_array),
    "get_schema": _gives(_get_schema),
    "get_next": _gives(_get_next),
    "get_last_error": CFUNCTYPE(c_void_p, c_void_p)(_last_error),
    "release": _frees(_end),
    "drop": PYFUNCTYPE(None, c_void_p)(_drop),
}
_places: Final = {name: ctypes.cast(function, c_void_p).value for name, function in _callbacks.items()}
"""Where they are for C, as long as `_callbacks` holds them."""
_OF_STREAMS: Final = ("get_schema", "get_next", "get_last_error", "release")
