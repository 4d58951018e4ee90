"""What is like the last object or answer passes, and tells what it would tell if it were read."""

from __future__ import annotations

import random

import pytest

from parsers.core import Conversation, Leave, Reader, Registry, Session
from parsers.dicom import upper_layer
from parsers.dicom.series import LOST_MAX, Series
from tests.parsers import _dicom as dicom
from tests.parsers.test_dicom_alike import BEGIN

REGISTRY = Registry.installed()
SEGMENT_BYTES = 1_460

Turn = tuple[int, bytes]


class Learner(Series):
    """Learns, and lets nothing pass."""

    def passes(self, r: Reader) -> bool:
        return not r.held


class Watched(Series):
    """Counts how often something passed."""

    passed = 0

    def passes(self, r: Reader) -> bool:
        begin = r.offset
        sleeps = super().passes(r)
        Watched.passed += r.offset > begin
        return sleeps


def told(turns: list[Turn], kind: type[Series]) -> list[str]:
    """What is told, in order, and asked of whoever feeds it, who leaves out what need not be fed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upper_layer, "Series", kind)
        session, numbers, out = Session(REGISTRY, "tcp", (104, 50_000)), [0, 0], list[str]()
        for lane, data in turns:
            numbers[lane] += 1
            _say(session, lane, data, numbers[lane], out)
        return out + [repr(fact) for fact in session.end()]


def _say(session: Session, lane: int, data: bytes, turn: int, out: list[str]) -> None:
    at = 0
    while at < len(data):
        out += map(repr, session.feed(lane, data[at : at + SEGMENT_BYTES], turn))
        at += SEGMENT_BYTES
        while not session.closed(lane) and (demand := session.demand(lane)).leave is not Leave.NOTHING:
            at = len(data) if demand.leave is Leave.TURN else at + demand.count
            out += [repr(demand), *map(repr, session.hand_over(lane))]
            if at >= len(data):
                break


def store(number: int, **more: object) -> bytes:
    data_set = dicom.with_pixels(dicom.equipment(SOPInstanceUID=f"1.2.3.{number}", **more), 9_000)
    return dicom.store(dicom.encoded(data_set), max_pdu=4_096)


def objects(*data: bytes, answers: int = 0) -> list[Turn]:
    return [*BEGIN, *(turn for one in data for turn in ((0, one), (1, dicom.stored(status=answers))))]


def test_a_series_passes_and_tells_the_same() -> None:
    Watched.passed = 0
    turns = objects(*(store(number) for number in range(10, 30)))
    assert told(turns, Watched) == told(turns, Learner)
    assert Watched.passed > 30


def paused(data: bytes, turns: int) -> list[Turn]:
    """An object whose sender pauses: each part is a turn of its own."""
    size = len(data) // turns + 1
    return [(0, data[at : at + size]) for at in range(0, len(data), size)]


@pytest.mark.parametrize("turns", [2, 3, 40, LOST_MAX, LOST_MAX + 1, LOST_MAX + 2, 100])
def test_turns_that_begin_within_an_object_are_given_up(turns: int) -> None:
    """As many in a row as the lane gives up itself, and not one more."""
    sent = objects(store(11), store(12))
    for number in range(13, 17):
        sent += [*paused(store(number), turns), (1, dicom.stored())]
    assert told(sent, Watched) == told(sent, Learner)


def test_turns_within_an_object_do_not_wake_the_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = objects(store(11), store(12))
    for number in range(13, 17):
        sent += [*paused(store(number), 3), (1, dicom.stored())]
    monkeypatch.setattr(upper_layer._Lane, "_boundary", lambda _: pytest.fail("woken"))
    assert sum("'dicom.via'" in fact for fact in told(sent, Watched)) == 6


@pytest.mark.parametrize("name", ["Modality", "DeviceSerialNumber", "StationName", "PatientName"])
def test_another_object_is_read(name: str) -> None:
    sent = [store(11), store(12), store(13), store(14, **{name: "ZZ"}), store(15, **{name: "ZZ"}), store(16)]
    turns = objects(*sent * 2)
    assert told(turns, Watched) == told(turns, Learner)


def test_other_answers_are_read() -> None:
    turns = objects(store(11), store(12), store(13)) + objects(store(14), answers=0xA700)[2:] + objects(store(15))[2:]
    out = told(turns, Watched)
    assert out == told(turns, Learner)
    assert sum("C-STORE A700" in fact for fact in out) == 1


@pytest.mark.parametrize("seed", range(150))
def test_bent_and_lost_ones_are_told_as_ever(seed: int) -> None:
    chance = random.Random(seed)
    turns = objects(*(store(number) for number in range(11, 19)))
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(4, len(turns))
        lane, data = turns[at]
        place = chance.randrange(min(len(data), 400))
        bent = bytes((data[place] ^ 1 << chance.randrange(8),))
        turns[at] = (
            lane,
            chance.choice(
                [data[:place] + bent + data[place + 1 :], data[place:], data[:place], data + data, data[:place] + data]
            ),
        )
    turns = [turn for turn in turns if turn[1]]
    assert told(turns, Watched) == told(turns, Learner)


def test_nothing_counts_but_what_decides() -> None:
    series, r = Series(Conversation()), Reader()
    series.learn([(b"HEAD", None), (b"name=DOE;uid=1.2", [slice(0, 5), slice(8, 13)])], [], gives_up=False)
    r.feed(b"HEADname=XYZ;uid=9.9HEADname=XYZ;uid=9", 1)
    assert not series.passes(r)
    assert r.seen(99) == b"HEADname=XYZ;uid=9"


def test_the_rest_of_an_objects_turn_is_given_up() -> None:
    series, r = Series(Conversation()), Reader()
    series.learn([(b"OBJECT", None)], [], gives_up=True)
    r.feed(b"OBJECT and its pixels", 1)
    assert series.passes(r)
    assert (r.held, r.demand.leave) == (0, Leave.TURN)
