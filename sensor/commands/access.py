"""What most commands begin with: the store, the site file and the site key, with errors as `CommandError`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sensor.commands.errors import CommandError
from sensor.settings import Settings, SettingsError
from sensor.site import Site, SiteError
from sensor.sitekey import SiteKey, SiteKeyError
from sensor.store import Store, StoreError

Row = dict[str, Any]
_QUERIES: Final = Path(__file__).parent / "queries"


def settings() -> Settings:
    """The settings of this process.

    Raises:
        CommandError: a variable holds what it may not.
    """
    try:
        return Settings.of(os.environ)
    except SettingsError as error:
        raise CommandError(f"{error}; set it right or unset it") from error


@contextmanager
def opened(path: Path, *, read_only: bool = True, memory_mib: int | None = None) -> Iterator[Store]:
    """The store at `path`, closed at the end; see `Store.open`.

    Raises:
        CommandError: it cannot be used.
    """
    try:
        with Store.open(path, read_only=read_only, memory_mib=memory_mib) as store:
            yield store
    except StoreError as error:
        raise CommandError(str(error)) from error


def site(path: Path | None) -> Site:
    """The site file, or the defaults where there is none.

    Raises:
        CommandError: it cannot be used.
    """
    try:
        return Site.load(path)
    except SiteError as error:
        raise CommandError(str(error)) from error


def site_key_path(path: Path | None) -> Path:
    """Where the site key lies: outside of every store, in the user's configuration unless it is said otherwise."""
    if path is not None:
        return path
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "spanward" / "site.key"


def site_key(path: Path | None) -> SiteKey:
    """The site key, made on first use.

    Raises:
        CommandError: it cannot be used or made.
    """
    try:
        return SiteKey.load_or_create(site_key_path(path))
    except SiteKeyError as error:
        raise CommandError(str(error)) from error


@lru_cache(maxsize=64)
def query(name: str) -> str:
    """The text of `queries/<name>.sql`."""
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def rows(store: Store, name: str, parameters: Mapping[str, object] | None = None) -> Iterator[Row]:
    """The rows of the query `name`, by column name.

    Raises:
        StoreError: the store refused.
    """
    cursor = store.cursor()
    try:
        cursor.execute(query(name), dict(parameters or {}))
        columns = [column[0] for column in cursor.description or ()]
        while batch := cursor.fetchmany(1000):
            for values in batch:
                yield dict(zip(columns, values, strict=True))
    finally:
        cursor.close()
