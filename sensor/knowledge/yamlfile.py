"""YAML with line numbers, so that a mistake is reported where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from sensor.knowledge.problems import Problem

LOADER: Final[type[yaml.SafeLoader | yaml.CSafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> object:
    """Plain values of a YAML text, by libyaml where it is there (ten times as fast). Raises yaml.YAMLError."""
    return yaml.load(text, Loader=LOADER)  # noqa: S506 - both loaders are the safe ones


def problems_of(path: Path, text: str, error: yaml.YAMLError | ValidationError, offset: int = 0) -> list[Problem]:
    """What is wrong with YAML `text`, which begins `offset` lines into `path`."""
    if isinstance(error, yaml.YAMLError):
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 + offset if mark else 0
        return [Problem(path, line, f"not valid YAML: {getattr(error, 'problem', None) or error}")]
    found = [(line_of(text, item["loc"]) + offset, item) for item in error.errors()]
    return [
        Problem(path, line, f"{'.'.join(map(str, item['loc'])) or 'header'}: {item['msg']}") for line, item in found
    ]


def line_of(text: str, where: Sequence[int | str]) -> int:
    """The line, from 1, of a value in YAML, or of the nearest thing around it that exists."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is None:
        return 1
    line = node.start_mark.line
    for step in where:
        child = _child(node, step)
        if child is None:
            break
        line, node = child
    return int(line) + 1


def _child(node: yaml.Node, step: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line, value) for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    return None
