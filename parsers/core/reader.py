# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""The resumable reader: how a dissector asks for bytes of its lane.

Theory of operation
-------------------
A dissector is a generator. It reads with ``yield from r.exactly(n)``. When the bytes are there, nothing is yielded and
it just goes on; when they are not, the reader yields ``WAIT`` and the session puts the generator aside until more bytes
have come. *Not yet* therefore suspends; *never* (a message that contradicts itself) raises.

What is not wanted is left out, not read: ``skip(n)``, ``skip_until(mark)``, ``next_turn()``. The reader first drops
what it already holds; the rest becomes a `Demand`. There are two ways to meet a demand, and the dissector cannot tell
them apart:

* the packet engine takes it over (`hand_over`) and never copies those bytes to Python;
* whoever feeds all the bytes lets `feed` drop them.

A dissector that waits for the next message may leave a `Passer` with its reader: what is usual is taken by it as it
comes, and the generator sleeps on.

A reader never holds more than it was asked for plus one delivery: `MESSAGE_MAX_BYTES` bounds what may be asked for.
Reading moves an offset; what was read is let go of when the reader waits next, and not copied around until then.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import IntEnum
from typing import Final

import msgspec

from parsers.core.cursor import cut
from parsers.core.errors import LimitExceeded
from parsers.core.members import at_hand

MESSAGE_MAX_BYTES: Final = 65_536
SKIP_MAX_BYTES: Final = 1 << 60


class Wait(msgspec.Struct, frozen=True):
    """Yielded by a reader: put the generator aside until more bytes have come."""


WAIT: Final = Wait()


@at_hand
class Leave(IntEnum):
    """What to leave out of a lane before the next byte is read."""

    NOTHING = 0
    BYTES = 1
    UNTIL_MARK = 2
    TURN = 3


class Demand:
    """What a lane needs next. Nobody changes it.

    Attributes:
        leave: what to leave out first.
        count: bytes to leave out (`BYTES`), or the limit of the search (`UNTIL_MARK`).
        mark: 1 to 4 bytes to search for.
        want: bytes that must be there before the dissector can go on, at least 1.
        message: bytes still to come of the message being read, at least `want`.
    """

    __slots__ = ("count", "leave", "mark", "message", "want")

    def __init__(
        self, leave: Leave = Leave.NOTHING, count: int = 0, mark: bytes = b"", want: int = 1, message: int = 1
    ) -> None:
        self.leave = leave
        self.count = count
        self.mark = mark
        self.want = want
        self.message = message

    def __repr__(self) -> str:
        return f"Demand({self.leave!r}, {self.count}, {self.mark!r}, {self.want}, {self.message})"


ANYTHING: Final = Demand()

_LEAVES: Final = tuple(Leave)
_NOTHING: Final = int(Leave.NOTHING)
_BYTES: Final = int(Leave.BYTES)
_UNTIL_MARK: Final = int(Leave.UNTIL_MARK)
_TURN: Final = int(Leave.TURN)


class Passer:
    """What a dissector leaves with its reader for as long as it waits for a message."""

    __slots__ = ()

    def passes(self, r: Reader) -> bool:  # noqa: ARG002 - whoever takes something reads it
        """Take what is usual of what is held; whether the dissector waits for more than is left."""
        return False


