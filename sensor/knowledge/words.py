"""Word lists: one word a line, `#` begins a comment; the one on top says what the list is and where it comes from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from sensor.knowledge.problems import Problem

FOLDER: Final = Path(__file__).parent / "vocabulary"


@cache
def vocabulary(name: str) -> frozenset[str]:
    """The words of `vocabulary/<name>.txt`, in lower case.

    Raises:
        FileNotFoundError: there is no such list.
    """
    return frozenset(word for _, word in _words(FOLDER / f"{name}.txt"))


def rows() -> list[tuple[str, str]]:
    """All lists as (list, word), sorted: what rules see as table `vocabulary`."""
    return sorted((path.stem, word) for path in FOLDER.glob("*.txt") for _, word in _words(path))


def check() -> list[Problem]:
    """Every mistake in the word lists: no origin on top, a word twice, an empty list."""
    return [problem for path in sorted(FOLDER.glob("*.txt")) for problem in _check(path)]


def _words(path: Path) -> list[tuple[int, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    stripped = ((number, line.split("#", 1)[0].strip().lower()) for number, line in enumerate(lines, start=1))
    return [(number, word) for number, word in stripped if word]


def _check(path: Path) -> list[Problem]:
    problems, seen = [], set()
    words = _words(path)
    if not path.read_text(encoding="utf-8").startswith("# "):
        problems.append(Problem(path, 1, "the list does not begin with a comment that says what it is"))
    if not words:
        problems.append(Problem(path, 0, "the list is empty"))
    for number, word in words:
        if word in seen:
            problems.append(Problem(path, number, f"{word!r} stands in the list twice"))
        seen.add(word)
    return problems
