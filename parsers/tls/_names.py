"""Names of the numbers in TLS, from the tables beside the parsers. A number without a name stays a number."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

_TABLES: Final = Path(__file__).parent.parent / "tables"

SSL2: Final = 0x0002
SSL3: Final = 0x0300
TLS12: Final = 0x0303
TLS13: Final = 0x0304
DTLS13: Final = 0xFEFC

GREASE: Final = frozenset(byte << 8 | byte for byte in range(0x0A, 0x100, 0x10))  # RFC 8701

_VERSIONS: Final = {
    SSL2: "SSL 2.0",
    SSL3: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    TLS12: "TLS 1.2",
    TLS13: "TLS 1.3",
    0x0100: "DTLS 1.0",  # as OpenSSL wrote it before 0.9.8f, before the standard was out
    0xFEFF: "DTLS 1.0",
    0xFEFD: "DTLS 1.2",
    DTLS13: "DTLS 1.3",
}


class Group(msgspec.Struct, frozen=True):
    """A group for key exchange.

    Attributes:
        kind: `EC`, `FF` (finite field), `KEM` (post-quantum), `hybrid`, or `` where unknown.
        bits: size of the curve's field or of the prime.
    """

    name: str
    kind: str = ""
    bits: int | None = None


def version(number: int) -> str | None:
    """The name of a protocol version; None for a number that is none."""
    named = _VERSIONS.get(number)
    if named is None and number >> 8 == 0x7F:  # drafts of TLS 1.3 (RFC 8446 4.2.1, before publication)
        return "TLS 1.3"
    return named


def newest(numbers: tuple[int, ...]) -> int | None:
    """The highest of the version numbers that have a name. DTLS counts downwards."""
    known = [number for number in numbers if version(number) is not None]
    return max(known, key=_age, default=None)


def _age(number: int) -> int:
    if number >> 8 == 0x7F:
        return TLS13
    return 0x10000 - number if number >> 8 == 0xFE else number


def cipher_suite(number: int) -> str:
    """The IANA name of a cipher suite; of SSL 2.0 (three bytes) the name in its specification."""
    return _cipher_suites().get(number) or f"0x{number:04x}"


def group(number: int) -> Group:
    """The key exchange group of that number."""
    return _groups().get(number) or Group(f"0x{number:04x}")


def alert(number: int) -> str:
    """The name of an alert description."""
    return _alerts().get(number) or f"alert_{number}"


@lru_cache(256)
def key_exchange(suite: str) -> str | None:
    """The key exchange in a suite's name: `RSA`, `DHE`, `ECDHE_PSK`...; None in TLS 1.3, whose suites name none."""
    left, found, _ = suite.partition("_WITH_")
    if not found:
        return None
    if left.startswith("SSL_"):
        return "RSA"
    words = [word for word in left.split("_")[1:] if not word.startswith(("EXPORT", "DSS", "ECDSA"))]
    if words[0] in {"DH", "DHE", "ECDH", "ECDHE"} and words[-1] == "RSA":
        words.pop()
    joined = "_".join(words)
    return "DHE_PSK" if joined == "PSK_DHE" else joined


def is_encrypting(suite: str) -> bool:
    """Whether a suite hides what it carries: NULL suites and the integrity-only ones of RFC 9150 do not."""
    return "_NULL_" not in suite and suite not in {"TLS_SHA256_SHA256", "TLS_SHA384_SHA384"}


# ---------------------------------------------------------------------- tables


@cache
def _cipher_suites() -> dict[int, str]:
    return _table("tls_cipher_suites.csv", lambda row: (int(row[0], 16), row[1]))


@cache
def _groups() -> dict[int, Group]:
    return _table("tls_groups.csv", _group_row)


def _group_row(row: list[str]) -> tuple[int, Group]:
    number, name, kind, bits = row
    return int(number, 16), Group(name, kind, int(bits) if bits else None)


@cache
def _alerts() -> dict[int, str]:
    return _table("tls_alerts.csv", lambda row: (int(row[0]), row[1]))


def _table(name: str, entry: Callable[[list[str]], tuple[int, T]]) -> dict[int, T]:
    text = (_TABLES / name).read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(entry(row) for row in csv.reader(lines[1:]))
