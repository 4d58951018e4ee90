"""Fuzz target of the DICOM dissector: any bytes, in both lanes, never an exception and never more than they allow."""

from __future__ import annotations

from itertools import groupby

from parsers.core import Registry, Session
from parsers.dicom import PROTOCOL
from parsers.dicom.dataset import READ_MAX_BYTES, DataSet
from parsers.dicom.elements import STORE, WORKLIST
from tests.fuzz import streams

_REGISTRY = Registry([PROTOCOL])
FACTS_MAX = 40
MIDSTREAM, LOSS, ONE_LANE, LANE = 1, 2, 4, 8


def fuzz_one(data: bytes) -> None:
    """The first byte says how: from the middle, with losses, one lane or by turns, and in which pieces."""
    if not data:
        return
    how, body = data[0], data[1:]
    session = Session(_REGISTRY, "tcp", midstream=bool(how & MIDSTREAM))
    facts = []
    for number, said in enumerate(body.split(streams.MARK)):
        lane = bool(how & LANE) if how & ONE_LANE else number & 1
        if how & LOSS and number % 5 == 4:
            facts += session.gap(lane)
        step = max(1, (how >> 4) * 97 or len(said))
        for at in range(0, len(said), step):
            facts += session.feed(lane, said[at : at + step], 1 + number // 2)
    facts += session.end()
    assert len(facts) <= FACTS_MAX + len(body)
    _data_sets(body)


def _data_sets(body: bytes) -> None:
    for plan in (STORE, WORKLIST):
        data_set = DataSet(plan.wanted)
        data_set.feed(body)
        data_set.end()
        assert sum(len(value) for values in data_set.found.values() for value in values) <= READ_MAX_BYTES


def corpus() -> list[bytes]:
    """What real associations say, by turns and as one lane."""
    seeds = []
    for number, talk in enumerate(streams.talks("dicom/")):
        turns = [(lane, b"".join(data for _, data in said)) for lane, said in groupby(talk, lambda part: part[0])]
        choice = number * 16 & 0xF0
        seeds.append(bytes([choice]) + streams.MARK.join(data for _, data in turns))
        seeds.append(bytes([choice | LOSS]) + streams.MARK.join(data for _, data in turns))
        for lane in (0, 1):
            alone = b"".join(data for side, data in turns if side == lane)
            seeds.append(bytes([choice | MIDSTREAM | ONE_LANE | LANE * lane]) + alone)
    return sorted(set(seeds))
