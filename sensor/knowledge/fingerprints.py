"""Fingerprints: what an observed value says about its device.

One YAML file per observable. Every entry carries its own tests: `examples` that it must win and `counterexamples` that
it must not match. All entries that match are ranked by (length of the literal pattern, certainty), so a product's own
arc beats its maker's root.

    observable: dicom.implementation_class_uid
    match: oid                      # exact | oid | regex | mac
    reference: where this is known from
    entries:
      - {pattern: 1.2.840.113619, vendor: GE HealthCare, certainty: 0.6,
         examples: [1.2.840.113619.6.9], counterexamples: [1.2.840.1136190]}
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensor.knowledge.problems import Problem
from sensor.knowledge.yamlfile import line_of, load, problems_of

FOLDER: Final = Path(__file__).parent / "fingerprints"
SAYS: Final = ("vendor", "model", "software", "toolkit", "device_type", "role", "os", "platform")
KNOWN_MAX: Final = 100_000
Text = Annotated[str, Field(min_length=1)]


class Hit(NamedTuple):
    """One statement of a fingerprint: the device's `name` (`vendor`, `model`, …) is `value`."""

    name: str
    value: str
    certainty: float
    reference: str


class Entry(BaseModel):
    """One fingerprint. In `model` and `software`, `{version}` stands for the pattern's group of that name."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    pattern: Text
    vendor: str | None = None
    model: str | None = None
    software: str | None = None
    toolkit: str | None = None
    device_type: str | None = None
    role: str | None = None
    os: str | None = None
    platform: str | None = None
    certainty: Annotated[float, Field(gt=0, le=1)]
    reference: str | None = None
    examples: Annotated[tuple[Text, ...], Field(min_length=1)]
    counterexamples: Annotated[tuple[Text, ...], Field(min_length=1)]


class Sheet(BaseModel):
    """One file of fingerprints."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    observable: Text
    match: Literal["exact", "oid", "regex", "mac"]
    reference: Text
    entries: tuple[Entry, ...]

    @cached_property
    def _compiled(self) -> dict[str, re.Pattern[str]]:
        return {entry.pattern: re.compile(entry.pattern, re.IGNORECASE) for entry in self.entries}

    def matches(self, entry: Entry, value: str) -> dict[str, str] | None:
        """The named groups when `entry` matches `value`, else None."""
        pattern = entry.pattern
        if self.match == "regex":
            found = self._compiled[pattern].search(value)
            return None if found is None else {k: v for k, v in found.groupdict().items() if v}
        hit = {
            "exact": value.casefold() == pattern.casefold(),
            "oid": value == pattern or value.startswith(pattern + "."),
            "mac": value.lower().startswith(pattern.lower()),
        }[self.match]
        return {} if hit else None

    def best(self, value: str) -> tuple[Entry, dict[str, str]] | None:
        """The most specific entry that matches, with its groups."""
        found = [(entry, groups) for entry in self.entries if (groups := self.matches(entry, value)) is not None]
        return max(found, key=lambda pair: (len(pair[0].pattern), pair[0].certainty, pair[0].pattern), default=None)


class Fingerprints:
    """All fingerprint files of a folder."""

    def __init__(self, sheets: list[Sheet]) -> None:
        self._sheets: dict[str, list[Sheet]] = {}
        self._known: dict[tuple[str, str], list[Hit]] = {}
        for sheet in sheets:
            self._sheets.setdefault(sheet.observable, []).append(sheet)

    @classmethod
    @cache
    def installed(cls) -> Fingerprints:
        """The fingerprints that Spanward ships. Raises pydantic's or yaml's error when a file is broken."""
        return cls([Sheet.model_validate(_load(path)) for path in sorted(FOLDER.glob("*.yaml"))])

    @property
    def observables(self) -> frozenset[str]:
        """The values that fingerprints exist for: attribute names, and `mac`."""
        return frozenset(self._sheets)

    def look_up(self, observable: str, value: str) -> list[Hit]:
        """What the most specific entry of each file says about `value`."""
        known = self._known.get((observable, value))
        if known is None:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            known = self._known[observable, value] = self._look_up(observable, value)
        return known

    def _look_up(self, observable: str, value: str) -> list[Hit]:
        hits = []
        for sheet in self._sheets.get(observable, ()):
            best = sheet.best(value)
            if best is not None:
                hits += _statements(best[0], best[1], sheet.reference)
        return hits

    def say(self, observable: str, value: str, name: str) -> str | None:
        """The one statement `name` about `value`, or None."""
        return next((hit.value for hit in self.look_up(observable, value) if hit.name == name), None)


def normal_vendor(text: str) -> str:
    """A manufacturer's name as we write it; unknown ones as they are, without padding."""
    return Fingerprints.installed().say("manufacturer", text, "vendor") or " ".join(text.split())


def check(folder: Path = FOLDER) -> list[Problem]:
    """Every mistake in a folder of fingerprints: unreadable, misspelt, and examples that do not come true."""
    return [problem for path in sorted(folder.glob("*.yaml")) for problem in _check(path)]


def _statements(entry: Entry, groups: dict[str, str], reference: str) -> list[Hit]:
    said = []
    for name in SAYS:
        template: str | None = getattr(entry, name)
        if template is None or ("{version}" in template and "version" not in groups):
            continue
        said.append(
            Hit(
                name,
                template.replace("{version}", groups.get("version", "")),
                entry.certainty,
                entry.reference or reference,
            )
        )
    return said


def _load(path: Path) -> object:
    return load(path.read_text(encoding="utf-8"))


def _check(path: Path) -> list[Problem]:
    text = path.read_text(encoding="utf-8")
    try:
        sheet = Sheet.model_validate(load(text))
        found = [(number, said) for number, entry in enumerate(sheet.entries) for said in _untrue(sheet, entry)]
    except (yaml.YAMLError, ValidationError) as error:
        return problems_of(path, text, error)
    except re.error as error:
        return [Problem(path, 0, f"{error.pattern!r} is not a regular expression: {error}")]
    return [Problem(path, line_of(text, ("entries", number)), said) for number, said in found]


def _untrue(sheet: Sheet, entry: Entry) -> list[str]:
    problems = []
    for example in entry.examples:
        best = sheet.best(example)
        if best is None or best[0] is not entry:
            winner = "nothing" if best is None else best[0].pattern
            problems.append(f"{entry.pattern}: example {example!r} is won by {winner}")
    problems += [
        f"{entry.pattern}: counterexample {example!r} matches"
        for example in entry.counterexamples
        if sheet.matches(entry, example) is not None
    ]
    if not any(getattr(entry, name) for name in SAYS):
        problems.append(f"{entry.pattern}: says nothing")
    return problems