class Reader:
    """The bytes of one lane, from where the dissector began.

    Attributes:
        passer: takes what comes; only set by a dissector that waits for as many bytes as `passer` leaves at most.
        resumed: the lane was taken up again after a gap; its first bytes are only a candidate for a boundary.
        offset: bytes read or left out so far.
        held: bytes that are there and unread.
    """

    __slots__ = (
        "_at", "_buffer", "_count", "_demand", "_demand_message", "_demand_want", "_leave", "_mark", "_message",
        "_messages", "_turn", "_want", "held", "offset", "passer", "resumed",
    )  # fmt: skip

    def __init__(self, *, resumed: bool = False, turn: int = 1) -> None:
        self.resumed = resumed
        self.offset = 0
        self.held = 0
        self.passer: Passer | None = None
        self._buffer = b""
        self._at = 0
        self._messages: list[bytes] = []
        self._want = 1
        self._message = 0
        self._leave = _NOTHING
        self._count = 0
        self._mark = b""
        self._turn = turn
        self._demand = ANYTHING
        self._demand_want = self._demand_message = 1

    # ------------------------------------------------------------------ for dissectors

    def exactly(self, n: int) -> Generator[Wait, None, bytes]:
        """The next `n` bytes.

        Raises:
            LimitExceeded: `n` is more than `MESSAGE_MAX_BYTES`.
        """
        if self.held < n:
            yield from self.hold(n)
        return self._read(n)

    def ready(self, n: int) -> bytes:
        """The next `n` bytes if all are there, else none: ``r.ready(n) or (yield from r.exactly(n))`` is quicker."""
        return self._read(n) if self.held >= n else b""

    def peek(self, n: int) -> Generator[Wait, None, bytes]:
        """The next `n` bytes, which stay unread.

        Raises:
            LimitExceeded: `n` is more than `MESSAGE_MAX_BYTES`.
        """
        if self.held < n:
            yield from self.hold(n)
        return self.seen(n)

    def hold(self, n: int) -> Generator[Wait, None, None]:
        """Wait until the next `n` bytes are there.

        Raises:
            LimitExceeded: `n` is more than `MESSAGE_MAX_BYTES`.
        """
        if n > MESSAGE_MAX_BYTES:
            raise LimitExceeded(f"a message of {n} bytes", self.offset)
        self._forget()
        while self.held < n:
            self._want = n
            yield WAIT
        self._want = 1

    def seen(self, n: int) -> bytes:
        """Up to `n` of the next bytes, as many as are there; they stay unread."""
        return cut(self._buffer, self._at, self._at + n)

    def until(self, mark: bytes, limit: int) -> Generator[Wait, None, bytes]:
        """The bytes up to and including `mark`.

        Raises:
            LimitExceeded: `mark` is not among the first `limit` bytes.
        """
        while (end := self._buffer.find(mark, self._at, self._at + limit)) < 0:
            if self.held >= limit:
                raise LimitExceeded(f"no end of line within {limit} bytes", self.offset)
            yield from self.hold(self.held + 1)
        return (yield from self.exactly(end - self._at + len(mark)))

    def datagram(self) -> Generator[Wait, None, bytes]:
        """The next datagram or handed-on message, whole."""
        while not self._messages:
            yield WAIT
        data = self._messages.pop(0)
        self.offset += len(data)
        return data

    def expect(self, n: int) -> None:
        """Say that the message being read has `n` more bytes to come, so that its turn is not cut inside it."""
        self._message = n

    def skip(self, n: int) -> Generator[Wait, None, None]:
        """Leave out exactly `n` bytes, however many turns they span.

        Raises:
            LimitExceeded: `n` is more than any lane has.
        """
        if n > SKIP_MAX_BYTES:
            raise LimitExceeded(f"{n} bytes to be left out", self.offset)
        if not self._passed(n):
            yield from self._until_left()

    def skipped(self, n: int) -> bool:
        """Leave out `n` bytes if all are there: ``r.skipped(n) or (yield from r.skip(n))`` is quicker."""
        if self.held < n:
            return False
        self._drop(n)
        self._forget()
        return True

    def pass_over(self, n: int) -> None:
        """Leave out `n` bytes, for a passer: those that are not there yet as they come."""
        self._passed(n)

    def give_up_turn(self) -> None:
        """The same as `next_turn`, for a passer."""
        self._drop(self.held)
        self._leave = _TURN

    def skip_until(self, mark: bytes, limit: int) -> Generator[Wait, None, None]:
        """Leave out everything up to and including `mark` (1 to 4 bytes); past `limit` bytes the rest of the turn."""
        found = self._buffer.find(mark, self._at)
        if found >= 0:
            self._drop(found - self._at + len(mark))
            return
        self._leave, self._mark, self._count = _UNTIL_MARK, mark, limit
        self._drop(max(0, self.held - len(mark) + 1))
        yield from self._until_left()

    def next_turn(self) -> Generator[Wait, None, None]:
        """Give up the rest of this turn. What comes next is the first byte of the lane's next turn."""
        self.give_up_turn()
        yield from self._until_left()

    # ------------------------------------------------------------------ for sessions

    @property
    def demand(self) -> Demand:
        """What the lane needs next; the same one as long as nothing changes."""
        return self.needs()

    def needs(self) -> Demand:
        """`demand`, for who calls it often."""
        held = self.held
        is_reading = self._leave == _NOTHING
        want = self._want - held if self._want > held and is_reading else 1
        message = max(want, self._message - held) if is_reading else 1
        if self._leave != _NOTHING or want != self._demand_want or message != self._demand_message:
            self._demand = Demand(_LEAVES[self._leave], self._count, self._mark, want, message)
            self._demand_want = want if self._leave == _NOTHING else 0
            self._demand_message = message
        return self._demand

    def hand_over(self) -> None:
        """Whoever feeds this reader has taken the demand over: bytes fed from now on are the wanted ones."""
        self._leave = _NOTHING

    def sleeps(self) -> bool:
        """Whether the dissector can do nothing with what has come."""
        if self._leave != _NOTHING:
            return True
        if self.passer is None:
            return False
        asleep = self.passer.passes(self)
        self._forget()
        return asleep

    @property
    def partial_mark(self) -> int:
        """While searching for a mark: bytes held that may be the beginning of it."""
        return self.held if self._leave == _UNTIL_MARK else 0

    def feed(self, data: bytes, turn: int) -> None:
        """Bytes of the lane, all from turn number `turn`, directly after those fed before."""
        if self._leave == _NOTHING:
            self._hold(self._buffer[self._at :] + data if self.held else data)
        elif self._leave == _BYTES:
            self._feed_skipping(data, turn)
        elif self._leave == _UNTIL_MARK:
            self._feed_searching(data)
        elif turn > self._turn:
            self._leave = _NOTHING
            self._hold(data)
        self._turn = turn

    def feed_datagram(self, data: bytes) -> None:
        """One whole datagram or handed-on message."""
        self._messages.append(data)

    def drain(self) -> bytes:
        """All unread bytes, which are then no longer here: for a hand-off."""
        data = self._buffer[self._at :]
        self._hold(b"")
        return data

    # ------------------------------------------------------------------ inside

    def _until_left(self) -> Generator[Wait, None, None]:
        self._forget()
        self._want, self._message = 1, 0
        while self._leave != _NOTHING:
            yield WAIT

    def _hold(self, data: bytes) -> None:
        """These are now the bytes that are there and unread."""
        self._buffer, self._at, self.held = data, 0, len(data)

    def _read(self, n: int) -> bytes:
        """The next `n` bytes, which are there."""
        at = self._at
        self._drop(n)
        return cut(self._buffer, at, at + n)

    def _passed(self, n: int) -> bool:
        """Leave out `n` bytes; whether all of them were there."""
        held = self.held
        if n <= held:
            self._drop(n)
            return True
        self._leave, self._count = _BYTES, n - held
        self._drop(held)
        self.offset += n - held
        return False

    def _forget(self) -> None:
        """Let go of what was read: while a lane waits it holds nothing else."""
        if self._at:
            self._buffer, self._at = cut(self._buffer, self._at, len(self._buffer)), 0

    def _drop(self, n: int) -> None:
        self._at += n
        self.held -= n
        self.offset += n

    def _feed_skipping(self, data: bytes, turn: int) -> None:
        dropped = min(self._count, len(data))
        self._count -= dropped
        if self._count == 0:
            self._leave = _NOTHING
            self.feed(data[dropped:], turn)

    def _feed_searching(self, data: bytes) -> None:
        self._hold(self._buffer[self._at :] + data)
        at = self._buffer.find(self._mark)
        if at >= 0:
            self._leave = _NOTHING
            self._drop(at + len(self._mark))
            return
        self._count -= len(data)
        if self._count <= 0:
            self._leave = _TURN
            self._hold(b"")
            return
        self._drop(max(0, self.held - len(self._mark) + 1))
