"""The lines of `fields.csv`: which field of tshark's stands for which value in our facts."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

Values = Mapping[str, Sequence[str]]


class Condition(NamedTuple):
    """One of some fields must hold one of some values."""

    fields: tuple[str, ...]
    values: tuple[str, ...]

    def holds(self, values: Values) -> bool:
        """Whether a message or a fact meets it. Numbers are compared as numbers: `0x01` is `1`."""
        wanted = {_plain(value) for value in self.values}
        return any(_plain(value) in wanted for field in self.fields for value in values.get(field, ()))


class Row(NamedTuple):
    """One line: a field to compare."""

    protocol: str
    tshark_field: str
    when: tuple[Condition, ...]
    about: str
    reading: str
    kind: str
    ours: str
    our_when: tuple[Condition, ...]
    our_reading: str

    @property
    def name(self) -> str:
        """What the field is called in reports: an attribute's name, or kind and path."""
        return self.ours if self.kind == "attribute" else f"{self.kind}.{self.ours}"

    @property
    def tshark_fields(self) -> list[str]:
        """The single fields that `tshark_field` is made of."""
        return self.tshark_field.replace("+", "/").split("/")


@cache
def table() -> tuple[Row, ...]:
    """All lines, in order."""
    return tuple(
        Row(
            **{
                **line,
                "when": _conditions(line["when"]),
                "our_when": _conditions(line["our_when"]),
            }  # type: ignore[arg-type]
        )
        for line in lines("fields.csv")
    )


def lines(name: str) -> list[dict[str, str]]:
    """The lines of a table of this package, by column."""
    text = (files("sensor.verification") / name).read_text("utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if line and not line.startswith("#")))


def _conditions(text: str) -> tuple[Condition, ...]:
    parts = (part.partition("=") for part in text.split("; ") if part)
    return tuple(Condition(tuple(fields.split("/")), tuple(values.split("/"))) for fields, _, values in parts)


def _plain(value: str) -> str:
    try:
        return str(int(value, 0))
    except ValueError:
        return value
