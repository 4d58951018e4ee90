"""DICOM: the upper layer, the commands, and what data sets say of the equipment that made them.

Read in this order: `pdu` (types, probe), `association` and `identity` (who speaks with whom, and how it was granted),
`upper_layer` (the lane: PDUs, fragments, what is left out), `command` (operations), `dataset` (walking by tag and
length), `elements` (the allow-list, and of whom it speaks), `charset`; then `alike` (what need not be read again) and
`series` (what passes).

No patient passes: values of elements are copied for the allow-list in `elements` only; of commands no instance UID and
no comment is read; answers to queries are not read at all.

Spec: PS3.5, PS3.7, PS3.8.
"""

from __future__ import annotations

from typing import Final

from parsers.core import Protocol
from parsers.dicom.pdu import LEAD, probe
from parsers.dicom.upper_layer import dissect

PROTOCOL: Final = Protocol(
    name="dicom",
    spec="PS3.8 9.3",
    over="tcp",
    probe=probe,
    dissect=dissect,
    lead=LEAD,
    port_hints=frozenset({104, 2761, 2762, 4242, 11112}),
)
