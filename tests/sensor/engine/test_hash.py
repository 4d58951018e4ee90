"""The hash of flows: who knows how it is made but not its key cannot make flows meet; who knows the key is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest

from sensor.engine import EOF, EVICTED, load_interpreted
from tests.sensor.engine.builder import Frame, Wire, datagram, ethernet, ip, pcap, udp
from tests.sensor.engine.harness import new_engine, of, run
from tests.sensor.engine.hostile import colliding

FLOWS = 2_048
CHAIN_MAX = 64
Ends = tuple[tuple[str, int], tuple[str, int]]


def _v4(number: int) -> str:
    return str(ip_address(0x0A000000 + number))


def _v6(*words: int) -> str:
    return str(ip_address(sum(word << 32 * (3 - place) for place, word in enumerate(words))))


def in_a_row() -> Iterator[Ends]:
    for number in range(FLOWS):
        yield (_v4(number), 1024), (_v4(1 << 23), 161)


def ports_in_a_row() -> Iterator[Ends]:
    for number in range(FLOWS):
        yield (_v4(1), 1024 + number), (_v4(1 << 23), 161)


def far_apart() -> Iterator[Ends]:
    """Only the upper bits differ, of address and port."""
    for number in range(FLOWS):
        yield (_v4((number & 127) << 16), 1024 + (number >> 7 << 11)), (_v4(1 << 23), 161)


def both_ends_alike() -> Iterator[Ends]:
    for number in range(FLOWS):
        yield (_v4(number), 7), (_v4(number), 7)


def both_ends_move() -> Iterator[Ends]:
    for number in range(FLOWS):
        yield (_v4(number), 1024 + number), (_v4(number ^ 0x5555), 1024 + (number ^ 0x5555))


def prefixes_with_one_sum() -> Iterator[Ends]:
    """IPv6 prefixes whose halves always have the same exclusive or."""
    for number in range(FLOWS):
        yield (_v6(number, number ^ 0x20010DB8, 0, 1), 1024), ("fd00::1", 161)


def words_with_one_sum() -> Iterator[Ends]:
    for number in range(FLOWS):
        yield (_v6(0xFD000000, number, number ^ 77, 1), 1024), (_v6(0xFD000000, number, number ^ 77, 2), 161)


ATTEMPTS = (
    in_a_row, ports_in_a_row, far_apart, both_ends_alike, both_ends_move, prefixes_with_one_sum, words_with_one_sum,
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, 0x5EED, 0x1F3A5C7E9B2D4680, (1 << 62) - 1])
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_flows_spread_whatever_their_addresses(attempt: Callable[[], Iterator[Ends]], seed: int) -> None:
    """With as many buckets as flows, chance makes about half a probe for each flow that is new."""
    wire = Wire(step_us=1)
    for source, target in attempt():
        datagram(wire, b"x", source=source, target=target)
    engine = new_engine(flows=FLOWS, seed=seed)
    run(wire.pcap(), engine=engine)
    counters = engine.counters()
    assert counters["flows"] == FLOWS
    assert counters["evicted_flows"] == 0
    assert counters["probes"] < 0.75 * FLOWS


def test_with_the_key_a_packet_still_meets_few_flows() -> None:
    """The newest of a full chain has to go; the others, and who is in another chain, stay."""
    wire, seed = Wire(step_us=1), 0x5EED
    ends = colliding(seed, 256, CHAIN_MAX + 36)
    datagram(wire, b"elsewhere", source=("10.200.0.1", 9))
    for _ in range(3):
        for end in ends:
            datagram(wire, b"same", source=end, target=("10.255.0.1", 161))
    engine = new_engine(flows=256, seed=seed)
    events = run(wire.pcap(), engine=engine)
    counters = engine.counters()
    assert counters["probes"] > 30 * counters["packets"]
    assert counters["probes"] <= 2 * CHAIN_MAX * counters["packets"]
    assert len([event for event in of(events, "end") if event.reason == EOF]) == CHAIN_MAX + 1
    gone = [event.addresses[3] for event in of(events, "end") if event.reason == EVICTED]
    assert len(gone) == counters["evicted_flows"] > 36
    assert ip_address("10.200.0.1").packed not in gone


def test_keys_of_fragments_are_secret() -> None:
    """Python's hash of numbers is the same everywhere: a number that only the engine knows comes first."""
    keys = set()
    for seed in (1, 2):
        engine = new_engine(load_interpreted(), seed=seed)
        frame = ethernet(ip("10.0.0.1", "10.0.0.2", 17, udp(7, 8, bytes(24))[:16], fragment=0, more=True))
        run(pcap([Frame(0, frame, len(frame))]), engine=engine)
        keys.update(hash(key) for key in engine.fragments._datagrams)
    assert len(keys) == 2
