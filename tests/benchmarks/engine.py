"""Time of the engine per packet on three made-up workloads: ``python -m tests.benchmarks.engine``.

CPU time of this process, the best of five; the last column is how many times slower the same source is interpreted.
The capture comes through a window, as when it is read; filling the window is not counted. Numbers of one machine on one
day: compare ratios, side by side.
"""

from __future__ import annotations

import random
import sys
import time
from types import ModuleType

from sensor import engine as installed
from sensor.capture.window import WINDOW_BYTES
from sensor.engine import DATAGRAM, NEED, load_interpreted
from tests.sensor.engine.builder import Tcp, Wire, datagram

RUNS = 5


def bulk() -> Wire:
    """A few conversations, large segments: images, backups."""
    wire = Wire(step_us=20)
    talks = [Tcp(wire, ports=(40000 + number, 104)).open() for number in range(40)]
    for number in range(2000):
        talks[number % 40].send(0, bytes(28_000), mss=1400)
        talks[number % 40].ack(1)
    return wire


def short() -> Wire:
    """Many short conversations, 256 at a time."""
    chance, wire, live = random.Random(1), Wire(step_us=20), []
    for number in range(10_000):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        live.append(Tcp(wire, addresses=(address, "10.9.0.2"), ports=(1025 + number, 443), isn=(number, 9)).open())
        if len(live) == 256:
            talk = live.pop(chance.randrange(256))
            for lane, size in ((0, 300), (1, 2800), (0, 100), (1, 200)):
                talk.send(lane, bytes(size))
            talk.close()
    return wire


def small() -> Wire:
    """Small datagrams of 60,000 flows in any order: every packet misses the caches."""
    chance, wire = random.Random(2), Wire(step_us=20)
    for _ in range(150_000):
        flow = chance.randrange(60_000)
        ends = (f"10.{flow >> 14}.{flow >> 7 & 127}.{flow & 127}", 1024 + flow % 50_000), (f"10.9.1.{flow % 250}", 161)
        side = chance.random() < 0.5
        datagram(wire, bytes(40), source=ends[side], target=ends[not side])
    return wire


def nanoseconds(module: ModuleType, capture: bytes, *, shunt: bool) -> float:
    """CPU nanoseconds for each packet; `shunt`: every flow is done with at its first bytes."""
    window, engine, at, spent_ns = bytearray(WINDOW_BYTES), module.Engine(seed=1), 24, 0
    engine.pcap(False, False, 1)
    while at < len(capture):
        size = min(WINDOW_BYTES, len(capture) - at)
        window[:size] = memoryview(capture)[at : at + size]
        begin = time.process_time_ns()
        engine.load(window, 0, size)
        while (event := engine.step()) != NEED:
            if shunt and event <= DATAGRAM:
                engine.done(engine.flow)
        spent_ns += time.process_time_ns() - begin
        at += engine.position
        if engine.position == 0:
            break
    return spent_ns / engine.counters()["packets"]


def main() -> None:
    """One line for each workload."""
    sys.stdout.write(f"{'workload':10}{'shunted':>10}{'all data':>10}   ns a packet{'interpreted':>14}\n")
    for workload in (bulk, short, small):
        wire = workload()
        capture = wire.pcap()
        shunted, read = (min(nanoseconds(installed, capture, shunt=s) for _ in range(RUNS)) for s in (True, False))
        del wire.frames[3000:]
        slow = nanoseconds(load_interpreted(), wire.pcap(), shunt=True)
        sys.stdout.write(f"{workload.__name__:10}{shunted:10.0f}{read:10.0f}{slow / shunted:26.0f} x\n")


if __name__ == "__main__":
    main()
