"""Levels of shedding: in order when the ring fills up, back one by one when nothing has waited for a while."""

from __future__ import annotations

from sensor.capture.shedding import CALM_S, HEAD_BYTES, HEAD_MAX, LEVELS, SHED_AT, Shedding


class Told:
    """Stands in for an engine: what it was told."""

    def __init__(self):
        self.levels = []

    def shed(self, *what):
        self.levels.append(LEVELS.index(what))


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_ring_that_fills_up_raises_level_after_level():
    engine, shedding = Told(), Shedding(Clock())
    for percent in range(101):
        shedding.look(engine, percent / 100)
    assert engine.levels == [1, 2, 3, 4]
    assert shedding.counters() == {
        "shed_level": 4, "shed_ms": 0, "shed_to_1": 1, "shed_to_2": 1, "shed_to_3": 1, "shed_to_4": 1,
    }  # fmt: skip


def test_a_ring_that_is_full_at_once_reaches_the_last_level_at_once():
    engine, shedding = Told(), Shedding(Clock())
    shedding.look(engine, 1.0)
    assert engine.levels == [4]
    assert shedding.counters()["shed_to_1"] == 1


def test_levels_are_left_one_by_one_once_nothing_waits():
    clock = Clock()
    engine, shedding = Told(), Shedding(clock)
    shedding.look(engine, 1.0)
    for tick in range(1, 100):
        clock.now_s = tick * CALM_S / 4
        shedding.look(engine, 0.0)
    assert engine.levels == [4, 3, 2, 1, 0]
    assert shedding.counters()["shed_level"] == 0
    assert shedding.counters()["shed_ms"] == int(4 * CALM_S * 1000)


def test_a_ring_that_goes_on_filling_up_keeps_the_level():
    clock = Clock()
    engine, shedding = Told(), Shedding(clock)
    for tick in range(100):
        clock.now_s = tick * CALM_S / 4
        shedding.look(engine, SHED_AT[0] if tick % 3 == 0 else 0.0)
    assert engine.levels == [1]


def test_a_burst_that_the_ring_takes_sheds_nothing():
    engine, shedding = Told(), Shedding(Clock())
    shedding.look(engine, SHED_AT[0] - 0.01)
    assert engine.levels == []


def test_each_level_does_less():
    assert LEVELS[0] == (None, HEAD_BYTES, HEAD_MAX, 1)
    handshake = 4  # turns of a lane in which a TLS handshake or an NTLM logon is over
    for less, more in zip(LEVELS[1:], LEVELS, strict=False):
        assert less.head_bytes <= more.head_bytes
        assert less.flows >= more.flows
        assert less.after is not None
        assert handshake <= less.after <= (more.after or less.after)
    assert [level.flows > 1 for level in LEVELS] == [False, False, False, True, True]
