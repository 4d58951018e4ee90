"""Arguments of the command line as what they stand for.

Typer has Pydantic do this, whose import takes 60 ms: more than the rest of the command line, and no command that reads
or shows a store needs it otherwise. Here is done what is plain. Whatever is not, wrong values above all, is left to
Typer, with its messages.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args, get_origin

_CHECKS: Final = ("exists", "writable", "resolve_path", "allow_dash")


class _NotPlain(Exception):
    """This value is for Typer."""


class PlainFirst(NamedTuple):
    """Coerces a parameter's values, in the place of Typer's means."""

    theirs: Callable[[], Any]

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - as Typer has it
        """The value as what it stands for. Raises Typer's BadParameter."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        try:
            return _plain(value, param.type_descriptor.annotation, param)
        except _NotPlain:
            return self.theirs().coerce(value, param=param, ctx=ctx)


def plain_first(command: Any) -> None:  # noqa: ANN401 - a Typer command or group
    """Have a command, and all commands within, try the plain way first."""
    for param in command.params:
        _prepare(param)
    command.get_help_option = partial(_help_option, command.get_help_option)
    for inner in getattr(command, "commands", {}).values():
        plain_first(inner)


def _prepare(param: Any) -> None:  # noqa: ANN401
    param.get_runtime_param = partial(PlainFirst, param.get_runtime_param)


def _help_option(theirs: Callable[[Any], Any], context: Any) -> Any:  # noqa: ANN401
    """`--help`, which Typer adds to a command when it is called."""
    option = theirs(context)
    if option is not None and not isinstance(option.get_runtime_param, partial):
        _prepare(option)
    return option


def _plain(value: Any, kind: Any, param: Any) -> Any:  # noqa: ANN401
    if get_origin(kind) is list:
        return [_plain(item, get_args(kind)[0], param) for item in value]
    if not isinstance(kind, type):  # a choice of literals
        raise _NotPlain
    if isinstance(value, kind) and (kind is str or value == param.default):
        return value
    if kind is Path:
        return _path(Path(value), param.type_descriptor.parameter_info)
    if issubclass(kind, Enum) and value in {member.value for member in kind}:
        return kind(value)
    raise _NotPlain


def _path(path: Path, wanted: Any) -> Path:  # noqa: ANN401
    if any(getattr(wanted, check) for check in _CHECKS) or not (wanted.file_okay and wanted.dir_okay):
        raise _NotPlain
    if wanted.readable and path.exists() and not os.access(path, os.R_OK):
        raise _NotPlain
    return path
