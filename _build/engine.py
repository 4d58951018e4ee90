"""The modules that are compiled: translated by Cython, compiled by whatever `toolchain` chose.

A module is compiled where a `.pxd` lies beside its source: there, what is typed in C stands. Without it, or where
nothing can be compiled, the same source is interpreted. What all of them have in common, Cython's views of memory, is
one module more (`SHARED`).

Where the compiler can use a profile they are compiled twice: the first ones count, in a copy of the packages, what
happens while the captures of this repository are read (`exercise.py`); then the compiler knows what is frequent.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
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
        copy = scratch / "copy"
        shutil.rmtree(copy, ignore_errors=True)  # of another build, with what was counted then
        for floor in FLOORS:
            shutil.copytree(floor, copy / floor, ignore=shutil.ignore_patterns("*.so", "__pycache__"))

        def compile_all(sources: Iterable[Path], flags: list[str]) -> None:
            with ThreadPoolExecutor(os.cpu_count()) as pool:  # one is translated while others are compiled
                compiled = [
                    pool.submit(toolchain.compile_extension, command, source, self._place(ext, copy), scratch, flags)
                    for ext, source in zip(self.extensions, sources, strict=True)
                ]
                for one in compiled:
                    one.result()

        sources: Iterable[Path] = (_translate(ext, scratch) for ext in self.extensions)
        flags: list[str] = []
        if toolchain.profiles(command):
            compile_all(sources := list(sources), toolchain.COUNT_FLAGS)
            flags = toolchain.PROFILE_FLAGS if _exercise(copy) else []
        compile_all(sources, flags)
        for ext in self.extensions:
            target = Path(self.get_ext_fullpath(ext.name))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self._place(ext, copy), target)

    def _place(self, ext: Extension, folder: Path) -> Path:
        return folder / self.get_ext_filename(ext.name)


def _exercise(copy: Path) -> bool:
    """Whether the modules of the copy have counted; if not, it is said why."""
    path = os.pathsep.join([str(copy), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "SPANWARD_INTERPRETED": "0"}
    program = [sys.executable, str(Path(__file__).with_name("exercise.py")), "pcaps"]
    done = subprocess.run(program, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        why = (done.stderr.strip() or "no word").splitlines()[-1]
        print(f"\n*** spanward: compiled without a profile, some 4 % slower: {why}\n", file=sys.stderr)
    return done.returncode == 0


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
