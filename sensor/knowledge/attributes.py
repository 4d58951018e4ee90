"""What attributes mean to inference (`tables/attributes.csv`): protocols come and go in a table, not in code."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from sensor.knowledge import tables
from sensor.knowledge.problems import Problem

TABLE: Final = tables.FOLDER / "attributes.csv"
HEADER: Final = ["attribute", "subject", "part", "claim", "certainty"]
SUBJECTS: Final = frozenset({"thing", "side", "initiator", "responder"})
PARTS: Final = frozenset(
    {
        "", "maker", "model", "serial", "eui64", "mac", "station-title", "station-name", "instance-name", "host-name",
        "via", "grabber", "relayed",
    }
)  # fmt: skip


class Meaning(NamedTuple):
    """One row of the table; `part` and `claim` are empty where there is none, `certainty` is None."""

    attribute: str
    subject: str
    part: str
    claim: str
    certainty: float | None


@cache
def meanings(path: Path = TABLE) -> tuple[Meaning, ...]:
    """All rows. Raises ValueError when one is broken."""
    return tables.read(path, _meaning)


def meaning(attribute: str, *, described: bool, side: str) -> Meaning | None:
    """What `attribute` means when it was told of a described thing, or by `side` of itself."""
    about = ("thing",) if described else ("side", side)
    return next((found for subject in about if (found := _index().get((attribute, subject)))), None)


def part_of(attribute: str) -> str:
    """What an attribute of a described thing is to the resolver; an empty text for nothing."""
    found = _index().get((attribute, "thing"))
    return found.part if found else ""


def attributes_that(part: str) -> list[str]:
    """The names of attributes with this part, sorted."""
    return sorted({row.attribute for row in meanings() if row.part == part})


def check(path: Path = TABLE) -> list[Problem]:
    """Every mistake in the table."""
    return tables.check(path, HEADER, _meaning, lambda row: (row.attribute, row.subject))


@cache
def _index() -> dict[tuple[str, str], Meaning]:
    return {(row.attribute, row.subject): row for row in meanings()}


def _meaning(row: list[str]) -> Meaning:
    attribute, subject, part, claim, certainty = tables.columns(row, HEADER)
    if "." not in attribute:
        raise ValueError(f"{attribute!r} is no attribute's name")
    if subject not in SUBJECTS:
        raise ValueError(f"{subject!r} is no subject")
    if part not in PARTS:
        raise ValueError(f"{part!r} is no part")
    if claim and not certainty:
        raise ValueError(f"the claim {claim!r} has no certainty")
    return Meaning(attribute, subject, part, claim, float(certainty) if certainty else None)
