"""Finds the rules by walking folders; a rule is one `.sql` file, and no list of rules exists anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from sensor.knowledge.problems import Problem
from sensor.rules.errors import RuleError
from sensor.rules.severity import Severity

if TYPE_CHECKING:
    from sensor.rules.header import Header

FOLDER: Final = Path(__file__).parent
OPENS: Final = "/*\n"
CLOSES: Final = "\n*/\n"
_ID: Final = re.compile(r"/\*\nid: ([A-Z][A-Z0-9]*-\d{3})\n")
_SEEN: Final = re.compile(r"\bseen_[a-z]+\b")


class Resolves(msgspec.Struct, frozen=True):
    """See `header.Resolves`."""

    seen: str
    after_days: float = 1.0


class Gist(msgspec.Struct, frozen=True):
    """Of a header that was checked before, what stands in every finding, and when findings end."""

    title: str
    severity: Severity
    confidence: str
    resolves: Resolves


class Rule(msgspec.Struct, frozen=True):
    """One rule: its id, as it stands in findings, and the whole text of its file."""

    id: str
    text: str
    path: Path

    @property
    def gist(self) -> Gist:
        """What findings need of the header."""
        return _gist(self.path, self.text)

    @property
    def header(self) -> Header:
        """What the file says of itself.

        Raises:
            RuleError: the header is broken; of rules that `find_rules` has read it is not.
        """
        return _header(self.path, self.text)

    @property
    def ships(self) -> bool:
        """Whether it is one of ours."""
        return FOLDER in self.path.parents

    def may_find(self, filled: set[str]) -> bool:
        """Whether it can find anything, going by which of the tables `seen_*` have rows.

        Ours find nothing where all that they read of these is empty, which is tested; a site's own might.
        """
        read = set(_SEEN.findall(self.sql))
        return not self.ships or not read or not read.isdisjoint(filled)

    @property
    def sql(self) -> str:
        """The SELECT, without the header."""
        return self.text.partition(CLOSES)[2].lstrip() or self.text

    @property
    def lines_before(self) -> int:
        """How many lines of the file stand before the SELECT."""
        return self.text[: len(self.text) - len(self.sql)].count("\n")

    @property
    def family(self) -> str:
        """The folder that it lies in."""
        return self.path.parent.name


def load_rules(*folders: Path) -> list[Rule]:
    """All rules that ship, and those of the site's own folders, by id.

    Headers of those that ship are read when they are wanted: `spanward check` and the tests have read them before.

    Raises:
        RuleError: any file is broken, or two have the same id.
    """
    shipped = [_shipped(path) for path in sorted(FOLDER.rglob("*.sql"))]
    if not folders:
        return sorted(shipped, key=lambda rule: rule.id)
    rules, problems = _gather([*shipped, *(path for folder in folders for path in sorted(folder.rglob("*.sql")))])
    if problems:
        raise RuleError(problems)
    return rules


def find_rules(folders: Sequence[Path]) -> tuple[list[Rule], list[Problem]]:
    """The rules in `folders` that can be read, by id, and everything that is wrong with the others."""
    return _gather([path for folder in folders for path in sorted(folder.rglob("*.sql"))])


def _gather(found: Sequence[Rule | Path]) -> tuple[list[Rule], list[Problem]]:
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for one in found:
        try:
            rule = parse_rule(one) if isinstance(one, Path) else one
        except RuleError as error:
            problems += error.problems
            continue
        if rule.id in rules:
            problems.append(Problem(rule.path, 1, f"{rule.id} is already the id of {rules[rule.id].path.name}"))
        else:
            rules[rule.id] = rule
    return [rules[key] for key in sorted(rules)], problems


def parse_rule(path: Path) -> Rule:
    """Read one rule, header and all. Raises RuleError."""
    text = _read(path)
    return Rule(_header(path, text).id, text, path)


def _shipped(path: Path) -> Rule:
    text = _read(path)
    found = _ID.match(text)
    return Rule(found.group(1), text, path) if found else parse_rule(path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError([Problem(path, 0, f"cannot be read: {error}")]) from error


@lru_cache(512)
def _gist(path: Path, text: str) -> Gist:
    from sensor.knowledge.yamlfile import load  # noqa: PLC0415 - most rules find nothing

    return msgspec.convert(load(_head(path, text)), Gist)


@lru_cache(512)
def _header(path: Path, text: str) -> Header:
    """One command may want a rule twice, to judge and to show; reading all headers takes 50 ms."""
    from sensor.rules.header import read_header  # noqa: PLC0415 - Pydantic takes longer than what a reading finds

    return read_header(path, _head(path, text))


def _head(path: Path, text: str) -> str:
    if not text.startswith(OPENS) or CLOSES not in text:
        raise RuleError([Problem(path, 1, "the file must begin with /* on a line, a YAML header, and */ on a line")])
    return text[len(OPENS) : text.index(CLOSES)]
