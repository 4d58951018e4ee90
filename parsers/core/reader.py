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

A reader never holds more than it was asked for plus one delivery: `MESSAGE_MAX_BYTES` bounds what may be asked for.
Reading moves an offset; what was read is let go of when the reader waits next, and not copied around until then.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import IntEnum
from typing import Final

import msgspec

from parsers.core.errors import LimitExceeded

MESSAGE_MAX_BYTES: Final = 65_536


class Wait(msgspec.Struct, frozen=True):
    """Yielded by a reader: put the generator aside until more bytes have come."""


WAIT: Final = Wait()


class Leave(IntEnum):
    """What to leave out of a lane before the next byte is read."""

    NOTHING = 0
    BYTES = 1
    UNTIL_MARK = 2
    TURN = 3


class Demand(msgspec.Struct, frozen=True):
    """What a lane needs next.

    Attributes:
        leave: what to leave out first.
        count: bytes to leave out (`BYTES`), or the limit of the search (`UNTIL_MARK`).
        mark: 1 to 4 bytes to search for.
        want: bytes that must be there before the dissector can go on, at least 1.
        message: bytes still to come of the message being read, at least `want`.
    """

    leave: Leave = Leave.NOTHING
    count: int = 0
    mark: bytes = b""
    want: int = 1
    message: int = 1


