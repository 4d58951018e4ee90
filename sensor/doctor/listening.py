"""A short listen on interfaces: what a mirror shows, said by the worker that would capture from it.

Hostile bytes are parsed by a worker without rights, as always; what it says is checked, counted and thrown away.
"""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from sensor import mirror
from sensor.capture.afpacket import RING_BYTES
from sensor.columns import Table, values
from sensor.doctor.check import Check, Verdict, ok, problem, warning
from sensor.mirror import MirrorWarning, Tally
from sensor.recorder import WORKER, Talk, Workers
from sensor.rows import SCHEMAS
from sensor.site import SiteForFacts
from sensor.sitekey import SiteKey
from sensor.wire import Failure, Job, Kind, Summary, WireError, decode, printable, unpack_table

PATIENCE_S: Final = 20.0
"""So much longer than asked may it take until the worker has said all."""
_SEGMENTS_SHOWN: Final = 6
_BAD: Final = {"no-mirror", "dropping", "silent"}


class Heard:
    """What a worker has said."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.conversations: Counter[str] = Counter()
        self._protocols: dict[int, str] = {}
        self.summary: Summary | None = None
        self.failure: str | None = None

    def take(self, name: str, rows: Table) -> None:
        """Rows of one table; facts themselves are of no interest here."""
        self.tally.add({name: [rows]})
        if name == "kind":  # those of the conversations that come next
            told = zip(*(values(rows[column]) for column in _KIND), strict=True)
            self._protocols = {kind: protocol for kind, protocol, confidence in told if confidence == "confirmed"}
        if name == "fact_conversation":
            for kind, n in zip(values(rows["kind"]), values(rows["n"]), strict=True):
                self.conversations[self._protocols.get(kind, "")] += n


_KIND: Final = ("id", "protocol", "confidence")


def examine(names: Sequence[str], seconds: float, ring_bytes: int = RING_BYTES) -> Iterator[Check]:
    """Listen on these interfaces for so long, and say what was heard.

    On all at a time: of a tap each shows one direction, and only both together a conversation.
    """
    heard = listen(names, seconds, ring_bytes)
    if heard.failure is not None or heard.summary is None:
        said = heard.failure or "the worker ended too early"
        yield problem(f"{_joined(names)} listen", said, "see rights, and the lines above")
        return
    yield from judge(names, seconds, heard, heard.summary)


def listen(names: Sequence[str], seconds: float, ring_bytes: int = RING_BYTES) -> Heard:
    """What a worker has to say after so long."""
    heard, workers = Heard(), Workers(WORKER)
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "site.key"  # what is heard is thrown away, and never compared with anything
        SiteKey.test().save(key)
        job = Job(b"", SiteForFacts(), bytes(key), 0, tuple(names), 0, seconds, ring_bytes)
        last = threading.Timer(seconds + PATIENCE_S, workers.close)
        last.start()
        try:
            with workers.talk(job) as talk:
                _hear(talk, seconds, heard)
        except WireError as error:
            heard.failure = f"the worker said what it may not ({printable(str(error))})"
        finally:
            last.cancel()
            workers.close()
    return heard


def _hear(talk: Talk, seconds: float, heard: Heard) -> None:
    """Everything until the worker ends; it is told when."""
    end = threading.Timer(seconds, talk.order, [b"stop"])
    try:
        for kind, payload in talk.frames():
            if kind == Kind.HELLO:
                talk.order(b"go")
                end.start()
            elif kind == Kind.TABLE:
                heard.take(*unpack_table(payload, SCHEMAS))
            elif kind == Kind.BATCH:
                talk.order(b"ack")
            elif kind == Kind.SUMMARY:
                heard.summary = decode(payload, Summary)
            elif kind == Kind.ERROR:
                heard.failure = printable(decode(payload, Failure).what)
    finally:
        end.cancel()


def judge(names: Sequence[str], seconds: float, heard: Heard, summary: Summary) -> Iterator[Check]:
    """What was heard, in words: of each interface what came by it, of all of them what it tells."""
    counters = summary.counts()
    found = []
    for name in names:
        segments = {segment: counts for (port, segment), counts in heard.tally.traffic.items() if port == name}
        total = sum(segments.values(), Counter[str]())
        yield _traffic(name, seconds, total, segments)
        if not total["packets"]:
            found.append(MirrorWarning(name, "silent", mirror.silent(seconds)))
    if summary.packets:
        yield _understood(_joined(names), heard.conversations)
        found += mirror.judged(heard.tally, counters)
    lost = counters.get("kernel_drops", 0) + counters.get("interface_drops", 0)
    if lost:
        of = counters.get("kernel_packets", 0) + counters.get("interface_drops", 0)
        found.append(MirrorWarning("", "dropping", mirror.dropping(lost, of)))
    yield from (_said(warned.interface or _joined(names), warned) for warned in found)
    if not found:
        yield ok(f"{_joined(names)} mirror", _nothing_wrong(heard.tally))


def _joined(names: Sequence[str]) -> str:
    return ",".join(names)


def _traffic(name: str, seconds: float, total: Mapping[str, int], segments: Iterable[str]) -> Check:
    named = sorted(filter(None, segments))
    shown = ", ".join(named[:_SEGMENTS_SHOWN]) + (" ..." if len(named) > _SEGMENTS_SHOWN else "")
    rate = f"{total['packets'] / seconds:,.0f} packets/s in {seconds:g} s"
    return ok(f"{name} traffic", f"{rate}; {shown or 'no VLANs'}")


def _understood(name: str, conversations: Counter[str]) -> Check:
    total, title = sum(conversations.values()), f"{name} conversations"
    known = sorted(protocol for protocol in conversations if protocol)
    understood = total - conversations[""]
    says = f"{understood:,} of {total:,} were understood"
    if understood:
        return ok(title, f"{says}: {', '.join(known)}")
    return warning(title, says, "listen longer (--seconds 60), or mirror the ports of servers and devices")


def _said(name: str, warned: MirrorWarning) -> Check:
    """The words of a warning, split where they say what to do."""
    says, _, remedy = warned.words.partition("; ")
    verdict = Verdict.PROBLEM if warned.kind in _BAD else Verdict.WARNING
    return Check(f"{name} mirror", verdict, says, remedy or "see above")


def _nothing_wrong(tally: Tally) -> str:
    if tally.packets < mirror.PACKETS_MIN or tally.tcp_conversations < mirror.CONVERSATIONS_MIN:
        return "too little came to judge all of it; nothing wrong in what did"
    return "both sides, no copies, nothing lost"
