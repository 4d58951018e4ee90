"""What is wrong with a mirror, in words. Whoever says it (log, summary, API, `doctor`) has the words from here.

A mirror that shows half of the traffic looks like a quiet network; whoever reads "no weak authentication" has to know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sensor.arrays import sums
from sensor.columns import Table, values

PACKETS_MIN: Final = 200
CONVERSATIONS_MIN: Final = 50
ONE_SIDED_SHARE: Final = 0.5
GROUP_SHARE: Final = 0.9
DUPLICATE_SHARE: Final = 0.05
TRUNCATED_SHARE: Final = 0.01
EARLY_MIN: Final = 50
EARLY_SHARE: Final = 0.001
PLACES_MAX: Final = 16 * 4352
_SEGMENTS_NAMED: Final = 4
_PLACE: Final = ("interface", "segment")
_SUMS: Final = ("packets", "group_packets", "duplicates", "truncated")
_CONVERSATIONS: Final = ("n", "one_sided_count", "unanswered_count")

MEMORY: Final = "SPANWARD_WORKER_MEMORY_MIB"
EVICTED: Final = {
    "evicted_flows": "{:,} conversations were forgotten",
    "evicted_sessions": "{:,} read on as if they had begun later",
    "evicted_session_bytes": "{:,} bytes of half-read messages left out",
    "evicted_buffers": "{:,} times what waited in a stream left out",
    "evicted_facts": "{:,} facts are not stated again at midnight",
    "rows_lost": "{:,} rows were lost",
}
"""Counters of what a worker lets go of when its memory is used up, and what that means."""

Place = tuple[str, str]
"""Interface and segment."""


class MirrorWarning(NamedTuple):
    """`kind` is a word for programs, `words` say what is so and what to do. `interface` may be ''."""

    interface: str
    kind: str
    words: str


class Tally:
    """What was seen of a mirror since some time, by interface and segment; from the rows of batches."""

    def __init__(self) -> None:
        self.traffic: dict[Place, Counter[str]] = {}
        self.conversations: dict[Place, Counter[str]] = {}
        self._kinds: dict[int, Sequence[Any]] = {}

    def add(self, tables: Mapping[str, Sequence[Table]]) -> None:
        """Take in a batch. Scans, which nobody answers, do not count as one-sided."""
        for interface, segment, *counts in _rows(tables.get("fact_traffic", ()), (*_PLACE, *_SUMS)):
            _of(self.traffic, interface, segment).update({name: n or 0 for name, n in zip(_SUMS, counts, strict=True)})
        self._learn(tables.get("kind", ()))
        for part in tables.get("fact_conversation", ()):
            self._count(part)

    def _learn(self, kinds: Sequence[Table]) -> None:
        """Interface, segment and transport of kinds of conversations; they may come apart from these."""
        if len(self._kinds) > PLACES_MAX:
            self._kinds.clear()
        self._kinds.update((kind, place) for kind, *place in _rows(kinds, ("id", *_PLACE, "transport")))

    def _count(self, conversations: Table) -> None:
        kinds, *counts = (conversations[name].buffers[0] for name in ("kind", *_CONVERSATIONS))
        n, one_sided, unanswered = (sums(kinds, numbers) for numbers in counts)
        for kind in n:
            interface, segment, transport = self._kinds.get(kind, ("", "", ""))
            if transport == "tcp":
                counted = {"tcp": n[kind] - unanswered[kind], "one_sided": one_sided[kind] - unanswered[kind]}
                _of(self.conversations, interface, segment).update(counted)

    @property
    def packets(self) -> int:
        """How many there were."""
        return sum(counts["packets"] for counts in self.traffic.values())

    @property
    def tcp_conversations(self) -> int:
        """How many there were, scans not counted."""
        return sum(counts["tcp"] for counts in self.conversations.values())

    def of_packets(self) -> Iterator[MirrorWarning]:
        """What packets tell."""
        for interface in sorted({interface for interface, _ in self.traffic}):
            segments = {segment: counts for (name, segment), counts in self.traffic.items() if name == interface}
            total = sum(segments.values(), Counter[str]())
            yield from _of_packets(interface, total, segments)

    def of_conversations(self) -> Iterator[MirrorWarning]:
        """What conversations tell."""
        for interface in sorted({interface for interface, _ in self.conversations}):
            segments = {segment: counts for (name, segment), counts in self.conversations.items() if name == interface}
            yield from _one_sided(interface, segments)


def judged(tally: Tally, counters: Mapping[str, int]) -> list[MirrorWarning]:
    """What is wrong with a whole capture."""
    found = [*tally.of_packets(), *tally.of_conversations()]
    if jumps := counters.get("clock_jumps", 0):
        found.append(MirrorWarning("", "clock", clock_jumps(jumps)))
    if words := disordered(counters):
        found.append(MirrorWarning("", "disordered", words))
    if words := crowded(counters):
        found.append(MirrorWarning("", "crowded", words))
    return found


def silent(silence_s: float) -> str:
    """Nothing came."""
    return f"silent for {silence_s:.0f} s; is the mirror on, and this the right port?"


def dropping(lost: int, of: int) -> str:
    """Packets were lost on their way to us."""
    return f"{lost:,} of {of:,} packets were lost: this machine is too slow for them; give it --workers"


def clock_jumps(count: int) -> str:
    """Time stamps went back."""
    times = "once" if count == 1 else f"{count:,} times"
    return f"the clock went back by more than a second, {times}: order and times are doubtful; let NTP keep it"


def disordered(counters: Mapping[str, int]) -> str:
    """The directions of conversations came in an order that cannot be; nothing where that happened seldom."""
    early = counters.get("early_turns", 0)
    if early < EARLY_MIN or early < EARLY_SHARE * counters.get("tcp_segments", 0):
        return ""
    return (
        f"{early:,} times an answer came before what it answers, and was put in order: both directions come by ways of "
        "their own; give the card one receive queue (ethtool -L INTERFACE combined 1), or one hash for both directions"
    )


def crowded(counters: Mapping[str, int]) -> str:
    """What had to go as there was no room for it, by kind; nothing where nothing had to."""
    gone = [words.format(count) for name, words in EVICTED.items() if (count := counters.get(name, 0))]
    if not gone:
        return ""
    return f"no room: {', '.join(gone)}; set {MEMORY} higher where there is memory"


def _of_packets(interface: str, total: Counter[str], segments: Mapping[str, Counter[str]]) -> Iterator[MirrorWarning]:
    packets = total["packets"]
    if packets < PACKETS_MIN:
        return
    if total["group_packets"] >= GROUP_SHARE * packets:
        share = _percent(total["group_packets"], packets)
        yield MirrorWarning(
            interface,
            "no-mirror",
            f"{share} of the packets are broadcast or multicast, which every port gets: this is no mirror; "
            "set up the SPAN session, or take the port that it names",
        )
    if total["duplicates"] >= DUPLICATE_SHARE * packets:
        where = _where(segments, "duplicates")
        yield MirrorWarning(
            interface,
            "duplicated",
            f"{_percent(total['duplicates'], packets)} of the packets come twice{where}; "
            "mirror one direction of each port, or only one of the VLANs",
        )
    if total["truncated"] >= TRUNCATED_SHARE * packets:
        where = _where(segments, "truncated")
        yield MirrorWarning(
            interface,
            "truncated",
            f"{_percent(total['truncated'], packets)} of the packets are cut off{where}; "
            "capture them whole (tcpdump -s 0; no truncation in the SPAN session)",
        )


def _one_sided(interface: str, segments: Mapping[str, Counter[str]]) -> Iterator[MirrorWarning]:
    """Segments of which more than half is one-sided; the interface as a whole when they are too small to tell."""
    bad = {name: counts for name, counts in segments.items() if _is_one_sided(counts)}
    total = sum((bad or segments).values(), Counter[str]())
    if _is_one_sided(total):
        share = _percent(total["one_sided"], total["tcp"])
        where = _where(bad if len(bad) < len(segments) or any(bad) else {}, "one_sided")
        yield MirrorWarning(
            interface,
            "one-sided",
            f"{share} of the TCP conversations{where} show one side only; mirror both directions (rx and tx)",
        )


def _is_one_sided(counts: Mapping[str, int]) -> bool:
    return counts["tcp"] >= CONVERSATIONS_MIN and counts["one_sided"] > ONE_SIDED_SHARE * counts["tcp"]


def _where(segments: Mapping[str, Counter[str]], name: str) -> str:
    """' on vlan 12, vlan 13': the worst segments, when there are any to tell apart."""
    bad = sorted((-counts[name], segment) for segment, counts in segments.items() if counts[name])
    if not any(segment for _, segment in bad):
        return ""
    names = [segment or "no VLAN" for _, segment in bad]
    rest = len(names) - _SEGMENTS_NAMED
    return " on " + ", ".join(names[:_SEGMENTS_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}"


def _of(counted: dict[Place, Counter[str]], interface: str | None, segment: str | None) -> Counter[str]:
    """What is counted at a place. A worker that was taken over could name any number of places."""
    place = (interface or "", segment or "")
    if place not in counted and len(counted) >= PLACES_MAX:
        place = ("", "other")
    return counted.setdefault(place, Counter())


def _rows(parts: Sequence[Table], columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    """What stands in these columns, row by row."""
    for part in parts:
        yield from zip(*(values(part[name]) for name in columns), strict=True)
