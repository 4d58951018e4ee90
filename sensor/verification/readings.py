"""How one side's values are written the other side's way: known differences of presentation, and nothing else.

A reading is the name of a function here and perhaps an argument, or several of them one after the other: `text`,
`word tls_version`, `table tls_alerts 10; without close_notify`. It turns the values of one field in one message into
ours. A value that cannot be turned is kept as it stands and shows as a difference.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Final

from sensor.verification.table import lines

Function = Callable[[Sequence[str], str], list[str]]


def read(reading: str, values: Sequence[str]) -> list[str]:
    """`values` our way."""
    found = list(values)
    for step in reading.split("; "):
        name, _, argument = step.partition(" ")
        found = FUNCTIONS[name](found, argument)
    return found


def _text(values: Sequence[str], _: str) -> list[str]:
    return list(values)


def _some_text(values: Sequence[str], _: str) -> list[str]:
    return [value for value in values if value]


def _each(values: Sequence[str], separator: str) -> list[str]:
    return [part for value in values for part in value.split(separator or ",")]


def _stripped(values: Sequence[str], _: str) -> list[str]:
    return [value.strip() for value in values]


def _in_brackets(values: Sequence[str], _: str) -> list[str]:
    """`Verification SOP Class (1.2.840.10008.1.1)`: the name is tshark's own."""
    return [value.rsplit("(", 1)[-1].rstrip(")") for value in values]


def _number(values: Sequence[str], _: str) -> list[str]:
    return [str(number) if (number := as_number(value)) is not None else value for value in values]


def _joined(values: Sequence[str], separator: str) -> list[str]:
    return [separator.join(values)] if values else []


def _nth(values: Sequence[str], index: str) -> list[str]:
    """One of them: `0` the first, `-1` the last."""
    return [values[int(index)]] if values else []


def _netbios_name(values: Sequence[str], _: str) -> list[str]:
    """`WARD7<20> (Server service)`: sixteenth octet and its meaning are tshark's addition."""
    return [value.partition("<")[0].strip() for value in values]


def _flag(values: Sequence[str], _: str) -> list[str]:
    """Set flags only: where a flag is not set, our facts may leave it out. Newer versions of tshark write True."""
    return ["true" for value in values if value in {"1", "True", "true"}]


def _sha256(values: Sequence[str], _: str) -> list[str]:
    hashed = []
    for value in values:
        with suppress(ValueError):
            hashed.append(hashlib.sha256(bytes.fromhex(value.replace(":", ""))).hexdigest())
    return hashed


def _word(values: Sequence[str], group: str) -> list[str]:
    """The word for a number in `words.csv`; numbers that are not there are not compared."""
    known = words(group)
    return [word for value in values if (word := known.get(key(value)))]


def _word_or_rest(values: Sequence[str], group: str) -> list[str]:
    """As `word`, with one word for all other values: the one of `*`."""
    known = words(group)
    return [word for value in values if (word := known.get(key(value), known["*"]))]


def _word_or_same(values: Sequence[str], group: str) -> list[str]:
    """As `word`; what is not there stays as it is."""
    known = words(group)
    return [known.get(key(value), value) for value in values]


def _newest(values: Sequence[str], group: str) -> list[str]:
    """The word that stands furthest down in `words.csv`, for lists of versions."""
    order = list(words(group))
    known = [key(value) for value in values if key(value) in order]
    return [words(group)[max(known, key=order.index)]] if known else []


def _table(values: Sequence[str], argument: str) -> list[str]:
    """The name for a number in a table of the parsers: names are a convention, numbers are what is compared."""
    name, _, base = argument.partition(" ")
    known = names(name, int(base))
    return [known.get(key(value), value) for value in values]


def _constant(values: Sequence[str], word: str) -> list[str]:
    return [word for _ in values]


def _after_space(values: Sequence[str], _: str) -> list[str]:
    return [value.partition(" ")[2] for value in values]


def _share(values: Sequence[str], _: str) -> list[str]:
    r"""The last part of `\\server\share`."""
    return [value.rsplit("\\", 1)[-1] for value in values if value]


def _without(values: Sequence[str], unwanted: str) -> list[str]:
    return [value for value in values if value != unwanted]


FUNCTIONS: Final[dict[str, Function]] = {
    "after_space": _after_space,
    "constant": _constant,
    "each": _each,
    "flag": _flag,
    "in_brackets": _in_brackets,
    "joined": _joined,
    "netbios_name": _netbios_name,
    "newest": _newest,
    "nth": _nth,
    "number": _number,
    "sha256": _sha256,
    "share": _share,
    "some_text": _some_text,
    "stripped": _stripped,
    "table": _table,
    "text": _text,
    "without": _without,
    "word": _word,
    "word_or_rest": _word_or_rest,
    "word_or_same": _word_or_same,
}


def as_number(value: str) -> int | None:
    """A number in any notation of Python's."""
    try:
        return int(value, 0)
    except ValueError:
        return None


def key(value: str) -> str:
    """What stands for a value in code tables: numbers in decimal."""
    number = as_number(value)
    return value if number is None else str(number)


@cache
def words(group: str) -> dict[str, str]:
    """Our words by tshark's value, in the order of `words.csv`."""
    return {key(line["theirs"]): line["ours"] for line in lines("words.csv") if line["group"] == group}


@cache
def names(table: str, base: int) -> dict[str, str]:
    """Names by number: the first two columns of a table of the parsers, whose numbers are written in that base."""
    text = (files("parsers") / "tables" / f"{table}.csv").read_text("utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if line and not line.startswith("#")))
    return {str(int(row[0], base)): row[1] for row in rows[1:]}
