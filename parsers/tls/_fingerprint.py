"""Fingerprints of hellos: JA3, JA3S and JA4 (of the client; the others of its family are not free to use).

Spec: JA3 and JA3S as published by Salesforce (BSD-3-Clause); JA4 as published by FoxIO (BSD-3-Clause).
"""

from __future__ import annotations

import hashlib
from functools import _lru_cache_wrapper, lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from parsers.tls._names import GREASE, newest

if TYPE_CHECKING:
    from parsers.tls._hello import ClientHello, ServerHello

T = TypeVar("T")

CACHED_MAX: Final = 256

_JA4_VERSIONS: Final = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}
_SERVER_NAME: Final = 0
_ALPN: Final = 16
_NOTHING: Final = "000000000000"


def ja3(hello: ClientHello) -> str:
    """MD5 of version, suites, extensions, groups and point formats, in their order, without GREASE."""
    text = (
        f"{hello.version},{_bounded(_dashed, hello.suites)},{_bounded(_dashed, hello.extensions)},"
        f"{_bounded(_dashed, hello.groups)},{_bounded(_dashed, tuple(hello.point_formats))}"
    )
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def ja3s(hello: ServerHello) -> str:
    """MD5 of version, suite and extensions, in their order."""
    text = f"{hello.legacy_version},{hello.suite},{'-'.join(map(str, hello.extensions))}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def ja4(hello: ClientHello, transport: str) -> str:
    """JA4; `transport` is `t` over TCP, `d` in DTLS."""
    suites, suites_hash = _bounded(_ja4_suites, hello.suites)
    extensions, extensions_hash = _bounded(_ja4_extensions, hello.extensions, hello.signature_algorithms)
    offered = newest(tuple(v for v in hello.versions if v not in GREASE)) if hello.versions else hello.version
    version = _JA4_VERSIONS.get(offered or 0, "00")
    name = "d" if _SERVER_NAME in hello.extensions else "i"
    return f"{transport}{version}{name}{suites}{extensions}{_ja4_alpn(hello.alpn)}_{suites_hash}_{extensions_hash}"


# The lists below are the same in all hellos of one program: the caches spare most of the work.


def _bounded(function: _lru_cache_wrapper[T], *lists: tuple[int, ...]) -> T:
    """Call `function`, past its cache where a list is longer than any program's: memory is not the sender's to fill."""
    if all(len(numbers) <= CACHED_MAX for numbers in lists):
        return function(*lists)
    return function.__wrapped__(*lists)


@lru_cache(1024)
def _dashed(values: tuple[int, ...]) -> str:
    return "-".join([str(value) for value in values if value not in GREASE])


@lru_cache(1024)
def _ja4_suites(suites: tuple[int, ...]) -> tuple[str, str]:
    kept = sorted(f"{suite:04x}" for suite in suites if suite not in GREASE)
    return _count(len(kept)), _hash12(",".join(kept))


@lru_cache(1024)
def _ja4_extensions(extensions: tuple[int, ...], algorithms: tuple[int, ...]) -> tuple[str, str]:
    kept = [extension for extension in extensions if extension not in GREASE]
    text = ",".join(sorted(f"{kind:04x}" for kind in kept if kind not in {_SERVER_NAME, _ALPN}))
    signed = ",".join(f"{algorithm:04x}" for algorithm in algorithms if algorithm not in GREASE)
    return _count(len(kept)), _hash12(f"{text}_{signed}" if signed else text)


def _count(n: int) -> str:
    return f"{min(n, 99):02}"


def _hash12(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else _NOTHING


def _ja4_alpn(offered: tuple[bytes, ...]) -> str:
    """First and last character of the first protocol; of its hexadecimal form if one is no letter or digit."""
    first = offered[0] if offered else b""
    if not first:
        return "00"
    ends = first[:1] + first[-1:]
    if ends.isalnum():
        return ends.decode("ascii")
    text = first.hex()
    return text[0] + text[-1]
