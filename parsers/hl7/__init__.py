"""HL7 v2 over MLLP, without frames, and in batches.

Read in this order: `framing` (frames, probe), `lane` (following a feed, what is left out), `messages` (segments, and
what they tell), `header` (MSH), `acknowledgment` (what became of a message), `equipment` (what is described), `grammar`
and `charset`; then `whole` and `layout` (how most messages are known without being read), `pattern`, `again` and
`progress` (how a feed passes), `opening` (first ones) and `exchange` (connections for one message).

No patient passes: the segments that are read, and the fields of them, are an allow-list; of all others the name is
told. Control ids are compared and not stated. What stands in MSH-8 leaves as a secret.

Spec: HL7 v2.1 to v2.9; IHE PCD TF-2.
"""

from __future__ import annotations

from typing import Final

from parsers.core import Protocol
from parsers.hl7.exchange import Exchange
from parsers.hl7.framing import LEAD, probe
from parsers.hl7.lane import dissect

PROTOCOL: Final = Protocol(
    name="hl7",
    spec="HL7 v2 ch. 2",
    over="tcp",
    probe=probe,
    dissect=dissect,
    lead=LEAD,
    port_hints=frozenset({2575, 3502, 4601, 6661, 6662}),
    finds_boundary=True,
    exchange=Exchange,
)
