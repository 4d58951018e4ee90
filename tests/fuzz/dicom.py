"""Fuzz target of the DICOM dissector: any bytes, in both lanes, never an exception and never more than they allow."""

from __future__ import annotations

from parsers.core import Registry, Session
from parsers.dicom import PROTOCOL
from parsers.dicom.dataset import READ_MAX_BYTES, DataSet
from parsers.dicom.elements import STORE, WORKLIST
from tests.fuzz import streams

_REGISTRY = Registry([PROTOCOL])
FACTS_MAX = 40


def fuzz_one(data: bytes) -> None:
    """See `streams.feed`; and data sets by themselves."""
    if not data:
        return
    facts = streams.feed(Session(_REGISTRY, "tcp", midstream=bool(data[0] & streams.MIDSTREAM)), data)
    assert len(facts) <= FACTS_MAX + len(data)
    _data_sets(data[1:])


def _data_sets(body: bytes) -> None:
    for plan in (STORE, WORKLIST):
        data_set = DataSet(plan.wanted)
        data_set.feed(body)
        data_set.end()
        assert sum(len(value) for values in data_set.found.values() for value in values) <= READ_MAX_BYTES


def corpus() -> list[bytes]:
    """What real associations say."""
    return streams.inputs_for("dicom/")
