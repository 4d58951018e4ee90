"""One inference: facts to devices, identities, blind spots and findings, in one transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from sensor.inference.addresses import is_nobody
from sensor.inference.claims import COLUMNS, Claim, Verdict, decide
from sensor.inference.classify import classify
from sensor.inference.devices import Device, Resolution, resolve
from sensor.inference.evidence import read_evidence
from sensor.inference.findings import update_findings
from sensor.inference.history import all_aliases
from sensor.inference.identities import Identity, read_identities, row_of, use_rows
from sensor.inference.ownership import belongs_to
from sensor.inference.statements import fill, run
from sensor.inference.strength import strength
from sensor.knowledge import releases, words
from sensor.rules import Rule, load_rules
from sensor.site import Site
from sensor.store.duck import duckdb

MACROS: Final = (
    "macro_identity_id",
    "macro_identity_kind",
    "macro_account_name",
    "macro_stated_realm",
    "macro_account_realm",
    "macro_claimed_identity",
)
TABLES: Final = ("endpoint_device_table", "subject_device_table", "vocabulary_table", "windows_release_table")
SEEN: Final = (
    "seen_attribute",
    "seen_channel",
    "seen_certificate",
    "seen_authentication",
    "seen_anomaly",
    "seen_conversation",
)


class InferenceSummary(msgspec.Struct, frozen=True):
    """What an inference found. `now` is naive UTC; `changes` counts rows added to `finding_change`."""

    now: datetime
    devices: int
    identities: int
    open_findings: int
    changes: int


def infer(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    as_of: datetime | None = None,
    rules: Sequence[Rule] | None = None,
) -> InferenceSummary:
    """Infer everything anew from the facts in the store, in one transaction.

    Args:
        connection: a connection or cursor that may write, outside any transaction.
        site: which addresses are internal.
        as_of: *now* for rules about age; otherwise the newest fact's time, never past the wall clock.
        rules: the rules to run; all that ship by default.

    Raises:
        RuleError: a rule is broken, or returns something else than the contract says.
        duckdb.Error: the store cannot be read or written; nothing has changed then.
    """
    chosen = load_rules() if rules is None else rules
    with _transaction(connection):
        now = _now(connection, as_of)
        resolution = prepare(connection, site)
        _write_devices(connection, resolution, now)
        identities = read_identities(connection)
        _write_identities(connection, identities)
        run(connection, "clear_blindspot")
        run(connection, "insert_blindspot")
        opened, changes = update_findings(connection, chosen, now)
    return InferenceSummary(now, len(resolution.devices), len(identities), opened, changes)


def prepare(connection: duckdb.DuckDBPyConnection, site: Site) -> Resolution:
    """Resolve devices and make the `seen_*` tables that rules read."""
    resolution = resolve(read_evidence(connection), site.internal)
    endpoints = resolution.endpoint_device
    for name in (*MACROS, *TABLES):
        run(connection, name)
    known = [
        (e.scope, e.mac, e.ip, device_id, e.ip is None or site.internal(e.ip))
        for e, (device_id, _) in endpoints.items()
    ]
    fill(connection, "insert_endpoint_device", known)
    subjects = [(*endpoint, about, device_id) for (endpoint, about), device_id in resolution.subject_device.items()]
    fill(connection, "insert_subject_device", subjects)
    fill(connection, "insert_vocabulary", words.rows())
    fill(connection, "insert_windows_release", releases.windows_releases())
    for name in SEEN:
        run(connection, name)
    return resolution


def _write_devices(connection: duckdb.DuckDBPyConnection, resolution: Resolution, now: datetime) -> None:
    aliases = all_aliases(run(connection, "old_devices"), resolution)
    claims = classify(connection, resolution)
    verdicts = decide(claims, now)
    won = {verdict.won for by_name in verdicts.values() for verdict in by_name.values()}
    ips: dict[str, list[str]] = defaultdict(list)
    for endpoint, (device_id, _) in resolution.endpoint_device.items():
        ips[device_id] += [endpoint.ip] if endpoint.ip and not is_nobody(endpoint.ip) else []
    _replace(
        connection,
        "device",
        [_device_row(d, verdicts.get(d.device_id, {}), ips[d.device_id]) for d in _sorted(resolution)],
    )
    _replace(connection, "device_alias", sorted(aliases.items()))
    _replace(connection, "device_endpoint", _endpoint_rows(resolution))
    _replace(connection, "device_attribute", _attribute_rows(claims, won))


def _write_identities(connection: duckdb.DuckDBPyConnection, identities: list[Identity]) -> None:
    rows = [row_of(identity, belongs_to(identity), strength(identity)) for identity in identities]
    _replace(connection, "identity", rows)
    _replace(connection, "identity_use", [row for identity in identities for row in use_rows(identity)])


def _sorted(resolution: Resolution) -> list[Device]:
    return [resolution.devices[key] for key in sorted(resolution.devices)]


def _device_row(device: Device, verdicts: dict[str, Verdict], ips: list[str]) -> tuple[Any, ...]:
    said = {name: verdict.won.value for name, verdict in verdicts.items()}
    why: dict[str, Any] = {name: verdicts[name].why() for name in sorted(said)}
    why["id"] = f"{device.anchors[0].kind} {device.anchors[0].value}"
    if device.reasons:
        why["joined"] = device.reasons
    if device.forwards:
        why["forwards"] = device.forwards
    values = [said.get(name) for name in COLUMNS]
    label = _label(device, said, ips)
    return (device.device_id, label, *values, device.described, *device.span, json.dumps(why, sort_keys=True))


def _label(device: Device, said: dict[str, str], ips: list[str]) -> str:
    """What people call it: its title or name, else maker and model, else its address."""
    equipment = " ".join(filter(None, said.get("equipment", "").split("^")[:2]))
    product = " ".join(said[name] for name in ("vendor", "model") if name in said) if "model" in said else ""
    name = said.get("ae_title") or said.get("name") or equipment
    if name or product:
        return f"{name} ({product})" if name and product else name or product
    return min(ips) if ips else device.anchors[0].value


def _endpoint_rows(resolution: Resolution) -> list[tuple[Any, ...]]:
    rows = ((device_id, *at, *resolution.spans[at], why) for at, (device_id, why) in resolution.endpoint_device.items())
    return sorted(rows, key=lambda row: tuple(part or "" for part in row[1:4]))


def _attribute_rows(claims: list[Claim], won: set[Claim]) -> list[tuple[Any, ...]]:
    return sorted(
        (c.device_id, c.name, c.value, c.source, c.certainty, c in won, c.first, c.last, c.n) for c in set(claims)
    )


def _replace(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    run(connection, f"clear_{table}")
    fill(connection, f"insert_{table}", rows)


def _now(connection: duckdb.DuckDBPyConnection, as_of: datetime | None) -> datetime:
    if as_of is not None:
        return as_of.astimezone(UTC).replace(tzinfo=None) if as_of.tzinfo else as_of
    clock = datetime.now(UTC).replace(tzinfo=None)
    newest: datetime | None = run(connection, "newest")[0][0]
    return min(newest, clock) if newest else clock


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.begin()
    with ExitStack() as undo:
        undo.callback(connection.rollback)
        yield
        undo.pop_all()
    connection.commit()
