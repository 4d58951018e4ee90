"""Stand-in for the module `cython` where the engine runs interpreted: every type and decorator is a no-op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, SupportsIndex, TypeVar

T = TypeVar("T")
compiled: Final = False


class _Type:
    def __getitem__(self, _item: object) -> _Type:
        return self


char = uchar = int = uint = longlong = ulonglong = bint = Py_ssize_t = _Type()  # noqa: A001 - Cython's names


def declare(_kind: object, value: Any = None, **_options: object) -> Any:  # noqa: ANN401 - it is whatever it is given
    """The value itself."""
    return value


def cast(_kind: object, value: T) -> T:
    """The value itself."""
    return value


def cclass(kind: T) -> T:
    """The class itself."""
    return kind


final = no_gc = cfunc = ccall = inline = cclass


def exceptval(*_args: object, **_kwargs: object) -> Callable[[T], T]:
    """A decorator that changes nothing."""
    return cclass


def boundscheck(_on: bool) -> Callable[[T], T]:  # noqa: FBT001 - Cython's signature
    """A decorator that changes nothing."""
    return cclass


def freelist(_count: object) -> Callable[[T], T]:
    """A decorator that changes nothing."""
    return cclass


def PREFETCH(_address: object) -> None:  # noqa: N802 - the name that the rooms have from window.pxd
    """Only C can ask for memory ahead."""


def PyBytes_FromStringAndSize(start: bytes, size: SupportsIndex) -> bytes:  # noqa: N802 - Python's name in C
    """A copy of so many bytes."""
    return start[:size]
