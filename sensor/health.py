"""What is wrong with a mirror, in words: silent, dropping, one-sided, gone. Said when it begins and when it is over.

A mirror that lost half of its traffic looks like a quiet network; whoever reads "no weak authentication" has to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

SILENT_S: Final = 60.0
CONVERSATIONS_MIN: Final = 50
ONE_SIDED_SHARE: Final = 0.5


class Mirror:
    """The state of one worker's interfaces, from what it counts.

    Args:
        name: of the interfaces, as it is shown.
        now_s: any clock that only goes forward.
    """

    def __init__(self, name: str, now_s: float) -> None:
        self._name = name
        self._last_s = self._heard_s = now_s
        self._before: Mapping[str, int] = {}
        self._conversations = self._one_sided = 0
        self._complaints: set[str] = set()

    def look(self, counters: Mapping[str, int], now_s: float) -> list[str]:
        """Lines to say, after new `counters`; may be none."""
        grown = {name: counters.get(name, 0) - self._before.get(name, 0) for name in _WATCHED}
        if grown["packets"]:
            self._heard_s = now_s
        said = [
            *self._lost(counters),
            *self._dropping(grown),
            *self._shedding(counters),
            *self._silent(now_s),
            *self._sides(),
        ]
        self._before, self._last_s = dict(counters), now_s
        return said

    def count(self, tables: Mapping[str, pa.Table]) -> None:
        """Take in the conversations of a batch: scans, which nobody answers, do not count as one-sided."""
        rows = tables.get("fact_conversation")
        if rows is None or not rows.num_rows:
            return
        rows = rows.filter(pc.equal(rows["transport"], "tcp"))
        unanswered = _sum(rows, "unanswered_count")
        self._conversations += _sum(rows, "n") - unanswered
        self._one_sided += _sum(rows, "one_sided_count") - unanswered

    def _lost(self, counters: Mapping[str, int]) -> Iterator[str]:
        yield from self._turn(
            "lost",
            bool(counters.get("interfaces_lost", 0)),
            "is down or gone; nothing can be seen there until it is back",
            "is back",
        )

    def _dropping(self, grown: Mapping[str, int]) -> Iterator[str]:
        lost = grown["kernel_drops"] + grown["interface_drops"]
        all_of_them = grown["kernel_packets"] + grown["interface_drops"]
        what = f"{lost:,} of {all_of_them:,} packets were lost: this machine is too slow for them; give it --workers"
        yield from self._turn("dropping", lost > 0, what, "no more packets are lost")

    def _shedding(self, counters: Mapping[str, int]) -> Iterator[str]:
        """Of each level that was begun since the last look, and of its end."""
        for level, (what, over) in enumerate(_SHED, 1):
            begun = counters.get(f"shed_to_{level}", 0) > self._before.get(f"shed_to_{level}", 0)
            yield from self._turn(f"shed {level}", begun or counters.get("shed_level", 0) >= level, what, over)

    def _silent(self, now_s: float) -> Iterator[str]:
        silence_s = now_s - self._heard_s
        what = f"silent for {silence_s:.0f} s; is the mirror on, and this the right port?"
        yield from self._turn("silent", silence_s >= SILENT_S, what, "packets come again")

    def _sides(self) -> Iterator[str]:
        """Judged anew after every so many conversations."""
        if self._conversations < CONVERSATIONS_MIN:
            return
        share = self._one_sided / self._conversations
        what = f"{share:.0%} of the TCP conversations show one side only; mirror both directions (rx and tx)"
        yield from self._turn("one-sided", share > ONE_SIDED_SHARE, what, "conversations show both sides again")
        self._conversations = self._one_sided = 0

    def _turn(self, complaint: str, is_so: bool, what: str, over: str) -> Iterator[str]:  # noqa: FBT001
        """Say a complaint when it begins, and when it is over."""
        if is_so and complaint not in self._complaints:
            self._complaints.add(complaint)
            yield f"{self._name}: {what}"
        elif not is_so and complaint in self._complaints:
            self._complaints.remove(complaint)
            yield f"{self._name}: {over}"


_SHED: Final = (
    ("falls behind: of long conversations only a part is read; give it --workers", "long conversations are read again"),
    ("falls further behind: less is read of each turn", "turns are read as usual again"),
    ("falls further behind: one of two new conversations is passed over", "new conversations are all read again"),
    ("falls further behind: seven of eight new conversations are passed over", "more new conversations are read again"),
)
_WATCHED: Final = ("packets", "kernel_drops", "kernel_packets", "interface_drops")


def _sum(rows: pa.Table, column: str) -> int:
    return int(pc.sum(rows[column]).as_py() or 0)
