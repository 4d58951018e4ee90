"""Captures that were read, and then compressed by whoever rotates them (`tcpdump -z`): they count once.

A capture's id is that of its bytes as they lie in the file, so inside gzip or zstd it has another one. Whether both are
the same shows only when all is inflated; that is worth it where a file of the same name but for the ending was read.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

from sensor.store.sql import statement
from sensor.store.store import Store


class Original(NamedTuple):
    """A capture that was read: id of its content, and the size of its file."""

    capture: str
    size_bytes: int


def content_known_as(store: Store, capture: str) -> str | None:
    """Under which id the store knows the content of this capture, if it does.

    Raises:
        StoreError: the store refused.
    """
    rows = store.query(statement("ledger/find_content"), {"capture": capture})
    return str(rows[0][0]) if rows else None


def possible_original(store: Store, name: str) -> Original | None:
    """What the compressed capture of this file name may be a copy of.

    Raises:
        StoreError: the store refused.
    """
    rows = store.query(statement("ledger/find_newest"), {"name": PurePath(name).stem})
    return Original(str(rows[0][0]), int(str(rows[0][1]))) if rows else None


def note_copy(store: Store, copy: str, capture: str) -> None:
    """Remember that this is a copy of that.

    Raises:
        StoreError: the store refused.
    """
    with store.transaction() as cursor:
        cursor.execute(statement("ledger/add_copy"), {"copy": copy, "capture": capture})
