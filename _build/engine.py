"""The modules that are compiled: translated by Cython, compiled by whatever `toolchain` chose.

A module is compiled where a `.pxd` lies beside its source: there, what is typed in C stands. Without it, or where
nothing can be compiled, the same source is interpreted. What all of them have in common, Cython's views of memory, is
one module more (`SHARED`).
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import toolchain
from setuptools import Extension
from setuptools.command.build_ext import build_ext

FLOORS = ("parsers", "sensor")
SHARED = "parsers._cython"


def extensions() -> list[Extension]:
    """All that have a `.pxd`, or nothing where nothing can be compiled; the installation then runs them interpreted."""
    sources = [source.with_suffix(".py") for floor in FLOORS for source in sorted(Path(floor).rglob("*.pxd"))]
    if not sources:
        return []
    if (reason := toolchain.obstacle()) is not None:
        print(f"\n*** spanward: {reason}.\n", file=sys.stderr)
        return []
    typed = [Extension(".".join(source.with_suffix("").parts), [str(source)]) for source in sources]
    return [Extension(SHARED, []), *typed]


class BuildEngine(build_ext):
    """Compiles with the flags that speed was measured with, not those this Python was built with."""

    def build_extensions(self) -> None:
        """Translate and compile all modules, to the places where setuptools expects them."""
        scratch, command = Path(self.build_temp).resolve(), toolchain.choose()
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # one is translated while others are compiled
            compiled = [
                pool.submit(toolchain.compile_extension, command, _translate(ext, scratch), self._target(ext), scratch)
                for ext in self.extensions
            ]
            for one in compiled:
                one.result()

    def _target(self, ext: Extension) -> Path:
        target = Path(self.get_ext_fullpath(ext.name)).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


def _translate(ext: Extension, scratch: Path) -> Path:
    """Python to C. The directives stand on top of the source: they are part of its meaning."""
    # Cython is only needed, and only installed, where something is compiled.
    from Cython.Build import cythonize  # noqa: PLC0415
    from Cython.Compiler import Options  # noqa: PLC0415

    Options.docstrings = False
    [translated] = cythonize(
        [ext],
        build_dir=str(scratch),
        force=True,
        language_level=3,
        shared_utility_qualified_name=SHARED,
        show_all_warnings=False,
        compiler_directives={"show_performance_hints": False},
    )
    return Path(translated.sources[0])
