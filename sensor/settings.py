"""Settings: environment variables named SPANWARD_*, with defaults that work without any."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from sensor.budget import DEFAULT_MIB, LEAST_MIB, MOST_MIB

PREFIX: Final = "SPANWARD_"
_PLACE: Final = " - at `$."


class SettingsError(Exception):
    """A variable holds what it may not; `str()` is one line that says which and what."""


class Settings(msgspec.Struct, frozen=True):
    """What can be set for every command. An option on the command line wins over its variable.

    Attributes:
        store: the DuckDB file.
        site: site file (site.toml): networks, scopes, privacy.
        site_key: file of the key that digests secrets; lies outside the store.
        rules: folder of the site's own rules, beside the ones that come along.
        captures: folder of captures for `demo`; default: pcaps/ of the checkout.
        listen: ADDRESS:PORT of the API.
        api: what serves the store, as "module:function". The floors forbid sensor to import api, so the front door
            opens it by name.
        request_timeout_s: a request's queries end after this.
        wide_queries: lists that are computed at the same time.
        worker_memory_mib: MiB that a worker may hold at most, rings not counted (see `sensor.budget`). What there is no
            room for goes, the least valuable first, and is counted; a capture's warning `crowded` says what it was.
        ring_mib: MiB of packets that can wait in the kernel for a worker that is busy, for each interface and worker.
        store_memory_mib: MiB that DuckDB may hold for a store that is open for writing, before it moves to the disk
            what it has under way; None: a quarter of the machine's memory, but from 256 to 1,024.
    """

    store: Path = Path("spanward.duckdb")
    site: Path | None = None
    site_key: Path | None = None
    rules: Path | None = None
    captures: Path | None = None
    listen: str = "127.0.0.1:8470"
    api: str = "api.app:serve"
    request_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 10.0
    wide_queries: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    worker_memory_mib: Annotated[int, msgspec.Meta(ge=LEAST_MIB, le=MOST_MIB)] = DEFAULT_MIB
    ring_mib: Annotated[int, msgspec.Meta(ge=8, le=16_384)] = 256
    store_memory_mib: Annotated[int, msgspec.Meta(ge=128, le=1_048_576)] | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """What variables say; empty ones say nothing.

        Raises:
            SettingsError: one holds what it may not.
        """
        variables = {name: PREFIX + name.upper() for name in cls.__struct_fields__}
        said = {name: value for name, variable in variables.items() if (value := environment.get(variable))}
        try:
            return msgspec.convert(said, cls, strict=False, dec_hook=_path)
        except msgspec.ValidationError as error:
            what, _, name = str(error).rstrip("`").rpartition(_PLACE)
            raise SettingsError(f"{variables.get(name, name)}: {what}") from error


def _path(kind: type, value: Any) -> Any:  # noqa: ANN401 - msgspec's protocol
    return kind(value)
