"""What is wrong with a live mirror: said when it begins and when it is over. The words are those of `mirror`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sensor import mirror
from sensor.columns import Table
from sensor.mirror import CONVERSATIONS_MIN, PACKETS_MIN, MirrorWarning, Tally

SILENT_S: Final = 60.0


class Mirror:
    """The state of one worker's interfaces, from what it counts.

    Args:
        interfaces: their names, in the order in which the worker has them.
        now_s: any clock that only goes forward.
    """

    def __init__(self, interfaces: Sequence[str], now_s: float) -> None:
        self._interfaces = interfaces
        self._name = ",".join(interfaces)
        self._last_s = self._heard_s = now_s
        self._before: Mapping[str, int] = {}
        self._packets, self._conversations = Tally(), Tally()
        self._complaints: dict[tuple[str, str], MirrorWarning] = {}

    @property
    def standing(self) -> list[MirrorWarning]:
        """All that is wrong now."""
        return list(self._complaints.values())

    def look(self, counters: Mapping[str, int], now_s: float) -> list[str]:
        """Lines to say, after new `counters`; may be none."""
        grown = {name: counters.get(name, 0) - self._before.get(name, 0) for name in _WATCHED}
        if grown["packets"]:
            self._heard_s = now_s
        said = [
            *self._lost(counters),
            *self._flapping(grown, counters),
            *self._dropping(grown),
            *self._shedding(counters),
            *self._silent(now_s),
            *self._clock(grown),
            *self._disordered(grown),
            *self._crowded(grown),
            *self._judge_packets(),
            *self._judge_conversations(),
        ]
        self._before, self._last_s = dict(counters), now_s
        return said

    def count(self, tables: Mapping[str, Sequence[Table]]) -> None:
        """Take in the rows of a batch."""
        self._packets.add({name: rows for name, rows in tables.items() if name == "fact_traffic"})
        self._conversations.add({name: rows for name, rows in tables.items() if name != "fact_traffic"})

    def _lost(self, counters: Mapping[str, int]) -> Iterator[str]:
        lost = counters.get("interfaces_lost", 0)
        for number, name in enumerate(self._interfaces):
            what = "is down or gone; nothing can be seen there until it is back"
            yield from self._turn("lost", bool(lost >> number & 1), what, "is back", name)

    def _flapping(self, grown: Mapping[str, int], counters: Mapping[str, int]) -> Iterator[str]:
        """An interface went and came back since the last look, which is not known of which of them."""
        gone = counters.get("interfaces_lost", 0) & ~self._before.get("interfaces_lost", 0)
        times = grown["interface_losses"] - gone.bit_count()
        what = "was down or gone for a moment; nothing could be seen there meanwhile"
        yield from self._turn("flapping", times > 0, what, "does not come and go any more")

    def _dropping(self, grown: Mapping[str, int]) -> Iterator[str]:
        lost = grown["kernel_drops"] + grown["interface_drops"]
        all_of_them = grown["kernel_packets"] + grown["interface_drops"]
        yield from self._turn("dropping", lost > 0, mirror.dropping(lost, all_of_them), "no more packets are lost")

    def _shedding(self, counters: Mapping[str, int]) -> Iterator[str]:
        """Of each level that was begun since the last look, and of its end."""
        for level, (what, over) in enumerate(_SHED, 1):
            begun = counters.get(f"shed_to_{level}", 0) > self._before.get(f"shed_to_{level}", 0)
            yield from self._turn(f"shed {level}", begun or counters.get("shed_level", 0) >= level, what, over)

    def _silent(self, now_s: float) -> Iterator[str]:
        silence_s = now_s - self._heard_s
        yield from self._turn("silent", silence_s >= SILENT_S, mirror.silent(silence_s), "packets come again")

    def _clock(self, grown: Mapping[str, int]) -> Iterator[str]:
        jumps = grown["clock_jumps"]
        yield from self._turn("clock", jumps > 0, mirror.clock_jumps(jumps), "the clock goes forward again")

    def _disordered(self, grown: Mapping[str, int]) -> Iterator[str]:
        words = mirror.disordered(grown)
        yield from self._turn("disordered", bool(words), words, "answers come after what they answer again")

    def _crowded(self, grown: Mapping[str, int]) -> Iterator[str]:
        words = mirror.crowded(grown)
        yield from self._turn("crowded", bool(words), words, "there is room for all conversations again")

    def _judge_packets(self) -> Iterator[str]:
        """Judged anew after every so many packets."""
        if self._packets.packets >= PACKETS_MIN:
            interfaces = {interface for interface, _ in self._packets.traffic}
            yield from self._renew(_OF_PACKETS, interfaces, self._packets.of_packets())
            self._packets = Tally()

    def _judge_conversations(self) -> Iterator[str]:
        """The same of conversations."""
        if self._conversations.tcp_conversations >= CONVERSATIONS_MIN:
            interfaces = {interface for interface, _ in self._conversations.conversations}
            yield from self._renew(_OF_CONVERSATIONS, interfaces, self._conversations.of_conversations())
            self._conversations = Tally()

    def _renew(
        self, overs: Mapping[str, str], interfaces: Iterable[str], found: Iterable[MirrorWarning]
    ) -> Iterator[str]:
        now = {(warning.interface, warning.kind): warning.words for warning in found}
        for interface in sorted(interfaces):
            for kind, over in overs.items():
                words = now.get((interface, kind))
                yield from self._turn(kind, words is not None, words or "", over, interface or self._name)

    def _turn(self, complaint: str, is_so: bool, what: str, over: str, name: str = "") -> Iterator[str]:  # noqa: FBT001
        """Say a complaint when it begins, and when it is over."""
        name = name or self._name
        before = self._complaints.pop((name, complaint), None)
        if is_so:
            self._complaints[name, complaint] = MirrorWarning(name, complaint, what)
            if before is None:
                yield f"{name}: {what}"
        elif before is not None:
            yield f"{name}: {over}"


_SHED: Final = (
    ("falls behind: of long conversations only a part is read; give it --workers", "long conversations are read again"),
    ("falls further behind: less is read of each turn", "turns are read as usual again"),
    ("falls further behind: one of two new conversations is passed over", "new conversations are all read again"),
    ("falls further behind: seven of eight new conversations are passed over", "more new conversations are read again"),
)
_OF_PACKETS: Final = {
    "no-mirror": "traffic between others is seen again",
    "duplicated": "packets come once again",
    "truncated": "packets are whole again",
}
_OF_CONVERSATIONS: Final = {"one-sided": "conversations show both sides again"}
_WATCHED: Final = (
    *("packets", "kernel_drops", "kernel_packets", "interface_drops", "interface_losses", "clock_jumps"),
    *("early_turns", "tcp_segments"),
    *mirror.EVICTED,
)
