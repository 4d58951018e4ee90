"""The live benchmark finds the rate at which nothing is lost, and its table says what was lost and not seen."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.benchmarks import live
from tests.benchmarks.listeners import Heard, Listener, Seen, compare
from tests.benchmarks.peers import HERE
from tests.benchmarks.peers import spanward as readers
from tests.conftest import PCAPS

LISTENER = Listener("somebody", lambda _: [], lambda _: True, lambda _: Seen(0, 0, "", {}))
ROUND = 1_000


class Simulated(live.Bench):
    """A listener that takes so many packets a second, and sheds from nine tenths of that on."""

    def __init__(self, tmp_path, capacity, topspeed=200_000, steady=1.0):
        (tmp_path / "x.json").write_text(json.dumps({"packets": ROUND}))
        super().__init__(None, tmp_path / "x.pcap", (0, 0), tmp_path)
        self.capacity, self.topspeed, self.steady = capacity, topspeed, steady
        self.rates = []

    def _hear(self, listener, how):
        rate = self.topspeed if how[0] == "--topspeed" else int(how[0].removeprefix("--pps="))
        name, _, number = how[1].partition("=")
        rounds = int(number) if name == "--loop" else int(number) * rate / ROUND
        sent = live.Sent(int(rounds * ROUND), int(rounds * ROUND) * 100, rounds * ROUND / rate)
        self.rates.append(rate)
        capacity = self.capacity * (self.steady if sent.seconds > 30 else 1)
        looked_at = int(sent.packets * min(1, capacity / rate))
        shed = "level 1, 3 s" if rate > 0.9 * capacity else ""
        heard = Heard(1.0, 0.5, 100, None)
        return live.Run(listener.name, sent, heard, Seen(looked_at, sent.packets - looked_at, shed, {}), (10, 1, 0))


@pytest.mark.parametrize("capacity", [900, 5_000, 60_000, 190_000])
def test_the_rate_without_loss_is_found(tmp_path, capacity):
    bench = Simulated(tmp_path, capacity)
    rate = bench.without_loss(LISTENER, bench.fastest(LISTENER, 60), 20)
    assert 0.9 * capacity / live.MARGIN <= rate <= 0.9 * capacity
    assert len(bench.rates) < 14


def test_who_loses_nothing_at_all_is_not_searched(tmp_path):
    bench = Simulated(tmp_path, 1_000_000)
    assert bench.without_loss(LISTENER, bench.fastest(LISTENER, 60), 20) == 200_000
    assert bench.rates == [200_000, 200_000]


def test_as_fast_as_it_goes_whole_rounds_are_played_for_as_long_as_asked(tmp_path):
    sent = Simulated(tmp_path, 1_000_000).fastest(LISTENER, 60).sent
    assert sent.packets % ROUND == 0
    assert 60 <= sent.seconds < 60 + ROUND / 200_000


def test_who_loses_something_at_any_rate_ends_the_search(tmp_path):
    bench = Simulated(tmp_path, 1)
    assert bench.without_loss(LISTENER, bench.fastest(LISTENER, 60), 20) == live.LEAST_PPS


def test_a_rate_that_does_not_last_is_lowered(tmp_path):
    bench = Simulated(tmp_path, 60_000, steady=0.6)
    rate = bench.without_loss(LISTENER, bench.fastest(LISTENER, 60), 20)
    run = bench.proven(LISTENER, rate, 60)
    assert run.whole
    assert run.sent.pps < 0.9 * 36_000


def test_a_row_says_what_was_lost_and_what_was_missed(tmp_path):
    row = live.line(Simulated(tmp_path, 50_000).fastest(LISTENER, 60), "all it can")
    assert "| 9,000,000 (75.0%) | level 1, 3 s | 1 of 10 | 0 |" in row
    assert row.count("|") == live.HEAD[0].count("|") == live.HEAD[1].count("|")


def test_packets_that_nobody_counts_are_lost_too():
    sent, heard = live.Sent(100, 1_000, 1.0), Heard(1.0, 0.1, 1, None)
    assert live.Run("x", sent, heard, Seen(90, 0, "", {}), None).dropped == 10
    assert not live.Run("x", sent, heard, Seen(100, 0, "level 1, 1 s", {}), None).whole


def test_keys_of_facts_are_compared(tmp_path):
    stores = []
    for name in ("echo.pcap", "store20.pcap"):
        folder = tmp_path / name
        folder.mkdir()
        peer = readers(HERE.parents[1])[0]
        command = [*peer.command(PCAPS / "dicom" / name)]
        subprocess.run(command, cwd=folder, check=True, env={"PATH": "/usr/bin:/bin", **peer.environment})
        stores.append(folder / "s.duckdb")
    same, other = compare(stores[0], stores[0]), compare(stores[0], stores[1])
    assert same[0] > 0
    assert same[1:] == (0, 0)
    assert other[1] > 0
    assert other[2] > 0


@pytest.mark.skipif(not shutil.which("tcpreplay"), reason="needs tcpreplay")
def test_what_tcpreplay_says_is_understood():
    said = "Actual: 271290 packets (272009907 bytes) sent in 5.42 seconds\nRated: 50.0 Bps"
    found = live._SENT.search(said)
    assert found is not None
    assert live.Sent(int(found[1]), int(found[2]), float(found[3])).pps == pytest.approx(271_290 / 5.42)
