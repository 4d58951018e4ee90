"""Finds the rules by walking folders; a rule is one `.sql` file, and no list of rules exists anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from sensor.knowledge.problems import Problem
from sensor.knowledge.yamlfile import load, problems_of
from sensor.rules.header import Header

FOLDER: Final = Path(__file__).parent
OPENS: Final = "/*\n"
CLOSES: Final = "\n*/\n"


class RuleError(Exception):
    """A rule file cannot be used; `problems` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Rule:
    """One rule: its header, and the whole text of its file."""

    header: Header
    text: str
    path: Path

    @property
    def id(self) -> str:
        """The rule's id, as it stands in findings."""
        return self.header.id

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

    Raises:
        RuleError: any file is broken, or two have the same id.
    """
    rules, problems = find_rules((FOLDER, *folders))
    if problems:
        raise RuleError(problems)
    return rules


def find_rules(folders: Sequence[Path]) -> tuple[list[Rule], list[Problem]]:
    """The rules in `folders` that can be read, by id, and everything that is wrong with the others."""
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for path in (path for folder in folders for path in sorted(folder.rglob("*.sql"))):
        try:
            rule = parse_rule(path)
        except RuleError as error:
            problems += error.problems
            continue
        if rule.id in rules:
            problems.append(Problem(path, 1, f"{rule.id} is already the id of {rules[rule.id].path.name}"))
        else:
            rules[rule.id] = rule
    return [rules[key] for key in sorted(rules)], problems


@lru_cache(512)
def _header(text: str) -> Header:
    """One command may want the rules twice, to judge and to show; reading their headers takes 50 ms."""
    return Header.model_validate(load(text))


def parse_rule(path: Path) -> Rule:
    """Read one rule. Raises RuleError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError([Problem(path, 0, f"cannot be read: {error}")]) from error
    if not text.startswith(OPENS) or CLOSES not in text:
        raise RuleError([Problem(path, 1, "the file must begin with /* on a line, a YAML header, and */ on a line")])
    head = text[len(OPENS) : text.index(CLOSES)]
    try:
        return Rule(_header(head), text, path)
    except (yaml.YAMLError, ValidationError) as error:
        raise RuleError(problems_of(path, head, error, offset=1)) from error
