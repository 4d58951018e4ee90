"""YAML with line numbers, so that a mistake is reported where it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import yaml

from sensor.knowledge.problems import Problem

if TYPE_CHECKING:
    from pydantic import ValidationError

LOADER: Final[type[yaml.SafeLoader | yaml.CSafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TEXT_LOADER: Final[type[yaml.BaseLoader | yaml.CBaseLoader]] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")


def load(text: str) -> object:
    """Plain values of a YAML text, by libyaml where it is there (ten times as fast). Raises yaml.YAMLError."""
    return yaml.load(text, Loader=LOADER)  # noqa: S506 - both loaders are the safe ones


def load_texts(text: str) -> object:
    """The same with all scalars as they are written: no number loses its last zero. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=TEXT_LOADER)  # noqa: S506 - both loaders make nothing but texts


def problems_of(
    path: Path, text: str, error: yaml.YAMLError | ValidationError | msgspec.ValidationError, offset: int = 0
) -> list[Problem]:
    """What is wrong with YAML `text`, which begins `offset` lines into `path`."""
    if isinstance(error, yaml.YAMLError):
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 + offset if mark else 0
        return [Problem(path, line, f"not valid YAML: {getattr(error, 'problem', None) or error}")]
    if isinstance(error, msgspec.ValidationError):
        what, _, at = str(error).rstrip("`").partition(" - at `$")
        steps = [name or int(number) for name, number in _STEP.findall(at)]
        where = ".".join(map(str, steps)) or "file"
        return [Problem(path, line_of(text, steps) + offset, f"{where}: {what}")]
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
