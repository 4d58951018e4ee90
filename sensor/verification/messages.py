"""A message as tshark reads it, and the few fields that follow from it only together with earlier ones.

Derived fields are named `spanward.…`. What they need of earlier messages is kept by who spoke to whom.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple


class Message(NamedTuple):
    """One message of one protocol.

    Attributes:
        protocol: tshark's name of it: `tls`, `smb2`.
        speaker: `address port` of who sends it.
        hearer: `address port` of whom it is sent to.
        values: tshark's values by the name of their field, in their order.
    """

    protocol: str
    speaker: str
    hearer: str
    values: dict[str, list[str]]


Derivation = Callable[[Message, dict[str, list[str]]], dict[str, list[str]]]


def derived(messages: Iterable[Message]) -> Iterator[Message]:
    """The messages with their derived fields."""
    memories: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(dict)
    for message in messages:
        memory = memories[tuple(sorted((message.speaker, message.hearer)))]
        found = dict(message.values)
        for derivation in _DERIVATIONS.get(message.protocol, ()):
            found.update(derivation(message, memory))
        yield message._replace(values=found)


def _certificate_role(message: Message, memory: dict[str, list[str]]) -> dict[str, list[str]]:
    """Whoever has said ServerHello (2) shows a server's certificate; an empty Certificate message shows none."""
    field = f"{message.protocol}.handshake.type"
    said = memory.setdefault(f"{message.speaker} {field}", [])
    types = message.values.get(field, [])
    said += [type_ for type_ in types if type_ == "2" and not said]
    shown = message.values.get(f"{message.protocol}.handshake.certificate")
    return {"spanward.certificate_role": ["server" if said else "client"]} if shown else {}


_DERIVATIONS: Final[dict[str, tuple[Derivation, ...]]] = {
    "tls": (_certificate_role,),
    "dtls": (_certificate_role,),
}
# The fields that derivations look at.
DERIVED_FROM: Final = frozenset({"tls.handshake.type", "dtls.handshake.type"})
