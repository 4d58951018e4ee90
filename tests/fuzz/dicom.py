"""Fuzz target of the DICOM dissector: any bytes, in both lanes, never an exception and never more than they allow."""

from __future__ import annotations

from parsers.core import Registry, Session
from parsers.dicom import PROTOCOL
from parsers.dicom.dataset import DataSet
from parsers.dicom.elements import STORE, WORKLIST

_REGISTRY = Registry([PROTOCOL])
FACTS_MAX = 40


def fuzz_one(data: bytes) -> None:
    """The first byte says how: midstream or not, in which pieces, one lane first or by turns."""
    if not data:
        return
    how, body = data[0], data[1:]
    session = Session(_REGISTRY, "tcp", midstream=bool(how & 1))
    step = 1 + (how >> 1 & 7) * 37 if how & 16 else max(1, len(body))
    facts = []
    for number, at in enumerate(range(0, len(body), step)):
        lane = number & 1 if how & 32 else how >> 6 & 1
        facts += session.feed(lane, body[at : at + step], 1 + number // 4)
    facts += session.end()
    assert len(facts) <= FACTS_MAX + len(body)
    for plan in (STORE, WORKLIST):
        data_set = DataSet(plan.wanted)
        data_set.feed(body)
        data_set.end()
        assert sum(len(value) for values in data_set.found.values() for value in values) <= 16_384 * 24
