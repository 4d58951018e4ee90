"""What a packet costs of traffic that is meant to hurt: ``python -m tests.benchmarks.hostile``.

CPU nanoseconds a packet for each scenario, engine alone and with sessions (dispatch and every parser), beside those of
ordinary conversations in the same run; and whether a packet costs more when there are four times as many. The least of
a few runs; compare ratios.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator

from parsers.core import Registry
from sensor.capture.window import WINDOW_BYTES
from sensor.collector import collect_never
from sensor.dispatch import Dispatcher
from sensor.engine import DATA, FULL, NEED, Engine
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.sensor.engine.builder import Frame, Tcp, Wire, pcap
from tests.sensor.engine.harness import SEED, kinds_of
from tests.sensor.engine.hostile import SCENARIOS

TABLE = {"collisions": 64}
BEGINNINGS = {
    "tls": b"\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb\x03\x03",
    "dicom": b"\x01\x00\x00\x00\xff\xff\x00\x01\x00\x00",
    "dicom_data": b"\x04\x00\x00\x00\xff\xff\x00\x00\xff\xfb\x01\x03",
    "smb": b"\x00\x00\xff\xff\xfeSMB\x40\x00",
    "smb1": b"\x00\x00\xff\xff\xffSMB\x73",
    "hl7": b"\x0bMSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.3\rPID|",
    "hl7_unframed": b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.3\rPID|",
    "unknown": b"\x00",
}


def dribbled(beginning: bytes, size: int) -> Callable[[int], list[Frame]]:
    """A message of a protocol that does not end, in segments of `size`; the other side speaks each hundredth time."""

    def scenario(packets: int) -> list[Frame]:
        wire = Wire(step_us=50)
        talk = Tcp(wire).open()
        talk.send(0, beginning, mss=size)
        while len(wire.frames) < packets:
            talk.send(0, b"A" * size)
            if len(wire.frames) % 100 == 0:
                talk.send(1, b"\x00")
        return wire.frames

    return scenario


def engine_alone(capture: bytes, table: int) -> float:
    """Every lane waits for a long message, so that bytes are held."""
    engine, window, at = Engine(flows=table, seed=SEED), bytearray(capture), 24
    engine.pcap(False, False, 1)
    begin = time.process_time_ns()
    while at < len(window):
        engine.load(window, at, min(len(window), at + WINDOW_BYTES))
        while (event := engine.step()) != NEED:
            if event == DATA:
                engine.want(engine.flow, engine.lane, 1_500, 1_500)
        if engine.position == at:
            break
        at = engine.position
    return (time.process_time_ns() - begin) / engine.counters()["packets"]


def with_sessions(capture: bytes, table: int) -> float:
    """As the pipeline does it, facts thrown away."""
    engine = Engine(flows=table, seed=SEED)
    dispatcher = Dispatcher(engine, Registry.installed(), Site(), SiteKey.test(), lambda _: None, bulkhead=False)
    begin = time.process_time_ns()
    for event in dispatcher.run(lambda engine, step: kinds_of(engine, capture, WINDOW_BYTES, step)):
        if event == FULL:
            engine.take_days()
    return (time.process_time_ns() - begin) / engine.counters()["packets"]


def least(runs: int, reading: Callable[[bytes, int], float], capture: bytes, table: int) -> float:
    """Of a few runs. What reads is one large cycle: left lying, the next run would pay for memory that nobody had."""
    found = []
    for _ in range(runs):
        found.append(reading(capture, table))
        gc.collect()
    return min(found)


def scenarios() -> Iterator[tuple[str, Callable[[int], list[Frame]]]]:
    yield from SCENARIOS.items()
    for name, beginning in BEGINNINGS.items():
        for size in (1, 100):
            yield f"{name}_by_{size}", dribbled(beginning, size)


def main() -> None:
    """One line for each scenario."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.hostile", description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="scenarios whose names hold this")
    asked = parser.parse_args()
    collect_never()
    readings, plain = (engine_alone, with_sessions), [0.0, 0.0]
    sys.stdout.write(f"{'':32}{'engine':>8}{'ratio':>7}{'grows':>7}{'sessions':>10}{'ratio':>7}{'grows':>7}\n")
    for name, scenario in scenarios():
        if name != "plain" and asked.only not in name:
            continue
        few, many = (pcap(scenario(packets)) for packets in (asked.packets // 4, asked.packets))
        line, table = f"{name:32}", TABLE.get(name, 65_536)
        for number, reading in enumerate(readings):
            short, long = (least(asked.runs, reading, capture, table) for capture in (few, many))
            plain[number] = plain[number] or long
            line += f"{long:{8 + 2 * number}.0f}{long / plain[number]:7.1f}{long / short:7.1f}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
