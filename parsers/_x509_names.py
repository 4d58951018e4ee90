"""Names in certificates: distinguished names as RFC 4514 writes them, and the kinds of subjectAltName.

Spec: RFC 5280 4.1.2.4 and 4.2.1.6, RFC 4514
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from parsers import _asn1
from parsers import _x509_oids as oids
from parsers._asn1 import Element
from parsers.core.fact import clean

CACHED_MAX_BYTES: Final = 8_192
NAME_MAX_CHARS: Final = 1_024

_IP_NAME: Final = 0x87
_IP_BYTES: Final = frozenset({4, 16})
_ESCAPED: Final = re.compile(r'([,+"\\<>;])')


class Name(NamedTuple):
    """A distinguished name: its attributes (type, value) in order; and as RFC 4514 writes it, the last part first."""

    attributes: tuple[tuple[str, str], ...]
    written: str


def name(element: Element) -> Name:
    """The distinguished name that an element holds.

    Raises:
        Malformed: it holds none.
    """
    content = element.content
    return _cached_name(content) if len(content) <= CACHED_MAX_BYTES else _read_name(content)


@lru_cache(512)
def _cached_name(content: bytes) -> Name:
    return _read_name(content)


def _read_name(content: bytes) -> Name:
    parts = [list(map(_attribute, _asn1.children(part.content))) for part in _asn1.children(content)]
    written = ["+".join(map(_written, part)) for part in reversed(parts)]
    return Name(tuple(chain.from_iterable(parts)), clean(",".join(written), NAME_MAX_CHARS))


def _attribute(element: Element) -> tuple[str, str]:
    kind, value = _asn1.pair(element)
    return _asn1.oid(kind.content), _asn1.text(value)


def _written(attribute: tuple[str, str]) -> str:
    kind, value = attribute
    return f"{oids.NAME_TYPES.get(kind, kind)}={_escaped(value)}"


def _escaped(value: str) -> str:
    escaped = _ESCAPED.sub(r"\\\1", value).replace("\0", "\\00")
    if escaped[:1] in {"#", " "}:
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if escaped[-1:] == " " and len(value) > 1 else escaped


def is_sound(name: Element) -> bool:
    """Whether a general name has a length that it can have."""
    return len(name.content) in _IP_BYTES if name.tag == _IP_NAME else bool(name.content)


def general_name(name: Element) -> tuple[str, str]:
    """Kind and value (RFC 5280 4.2.1.6). Kinds that can name a person are told apart, so that they can be left out."""
    read = _GENERAL_NAMES.get(name.tag)
    return read(name) if read is not None else (f"tag {name.tag:02x}", name.content[:64].hex())


def _plain_name(kind: str) -> Callable[[Element], tuple[str, str]]:
    return lambda name: (kind, clean(name.content.decode("utf-8", "replace")))


def _ip_name(name: Element) -> tuple[str, str]:
    is_address = len(name.content) in _IP_BYTES
    return "IP", str(ipaddress.ip_address(name.content)) if is_address else name.content[:32].hex()


def _other_name(name: Element) -> tuple[str, str]:
    kind, *value = _asn1.some(name.content)
    dotted = _asn1.oid(kind.content)
    if dotted == oids.MAILBOX:
        return "email", ""
    if dotted != oids.USER_PRINCIPAL_NAME or not value:
        return "other", dotted
    principal = _asn1.text(_asn1.element(value[0].content)[0])
    return ("other", dotted) if principal.partition("@")[0].endswith("$") else ("UPN", principal)


_GENERAL_NAMES: Final[dict[int, Callable[[Element], tuple[str, str]]]] = {
    0xA0: _other_name,
    0x81: _plain_name("email"),
    0x82: _plain_name("DNS"),
    0xA4: lambda held: ("directory", name(_asn1.element(held.content)[0]).written),
    0x86: _plain_name("URI"),
    _IP_NAME: _ip_name,
    0x88: lambda held: ("RID", _asn1.oid(held.content)),
}
