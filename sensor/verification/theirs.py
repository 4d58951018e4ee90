"""Wireshark's reading of a capture, in the shape of ours: endpoint and field to values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from parsers.core.fact import clean
from sensor.verification.compare import Key, Reading
from sensor.verification.messages import Message, derived
from sensor.verification.readings import read
from sensor.verification.table import Row, table
from sensor.verification.wireshark import LAYERS


def their_reading(messages: Iterable[Message]) -> Reading:
    """The reading of tshark's messages."""
    found: Reading = defaultdict(set)
    for message in derived(messages):
        for row in _rows().get(LAYERS[message.protocol], ()):
            values = _values(message, row)
            if values:
                endpoint = message.hearer if row.about == "hearer" else message.speaker
                found[Key(endpoint, row)].update(values)
    return {key: values for key, values in found.items() if values}


@cache
def _rows() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in table():
        found[row.protocol].append(row)
    return found


def _values(message: Message, row: Row) -> list[str]:
    if not all(condition.holds(message.values) for condition in row.when):
        return []
    for alternative in row.tshark_field.split("/"):
        parts = [message.values.get(name, []) for name in alternative.split("+")]
        if all(parts):
            # Facts hold no control characters.
            return [clean(value) for value in read(row.reading, list(map(".".join, zip(*parts, strict=False))))]
    return []
