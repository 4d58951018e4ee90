"""Why a rule cannot be used."""

from __future__ import annotations

from sensor.knowledge.problems import Problem


class RuleError(Exception):
    """A rule file cannot be used; `problems` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems
