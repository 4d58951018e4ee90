# cython: language_level=3, annotation_typing=False, auto_pickle=False
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
WAITING_BYTES: Final = 640
DESCRIBED_MAX_CHARS: Final = 128

T = TypeVar("T")


_UNKNOWN: Final = Outcome.UNKNOWN
_NO_DETAILS: Final[dict[str, Any]] = {}
_SIDES: Final = (Subject(Side.INITIATOR), Subject(Side.RESPONDER))


class _Question:
    """A claim that waits for its answer."""

    __slots__ = ("fact", "positional")

    def __init__(self, fact: Authentication, positional: bool) -> None:  # noqa: FBT001 - C has no keywords
        self.fact = fact
        self.positional = positional


class _Answer:
    """An answer that waits for its question."""

    __slots__ = ("details", "outcome")

    def __init__(self, outcome: Outcome, details: dict[str, Any]) -> None:
        self.outcome = outcome
        self.details = details


class _Answered:
    """A claim, its answer, and the fact that was made of both."""

    __slots__ = ("details", "fact", "outcome", "stated")

    def __init__(self, fact: Authentication, outcome: Outcome, details: dict[str, Any]) -> None:
        self.fact = fact
        self.outcome = outcome
        self.details = details
        self.stated = answered(fact, outcome, details)


def answered(fact: Authentication, outcome: Outcome, details: dict[str, Any]) -> Authentication:
    """A claim with what was answered to it."""
    return msgspec.structs.replace(fact, outcome=outcome, details=fact.details | details)


class Conversation:
    """The state that both lanes' dissectors of one conversation share.

    Attributes:
        midstream: its beginning was not seen.
        gaps: how often bytes were missing so far, in either lane.
        kept_bytes: what dissectors keep of a sender's lists, as far as these can be long.
    """

    __slots__ = (
        "_answered",
        "_answers",
        "_deferred",
        "_emitted",
        "_questions",
        "_shared",
        "gaps",
        "kept_bytes",
        "midstream",
    )

    def __init__(self, *, midstream: bool = False) -> None:
        self.midstream = midstream
        self.gaps = self.kept_bytes = 0
        self._shared: dict[Callable[[], object], object] = {}
        self._questions: dict[Hashable, _Question] = {}
        self._answers: dict[Hashable, _Answer] = {}
        self._deferred: dict[Hashable, Callable[[], Fact | None]] = {}
        self._answered: dict[int, _Answered] = {}
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
        self._ask(key, fact, positional)

    def answer(self, key: Hashable, outcome: Outcome, *, positional: bool = False, **details: object) -> None:
        """Answer `key`; `details` join the fact's. Unless `positional`, it waits for a question not read yet."""
        self.answer_with(key, outcome, details, positional)

    def answer_with(self, key: Hashable, outcome: Outcome, details: dict[str, Any], positional: bool) -> None:  # noqa: FBT001 - C has no keywords
        """The same, with details that stay what they are."""
        question = self._questions.pop(key, None)
        if question is not None:
            self._emit_answered(question.fact, outcome, details)
        elif not positional:
            self._answers[key] = _Answer(outcome, details)
            if len(self._answers) > OPEN_MAX:
                del self._answers[next(iter(self._answers))]

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
        for key in list(self._questions):
            question = self._questions[key]
            if question.positional:
                self._close(key, question)

    def weight(self) -> int:
        """Bytes that are kept, with what waits: questions, answers, and facts that are made later."""
        return self.kept_bytes + WAITING_BYTES * (len(self._questions) + len(self._answers) + len(self._deferred))

    def end(self) -> None:
        """The conversation is over: state all that is open."""
        for question in self._questions.values():
            self._emit_answered(question.fact, _UNKNOWN, _NO_DETAILS)
        for make in self._deferred.values():
            self._emit_made(make)
        self._questions.clear()
        self._deferred.clear()

    def forget(self) -> None:
        """Nobody will ask for what was deferred. What makes it holds this conversation: neither would be freed."""
        self._deferred.clear()

    def collect(self) -> list[Fact]:
        """What was stated since the last call."""
        stated, self._emitted = self._emitted, []
        return stated

    def collect_into(self, facts: list[Fact]) -> None:
        """Add to `facts` what was stated since the last call: most often nothing."""
        if self._emitted:
            facts += self._emitted
            self._emitted.clear()

    # ------------------------------------------------------------------ inside

    def _ask(self, key: Hashable, fact: Authentication, positional: bool) -> None:  # noqa: FBT001 - C has no keywords
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._emit_answered(fact, answer.outcome, answer.details)
            return
        question = self._questions.get(key)
        if question is not None:
            self._close(key, question)
        self._questions[key] = _Question(fact, positional)
        if len(self._questions) > OPEN_MAX:
            oldest = next(iter(self._questions))
            self._close(oldest, self._questions[oldest])

    def _close(self, key: Hashable, question: _Question) -> None:
        """Nobody will answer this one."""
        del self._questions[key]
        self._emit_answered(question.fact, _UNKNOWN, _NO_DETAILS)

    def _emit_answered(self, fact: Authentication, outcome: Outcome, details: dict[str, Any]) -> None:
        """A claim that is made again and again, and answered the same, is one and the same fact."""
        last = self._answered.get(id(fact))
        if last is None or last.fact is not fact or last.outcome is not outcome or last.details != details:
            if len(self._answered) >= ANSWERED_MAX:
                self._answered.clear()
            last = self._answered[id(fact)] = _Answered(fact, outcome, details)
        self._emitted.append(last.stated)

    def _emit_made(self, make: Callable[[], Fact | None]) -> None:
        fact = make()
        if fact is not None:
            self._emitted.append(fact)
