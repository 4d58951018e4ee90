"""What the two lanes of a conversation share: subjects, shared state, questions and their answers.

Questions and answers
---------------------
A client says who it is long before the server says whether it believes it. ``ask(key, fact)`` holds the fact until
``answer(key, outcome)``, in either order. It is emitted once, with what the answer adds to its details (a status code,
that a guest was let in). When too many questions are open, the oldest is emitted as `unknown`; so is what is open at
the end. Questions that are matched by an id of the protocol survive a gap; those matched by position only
(``positional=True``) are answered `unknown` at a gap in either lane: never a false *accepted*. A positional answer
belongs to what is open now or to nothing. It does not wait: its question may have come before the capture began.

``defer(key, make)`` does the same for a fact that is only whole later: it is made and emitted at ``release(key)``, or
at the end of the conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, TypeVar

import msgspec

from parsers.core.fact import Authentication, Fact, Outcome, Side, Subject

OPEN_MAX: Final = 256
ANSWERED_MAX: Final = 8
DESCRIBED_MAX_CHARS: Final = 128

T = TypeVar("T")


class _Question(msgspec.Struct):
    fact: Authentication
    positional: bool


class _Answer(msgspec.Struct, frozen=True):
    outcome: Outcome
    details: dict[str, Any] = {}


_NO_ANSWER: Final = _Answer(Outcome.UNKNOWN)
_SIDES: Final = (Subject(Side.INITIATOR), Subject(Side.RESPONDER))


class Conversation:
    """The state that both lanes' dissectors of one conversation share.

    Attributes:
        midstream: its beginning was not seen.
        gaps: how often bytes were missing so far, in either lane.
    """

    __slots__ = ("_answered", "_answers", "_deferred", "_emitted", "_questions", "_shared", "gaps", "midstream")

    def __init__(self, *, midstream: bool = False) -> None:
        self.midstream = midstream
        self.gaps = 0
        self._shared: dict[Callable[[], object], object] = {}
        self._questions: dict[Hashable, _Question] = {}
        self._answers: dict[Hashable, _Answer] = {}
        self._deferred: dict[Hashable, Callable[[], Fact | None]] = {}
        self._answered: dict[int, tuple[Authentication, _Answer, Authentication]] = {}
        self._emitted: list[Fact] = []

    def me(self, side: Side) -> Subject:
        """The side itself: one and the same subject in all conversations."""
        return _SIDES[side]

    def peer(self, side: Side) -> Subject:
        """The other side."""
        return _SIDES[1 - side]

    def described(self, side: Side, key: str) -> Subject:
        """A thing that `side` speaks of, by a key that is stable within what it says (`serial:4711`)."""
        return Subject(side, key[:DESCRIBED_MAX_CHARS])

    def shared(self, kind: Callable[[], T]) -> T:
        """The one instance of class `kind` that belongs to this conversation; made on first use."""
        found: Any = self._shared.get(kind)
        if found is None:
            found = self._shared[kind] = kind()
        return found  # type: ignore[no-any-return]

    def emit(self, fact: Fact) -> None:
        """State a fact from where nothing can be yielded."""
        self._emitted.append(fact)

    def emit_all(self, facts: Iterable[Fact]) -> None:
        """State facts that were made together, as those of a message that was read before."""
        self._emitted += facts

    def ask(self, key: Hashable, fact: Authentication, *, positional: bool = False) -> None:
        """Hold `fact` until the answer to `key` is known."""
        answered = self._answers.pop(key, None)
        if answered is not None:
            self._emit_answered(fact, answered)
            return
        previous = self._questions.pop(key, None)
        if previous is not None:
            self._emit_answered(previous.fact, _NO_ANSWER)
        self._questions[key] = _Question(fact, positional)
        if len(self._questions) > OPEN_MAX:
            oldest = self._questions.pop(next(iter(self._questions)))
            self._emit_answered(oldest.fact, _NO_ANSWER)

    def answer(self, key: Hashable, outcome: Outcome, *, positional: bool = False, **details: object) -> None:
        """Answer `key`; `details` join the fact's. Unless `positional`, it waits for a question not read yet."""
        answer = _Answer(outcome, details)
        question = self._questions.pop(key, None)
        if question is not None:
            self._emit_answered(question.fact, answer)
        elif not positional:
            self._wait(key, answer)

    def asked(self, key: Hashable) -> Authentication | None:
        """The open question under `key`, if there is one."""
        question = self._questions.get(key)
        return question.fact if question is not None else None

    def defer(self, key: Hashable, make: Callable[[], Fact | None]) -> None:
        """Let `make` state a fact at `release(key)`, or at the end; or None. The first call for a key counts."""
        if key not in self._deferred and len(self._deferred) < OPEN_MAX:
            self._deferred[key] = make

    def release(self, key: Hashable) -> None:
        """Make and state what was deferred under `key`; nothing if there is none."""
        make = self._deferred.pop(key, None)
        if make is not None:
            self._emit_made(make)

    # ------------------------------------------------------------------ for sessions

    def gap(self) -> None:
        """Bytes of a lane are missing: what is matched by position can no longer be answered."""
        self.gaps += 1
        for key in [key for key, question in self._questions.items() if question.positional]:
            self._emit_answered(self._questions.pop(key).fact, _NO_ANSWER)

    def end(self) -> None:
        """The conversation is over: state all that is open."""
        for question in self._questions.values():
            self._emit_answered(question.fact, _NO_ANSWER)
        for make in self._deferred.values():
            self._emit_made(make)
        self._questions.clear()
        self._deferred.clear()

    def collect(self) -> list[Fact]:
        """What was stated since the last call."""
        if not self._emitted:
            return []
        stated, self._emitted = self._emitted, []
        return stated

    # ------------------------------------------------------------------ inside

    def _wait(self, key: Hashable, answer: _Answer) -> None:
        self._answers[key] = answer
        if len(self._answers) > OPEN_MAX:
            del self._answers[next(iter(self._answers))]

    def _emit_answered(self, fact: Authentication, answer: _Answer) -> None:
        """A claim that is made again and again, and answered the same, is one and the same fact."""
        last = self._answered.get(id(fact))
        if last is None or last[0] is not fact or last[1] != answer:
            if len(self._answered) >= ANSWERED_MAX:
                self._answered.clear()
            details = fact.details | answer.details
            stated = msgspec.structs.replace(fact, outcome=answer.outcome, details=details)
            last = self._answered[id(fact)] = fact, answer, stated
        self._emitted.append(last[2])

    def _emit_made(self, make: Callable[[], Fact | None]) -> None:
        fact = make()
        if fact is not None:
            self._emitted.append(fact)
