"""Build backend (PEP 517, PEP 660): setuptools, and a C compiler from PyPI where the system has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import toolchain
from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    ConfigSettings = Mapping[str, str | list[str]]

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def get_requires_for_build_wheel(config_settings: ConfigSettings | None = None) -> list[str]:
    """What a wheel needs beyond pyproject.toml: ziglang, when no system compiler works."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *toolchain.requirements()]


def get_requires_for_build_editable(config_settings: ConfigSettings | None = None) -> list[str]:
    """What an editable install needs beyond pyproject.toml: ziglang, when no system compiler works."""
    return [*build_meta.get_requires_for_build_editable(config_settings), *toolchain.requirements()]
