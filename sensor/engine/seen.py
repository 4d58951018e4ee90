# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""What was said, when and how often: what the fold counts in, and `flows` too where the same is said again."""

from itertools import repeat

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

# Constants. The compiler has them from seen.pxd, so that they are constants in C too.
if not cython.compiled:
    from sensor.engine._cy import PREFETCH

    IN_TURN = 8
    DAY_US = 86_400_000_000
    HOUR_US = 3_600_000_000


@cython.no_gc  # what it holds never leads back to it, nor does it below
@cython.cclass
class Words:
    """Facts that were stated together, without secrets.

    Attributes:
        marks: what is kept of the secret of each, in their order; None where none of them had one.
        known: all conversations that said the same share this one object.
    """

    def __init__(self, facts, marks=None, *, known=False):
        self.facts = facts
        self.marks = marks
        self.known = known

    def each(self):
        """Each fact, and what is kept of its secret."""
        return zip(self.facts, repeat(None) if self.marks is None else self.marks)


@cython.no_gc
@cython.cclass
class Moment:
    """That something was said.

    Attributes:
        ts_us, frame: when, and in which frame of the capture.
        ends: between whom.
        port: the initiator's.
        quality: of the conversation so far.
    """


@cython.no_gc
@cython.cclass
class Seen(Moment):
    """The moment when something was first said at a place; how often it was since, until when, and in which hours.

    Made of that moment, which still has to be counted. Its quality becomes that of the time that lacks least.
    """

    def __init__(self, first: Moment):
        self.ts_us = self.last = first.ts_us
        self.frame, self.ends, self.port, self.quality = first.frame, first.ends, first.port, first.quality
        self.n = self.hours = 0

    def once(self, said):
        """Once more, maybe earlier than ever."""
        if said.ts_us < self.ts_us:
            self._begin_with(said)
        self.again(said.ts_us, said.quality)

    def again(self, ts_us, quality):
        """Once more, at this time, which is not before the first one."""
        if ts_us > self.last:
            self.last = ts_us
        self.n += 1
        self.hours |= cython.cast(cython.longlong, 1) << ts_us % DAY_US // HOUR_US
        if quality is not self.quality and quality < self.quality:
            self.quality = quality

    def join(self, other):
        """What was said another time, too."""
        if other.ts_us < self.ts_us:
            self._begin_with(other)
        self.last = max(self.last, other.last)
        self.n += other.n
        self.hours |= other.hours
        self.quality = min(self.quality, other.quality)

    def _begin_with(self, other):
        """What was first is another moment: its time, and its evidence."""
        self.ts_us, self.frame, self.ends, self.port = other.ts_us, other.frame, other.ends, other.port

    def joined(self, other):
        """Both together; neither changes."""
        both: Seen = Seen(self)
        both.join(self)
        both.join(other)
        return both


@cython.no_gc
@cython.cclass
class Counted:
    """What counts known words at a place.

    Conversations there mostly say the same in the same order. So the first `IN_TURN` words of one are first looked for
    where the last one had them: without a search, whose steps would each be a wait for memory.

    Attributes:
        counts: by words.
        words, turns: what was said last in this turn of a conversation, and its count. They are borrowed from `counts`,
            which lets nothing go but in `clear`, and only C has them.
    """

    def __init__(self):
        self.counts = {}
        self.clear()

    def get(self, words):
        """What counts the words; None as long as they were not said here."""
        return self.counts.get(words)

    def keep(self, words, seen):
        """Count words there from now on that were not said here before."""
        self.counts.setdefault(words, seen)

    def clear(self):
        """Count nothing any more."""
        if cython.compiled:
            turn: cython.int
            for turn in range(IN_TURN):
                self.words[turn] = self.turns[turn] = cython.NULL
        self.counts.clear()

    def in_turn(self, turn: cython.int, words: Words):
        """What counts words that a conversation says in this turn, counted from 0; None as long as they were not said."""
        if not cython.compiled or turn >= IN_TURN:
            return self.counts.get(words)
        if self.words[turn] != cython.cast(cython.p_void, words):
            seen = self.counts.get(words)
            if seen is None:
                return None
            self.words[turn], self.turns[turn] = cython.cast(cython.p_void, words), cython.cast(cython.p_void, seen)
        return cython.cast(Seen, self.turns[turn])

    def ask_ahead(self, turn: cython.int):
        """Ask for the memory of the counts of this turn and of the next ones."""
        if cython.compiled:
            last: cython.int = min(turn + 4, IN_TURN)
            while turn < last:
                PREFETCH(self.turns[turn])
                PREFETCH(cython.cast(cython.p_char, self.turns[turn]) + 64)
                turn += 1
        return 0
