"""Our reading of a capture: endpoint and field to values, from the facts that `spanward facts` prints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from sensor.sighting import Sighting
from sensor.verification.compare import Key, Reading
from sensor.verification.readings import read
from sensor.verification.table import Row, table

Fact = dict[str, Any]


class OurReading(NamedTuple):
    """What we read.

    Attributes:
        values: by endpoint and field.
        ports: the responder's port of the conversations that a value was read in.
    """

    values: Reading
    ports: dict[Key, set[int]]


def our_reading(sightings: Iterable[Sighting]) -> OurReading:
    """Our reading from what the pipeline sees."""
    values: Reading = defaultdict(set)
    ports: dict[Key, set[int]] = defaultdict(set)
    for sighting in sightings:
        fact: Fact = msgspec.json.decode(sighting.to_json())
        for row in _rows().get((fact["protocol"], fact["kind"]), ()):
            key = Key(_endpoint(fact), row)
            for value in _values(fact, row):
                values[key].add(value)
                ports[key].add(sighting.port or 0)
    return OurReading(dict(values), dict(ports))


@cache
def _rows() -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in table():
        found[row.protocol, row.kind].append(row)
    return found


def _endpoint(fact: Fact) -> str:
    address = fact["endpoint"]
    return f"{address['ip']} {address['port']}"


def _values(fact: Fact, row: Row) -> list[str]:
    if fact["about"] != "side":
        return []
    asked = {field for condition in row.our_when for field in condition.fields}
    held = {field: list(_at(fact, field)) for field in asked}
    if not all(condition.holds(held) for condition in row.our_when):
        return []
    return read(row.our_reading, [value for path in row.ours.split("/") for value in _at(fact, path)])


def _at(fact: Fact, path: str) -> Iterator[str]:
    """The values at a path; of an attribute, its value where it has that name."""
    if fact["kind"] == "attribute":
        if fact["name"] == path:
            yield str(fact["value"])
        return
    value: object = fact
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    for one in value if isinstance(value, list) else [value]:
        if one is not None:
            yield str(one).lower() if isinstance(one, bool) else str(one)