class Reader:
    """The bytes of one lane, from where the dissector began.

    Attributes:
        resumed: the lane was taken up again after a gap; its first bytes are only a candidate for a boundary.
        offset: bytes read or left out so far.
    """

    __slots__ = (
        "_at", "_buffer", "_count", "_demand", "_leave", "_mark", "_message", "_messages", "_turn", "_want",
        "offset", "resumed",
    )  # fmt: skip

    def __init__(self, *, resumed: bool = False, turn: int = 1) -> None:
        self.resumed = resumed
        self.offset = 0
        self._buffer = b""
        self._at = 0
        self._messages: list[bytes] = []
        self._want = 1
        self._message = 0
        self._leave = Leave.NOTHING
        self._count = 0
        self._mark = b""
        self._turn = turn
        self._demand = Demand()

    # ------------------------------------------------------------------ for dissectors

    def exactly(self, n: int) -> Generator[Wait, None, bytes]:
        """The next `n` bytes.

        Raises:
            LimitExceeded: `n` is more than `MESSAGE_MAX_BYTES`.
        """
        if len(self._buffer) - self._at < n:
            yield from self.hold(n)
        at = self._at
        self._at = end = at + n
        self.offset += n
        return self._buffer[at:end]

    def ready(self, n: int) -> bytes:
        """The next `n` bytes if all are there, else none: ``r.ready(n) or (yield from r.exactly(n))`` is quicker."""
        at = self._at
        end = at + n
        if len(self._buffer) < end:
            return b""
        self._at = end
        self.offset += n
        return self._buffer[at:end]

    def peek(self, n: int) -> Generator[Wait, None, bytes]:
        """The next `n` bytes, which stay unread.

        Raises:
            LimitExceeded: `n` is more than `MESSAGE_MAX_BYTES`.
        """
        if len(self._buffer) - self._at < n:
            yield from self.hold(n)
        return self._buffer[self._at : self._at + n]

    def hold(self, n: int) -> Generator[Wait, None, None]:
        """Wait until the next `n` bytes are there.

        Raises:
            LimitExceeded: `n` is more than `MESSAGE_MAX_BYTES`.
        """
        if n > MESSAGE_MAX_BYTES:
            raise LimitExceeded(f"a message of {n} bytes", self.offset)
        self._forget()
        while len(self._buffer) < n:
            self._want = n
            yield WAIT
        self._want = 1

    def seen(self, n: int) -> bytes:
        """Up to `n` of the next bytes, as many as are there; they stay unread."""
        return self._buffer[self._at : self._at + n]

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
        """Leave out exactly `n` bytes, however many turns they span."""
        held = len(self._buffer) - self._at
        self.offset += n
        if n <= held:
            self._at += n
            return
        self._at += held
        self._leave, self._count = Leave.BYTES, n - held
        yield from self._until_left()

    def skipped(self, n: int) -> bool:
        """Leave out `n` bytes if all are there: ``r.skipped(n) or (yield from r.skip(n))`` is quicker."""
        if len(self._buffer) - self._at < n:
            return False
        self._drop(n)
        self._forget()
        return True

    def skip_until(self, mark: bytes, limit: int) -> Generator[Wait, None, None]:
        """Leave out everything up to and including `mark` (1 to 4 bytes); past `limit` bytes the rest of the turn."""
        found = self._buffer.find(mark, self._at)
        if found >= 0:
            self._drop(found - self._at + len(mark))
            return
        self._leave, self._mark, self._count = Leave.UNTIL_MARK, mark, limit
        self._drop(max(0, self.held - len(mark) + 1))
        yield from self._until_left()

    def next_turn(self) -> Generator[Wait, None, None]:
        """Give up the rest of this turn. What comes next is the first byte of the lane's next turn."""
        self._drop(self.held)
        self._leave = Leave.TURN
        yield from self._until_left()

    @property
    def held(self) -> int:
        """Bytes that are there and unread."""
        return len(self._buffer) - self._at

    # ------------------------------------------------------------------ for sessions

    @property
    def demand(self) -> Demand:
        """What the lane needs next; the same one as long as nothing changes."""
        held = len(self._buffer) - self._at
        want = self._want - held if self._want > held else 1
        message = max(want, self._message - held)
        last = self._demand
        if (
            self._leave is not Leave.NOTHING
            or last.leave is not Leave.NOTHING
            or last.want != want
            or last.message != message
        ):
            last = self._demand = Demand(self._leave, self._count, self._mark, want, message)
        return last

    def hand_over(self) -> None:
        """Whoever feeds this reader has taken the demand over: bytes fed from now on are the wanted ones."""
        self._leave = Leave.NOTHING

    @property
    def partial_mark(self) -> int:
        """While searching for a mark: bytes held that may be the beginning of it."""
        return self.held if self._leave is Leave.UNTIL_MARK else 0

    def feed(self, data: bytes, turn: int) -> None:
        """Bytes of the lane, all from turn number `turn`, directly after those fed before."""
        if self._leave is Leave.NOTHING:
            if self._at < len(self._buffer):
                data = self._buffer[self._at :] + data
            self._buffer, self._at = data, 0
        elif self._leave is Leave.BYTES:
            self._feed_skipping(data, turn)
        elif self._leave is Leave.UNTIL_MARK:
            self._feed_searching(data)
        elif turn > self._turn:
            self._leave, self._buffer, self._at = Leave.NOTHING, data, 0
        self._turn = turn

    def feed_datagram(self, data: bytes) -> None:
        """One whole datagram or handed-on message."""
        self._messages.append(data)

    def drain(self) -> bytes:
        """All unread bytes, which are then no longer here: for a hand-off."""
        data, self._buffer, self._at = self._buffer[self._at :], b"", 0
        return data

    # ------------------------------------------------------------------ inside

    def _until_left(self) -> Generator[Wait, None, None]:
        self._forget()
        self._want, self._message = 1, 0
        while self._leave is not Leave.NOTHING:
            yield WAIT

    def _forget(self) -> None:
        """Let go of what was read: while a lane waits it holds nothing else."""
        self._buffer, self._at = self._buffer[self._at :], 0

    def _drop(self, n: int) -> None:
        self._at += n
        self.offset += n

    def _feed_skipping(self, data: bytes, turn: int) -> None:
        dropped = min(self._count, len(data))
        self._count -= dropped
        if self._count == 0:
            self._leave = Leave.NOTHING
            self.feed(data[dropped:], turn)

    def _feed_searching(self, data: bytes) -> None:
        self._buffer, self._at = self._buffer[self._at :] + data, 0
        at = self._buffer.find(self._mark)
        if at >= 0:
            self._leave = Leave.NOTHING
            self._drop(at + len(self._mark))
            return
        self._count -= len(data)
        if self._count <= 0:
            self._leave = Leave.TURN
            self._buffer = b""
            return
        self._drop(max(0, len(self._buffer) - len(self._mark) + 1))
