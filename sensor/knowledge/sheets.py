"""Sheets of fingerprints: their files, read and checked.

One YAML file per observable, named like it. Every entry carries its own tests: `examples` that it must win and
`counterexamples` that it must not match. All entries that match are ranked by (length of the literal pattern,
certainty), so a product's own arc beats its maker's root.

    observable: dicom.implementation_class_uid
    match: oid                      # exact | oid | regex | mac
    reference: where this is known from
    entries:
      - {pattern: 1.2.840.113619, vendor: GE HealthCare, certainty: 0.6,
         examples: [1.2.840.113619.6.9], counterexamples: [1.2.840.1136190]}
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from sensor.knowledge.fingerprints import FOLDER, SAYS, file_stem
from sensor.knowledge.problems import Problem
from sensor.knowledge.yamlfile import line_of, load_texts, problems_of

Text = Annotated[str, msgspec.Meta(min_length=1)]
Texts = Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fingerprint. In `model` and `software`, `{version}` stands for the pattern's group of that name."""

    pattern: Text
    vendor: str | None = None
    model: str | None = None
    software: str | None = None
    toolkit: str | None = None
    device_type: str | None = None
    role: str | None = None
    os: str | None = None
    platform: str | None = None
    certainty: Annotated[float, msgspec.Meta(gt=0, le=1)]
    reference: str | None = None
    examples: Texts
    counterexamples: Texts


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One file of fingerprints."""

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
        if self.match == "oid":
            hit = value == pattern or value.startswith(pattern + ".")
        elif self.match == "mac":
            hit = value.lower().startswith(pattern.lower())
        else:
            hit = value.casefold() == pattern.casefold()
        return {} if hit else None

    def best(self, value: str) -> tuple[Entry, dict[str, str]] | None:
        """The most specific entry that matches, with its groups."""
        found = [(entry, groups) for entry in self.entries if (groups := self.matches(entry, value)) is not None]
        return max(found, key=lambda pair: (len(pair[0].pattern), pair[0].certainty, pair[0].pattern), default=None)


def read_sheet(path: Path) -> Sheet:
    """The sheet in a file. Raises msgspec's or yaml's error when it is broken."""
    return _sheet(path.read_text(encoding="utf-8"))


def _sheet(text: str) -> Sheet:
    return msgspec.convert(load_texts(text), Sheet, strict=False)


def check(folder: Path = FOLDER) -> list[Problem]:
    """Every mistake in a folder of fingerprints: unreadable, misspelt, and examples that do not come true."""
    return [problem for path in sorted(folder.glob("*.yaml")) for problem in _check(path)]


def _check(path: Path) -> list[Problem]:
    text = path.read_text(encoding="utf-8")
    try:
        sheet = _sheet(text)
        stem = file_stem(sheet.observable)
        if path.stem != stem:
            return [Problem(path, line_of(text, ("observable",)), f"the file's name is not {stem}.yaml")]
        found = [(number, said) for number, entry in enumerate(sheet.entries) for said in _untrue(sheet, entry)]
    except (yaml.YAMLError, msgspec.ValidationError) as error:
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
