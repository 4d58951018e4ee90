# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, auto_pickle=False
"""Dispatch: events to sessions, the sessions' facts to what was said.

For every flow whose bytes matter there is one `Session`. `Flows` (`sensor.engine.flows`) takes the engine's events.
What is known, because other conversations went the same way, it does again by itself; for all else it calls a method
here. That feeds the flow's session, sees what it needs next, and returns both as a `Step`: words that are to be said,
and what goes straight back to the engine (`skip`, `skip_until`, `next_turn`, `want`, `done`), before the next byte is
copied. What was done at a turn is learnt for others (`sensor.recall`).

So an event goes one way: engine, flows, dispatch, session. Nothing calls upwards, each returns what is to be done.

Facts are stamped with time, addresses, capture quality and evidence (`say`), and secrets become digests here.

A fact of a conversation that lives past midnight is stated again, as `continued`, when its flow is first active on
the new UTC day. What a flow was that day the engine folds by itself, under the label that it is given here.

The one bulkhead of the project stands here: a dissector that fails with anything but a `ProtocolError` is our bug. It
is counted (`parser_failures`), costs its lane, and nothing else. `bulkhead=False` lets it through, for tests.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from itertools import chain, product
from typing import Final

import msgspec

from parsers.core import (
    Anomaly,
    Attribute,
    Authentication,
    Confidence,
    Fact,
    Leave,
    Protocol,
    Registry,
    Secret,
    Sensitivity,
    Session,
    Side,
)
from sensor.budget import Budget
from sensor.days import TRANSPORT, Label
from sensor.engine import Engine, Flow, Flows, Step
from sensor.engine.flows import Reader
from sensor.engine.seen import Counted, Words
from sensor.recall import COURSES_MAX, Recall, Run
from sensor.sighting import Ends, Quality, Said, statement
from sensor.site import Site
from sensor.sitekey import SecretMark, SiteKey

RESTATED_MAX: Final = 64
CLAIMS_MAX: Final = 4_096
BOTH: Final = (0, 1)
DONE, UNLISTEN = 1, 2
"""See `Step.last`."""
FEED, FEED_DATAGRAM, HAND_OVER, MISS, FINISH = range(5)
"""What happens to a session."""
NOTHING: Final = Leave.NOTHING
INITIATOR: Final = Side.INITIATOR
PRINCIPAL: Final = Sensitivity.PRINCIPAL
_NUMBERS: Final = struct.Struct("=12q")
_WORDS: Final = struct.Struct(">4I")
_encode: Final = msgspec.json.Encoder().encode
_QUALITIES: Final = tuple(Quality(*which) for which in product((False, True), repeat=5))

Pump = Callable[[Engine, Callable[[], int]], Iterator[int]]
"""As `Capture.pump`: gives the engine its windows, and calls until one is used up what takes its events."""


class Dispatcher(Reader):
    """Runs one capture's events through sessions.

    Args:
        engine: where the events come from and the demands go to.
        registry: the parsers.
        site: scopes and privacy.
        key: digests secrets.
        tell: is called with what was said. It may return a place's counts: what was said there before is then counted
            in these, as long as they are not emptied, and not told again.
        budget: how much sessions and conversations may hold.
        bulkhead: catch dissectors' bugs; off in tests.

    Attributes:
        tell: see above.
        labels: protocol and confidence by the number that the engine folds flows under.
        flows: those under way.
    """

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        site: Site,
        key: SiteKey,
        tell: Callable[[Said], Counted | None],
        *,
        budget: Budget = Budget(),  # noqa: B008 - it is immutable
        bulkhead: bool = True,
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._site = site
        self._key = key
        self.tell = tell
        self._bulkhead = bulkhead
        self._claims: dict[int, tuple[Authentication, Words]] = {}
        self._claimed: dict[bytes, Words] = {}
        self._recall = Recall()
        hints = frozenset(port for protocol in registry.protocols for port in protocol.port_hints)
        self.flows = Flows(
            engine, self, _QUALITIES, self._recall.roots, hints, budget.session_bytes, COURSES_MAX, budget.run_bytes
        )
        self._failures = 0
        self._numbers: dict[tuple[str, Confidence], int] = {("", Confidence.PORT): 0}
        self._protocol: Protocol | None = None
        self._confidence = Confidence.PORT
        self._name, self._number = "", 0
        self.labels: list[Label] = [("", "port")]
        self._counters: Counter[str] = Counter()
        engine.listen(registry.beginnings("tcp"), registry.beginnings("udp"))

    @property
    def counters(self) -> dict[str, int]:
        """What was counted so far."""
        flows = {"runs_known": self.flows.known, "evicted_facts": self.flows.unkept}
        return {**self._counters, **flows, "runs_learnt": self._recall.learnt}

    def run(self, pump: Pump) -> Iterator[int]:
        """The source's events that are not about flows, and now and then one that is; all are worked off."""
        return pump(self._engine, self.flows.step)

    # ------------------------------------------------------------------ what happens to a flow, for `Flows`

    def read(self, flow: Flow, lane: int, turn: int, data: bytes) -> Step:
        """Bytes that no conversation has said here before."""
        session = self._session_of(flow)
        flow.leaving &= ~(1 << lane)
        known, failures = session.protocol, self._failures
        facts = self._guarded(session, FEED, lane, data, turn)
        step = self._settled(flow, session, facts, (lane,) if session.protocol is known else BOTH)
        if flow.node is not None and self._failures == failures and not self.flows.is_crowded:
            self._learn(flow, session, lane, turn, data, step)
        return step

    def read_datagram(self, flow: Flow, lane: int, data: bytes) -> Step:
        """A datagram."""
        is_new = flow.session is None
        session = self._session_of(flow)
        facts = self._guarded(session, FEED_DATAGRAM, lane, data)
        if is_new:
            flow.held_bytes = session.weighs()
        return self._step(session, facts, DONE if session.done else 0)

    def miss(self, flow: Flow, lane: int) -> Step:
        """Bytes are missing."""
        session = self._session_of(flow)
        flow.gap = True
        flow.leaving &= ~(1 << lane)
        return self._settled(flow, session, self._guarded(session, MISS, lane), BOTH)

    def end(self, flow: Flow) -> Step:
        """Nothing follows."""
        session, failures = self._session_of(flow), self._failures
        step = self._step(session, self._guarded(session, FINISH, 0), 0)
        if flow.node is not None and self._failures == failures:
            self._recall.learn_end(flow.node, session.protocol, step)
        return step

    def let_go(self, flow: Flow) -> Step:
        """A gap in both lanes: what they hold is dropped, and they go on at a boundary. Who holds nothing goes."""
        session = self._session_of(flow)
        if not session.held_bytes:
            return self._dismiss(session)
        self._counters["evicted_session_bytes"] += session.held_bytes
        flow.gap, flow.leaving = True, 0
        facts = self._guarded(session, MISS, 0) + self._guarded(session, MISS, 1)
        return self._settled(flow, session, facts, BOTH)

    def _dismiss(self, session: Session) -> Step:
        """As if the conversation ended here; where it begins again, another session joins it in its midst."""
        self._counters["evicted_sessions"] += 1
        return self._step(session, self._guarded(session, FINISH, 0), UNLISTEN)

    # ------------------------------------------------------------------ what else `Flows` asks for

    def ends_of(self, key: bytes) -> Ends:
        """Who talks with whom, as the engine's `ends` says it."""
        *words, mac_i, mac_r, rest, port = _NUMBERS.unpack(key)
        initiator, responder = _ip(words[:4], rest), _ip(words[4:], rest)
        return Ends(rest & 0xFF, rest >> 16, (initiator, mac_i), (responder, mac_r), port)

    def say(self, flow: Flow, words: Words, quality: Quality, continued: bool) -> Counted | None:  # noqa: FBT001
        """Tell what was said with what was heard last of the flow."""
        return self.tell(
            statement(flow.ts_us, flow.frame, flow.ends, flow.port, flow.protocol, words, quality, continued)
        )

    def condense(self, flow: Flow) -> None:
        """Keep the first `RESTATED_MAX` different facts of what was stated; if they are all, add none later."""
        said: dict[Hashable, tuple[Fact, SecretMark | None]] = {}
        for fact, mark in chain.from_iterable([words.each() for words in flow.stated or ()]):
            if not isinstance(fact, Anomaly) and len(said) < RESTATED_MAX:
                key = fact if isinstance(fact, Attribute) else (type(fact), _encode(fact), mark)
                said.setdefault(key, (fact, mark))
        flow.stated = [Words(*zip(*said.values(), strict=True))] if said else None
        flow.stated_count = len(said) if len(said) < RESTATED_MAX else -1

    # ------------------------------------------------------------------ sessions

    def _session_of(self, flow: Flow) -> Session:
        session = flow.session
        return self._catch_up(flow) if session is None else session

    def _catch_up(self, flow: Flow) -> Session:
        """A session that has heard all that the flow has said; what it states was stated."""
        over = TRANSPORT[flow.ends.transport]
        session = flow.session = Session(
            self._registry,
            over,
            (flow.ports & 0xFFFF, flow.ports >> 16),
            midstream=flow.midstream,
            roles_guessed=flow.midstream or over == "udp",
        )
        node = flow.node
        for lane, turn, data in zip(node.lanes, node.turns, flow.runs or (), strict=True) if node is not None else ():
            flow.leaving &= ~(1 << lane)
            known = session.protocol
            session.feed(lane, data, turn)
            self._settled(flow, session, [], (lane,) if session.protocol is known else BOTH)
        return session

    def _guarded(self, session: Session, what: int, lane: int, data: bytes = b"", turn: int = 0) -> list[Fact]:
        """The facts that a session states when this happens to it."""
        try:
            if what == FEED:
                return session.feed(lane, data, turn)
            if what == FEED_DATAGRAM:
                return session.feed_datagram(lane, data)
            if what == HAND_OVER:
                return session.hand_over(lane)
            return session.gap(lane) if what == MISS else session.end()
        except Exception as error:  # the one bulkhead: a parser's bug costs its lane, not the sensor
            if not self._bulkhead:
                raise
            self._count_failure(session, error)
            return session.fail(lane)

    def _count_failure(self, session: Session, error: Exception) -> None:
        protocol = session.protocol
        self._failures += 1
        self._counters["parser_failures"] += 1
        self._counters[f"parser_failures.{protocol.name if protocol else 'session'}.{type(error).__name__}"] += 1

    def _settled(self, flow: Flow, session: Session, facts: list[Fact], lanes: tuple[int, ...]) -> Step:
        """What to tell the engine about lanes: both, when it was found out what they are, or that they are not."""
        step = Step()
        for lane in lanes:
            self._settle_lane(flow, session, step, facts, lane)
        if session.done:
            step.last = DONE
        elif session.protocol is None and not session.held_bytes:  # nobody knows it: the engine looks at all its turns
            session.reconsider()
            step.last = UNLISTEN
        flow.held_bytes = session.weighs()
        return self._finished(step, session, facts)

    def _settle_lane(self, flow: Flow, session: Session, step: Step, facts: list[Fact], lane: int) -> None:
        if session.closed(lane):
            if not session.done:
                step.close(lane)
            return
        demand = session.demand(lane)
        if demand.leave is not NOTHING and not flow.leaving >> lane & 1 and session.can_hand_over(lane):
            step.leave(lane, demand.leave, demand.count, demand.mark)
            facts += self._hand_over(flow, session, lane)
            demand = session.demand(lane)
            if session.closed(lane):
                step.close(lane)
                return
        step.wait(lane, demand.want, demand.message)

    def _hand_over(self, flow: Flow, session: Session, lane: int) -> list[Fact]:
        """One demand at a time is the engine's: until the lane's next bytes come, the next stays with the session."""
        flow.leaving |= 1 << lane
        return self._guarded(session, HAND_OVER, lane)

    def _step(self, session: Session, facts: list[Fact], last: int) -> Step:
        """What a session does without asking anything of its lanes."""
        step = Step()
        step.last = last
        return self._finished(step, session, facts)

    def _finished(self, step: Step, session: Session, facts: list[Fact]) -> Step:
        """The step with what was stated, and what the conversation is known as now."""
        protocol, confidence = session.protocol, session.confidence
        if protocol is not self._protocol or confidence is not self._confidence:
            self._protocol, self._confidence = protocol, confidence
            self._name = protocol.name if protocol is not None else ""
            self._number = self._number_of(self._name, confidence)
        step.protocol, step.label = self._name, self._number << 1 | session.lane(INITIATOR)
        step.words = self._words(facts) if facts else None
        step.ends = session.done
        return step

    def _number_of(self, name: str, confidence: Confidence) -> int:
        """The number that flows are folded under."""
        number = self._numbers.get((name, confidence))
        if number is None:
            number = self._numbers[name, confidence] = len(self.labels)
            self.labels.append((name, confidence.label))
        return number

    def _learn(self, flow: Flow, session: Session, lane: int, turn: int, data: bytes, step: Step) -> None:
        """The step may be taken again: the flow stays on the way of others. Or else it leaves it."""
        assert flow.node is not None
        protocol = session.protocol
        if protocol is None or protocol.blanks is None:
            return
        if step.words is None or step.words.marks is None:  # of a secret the next one might say another
            run = Run(lane, turn, data)
            self._recall.learn(flow.node, run, flow.runs or [], protocol, session.side(lane), step)

    # ------------------------------------------------------------------ stamping

    def _words(self, facts: list[Fact]) -> Words:
        """Facts as they may be kept. One claim alone that is made again and again is put into the same words."""
        fact = facts[0]
        if len(facts) > 1 or not isinstance(fact, Authentication) or fact.secret is not None:
            return Words(*self._without_secrets(facts))
        known = self._claims.get(id(fact))
        if known is None or known[0] is not fact:
            known = self._claims[id(fact)] = fact, self._known_claim(fact)
            if len(self._claims) > CLAIMS_MAX:
                self._claims.clear()
        return known[1]

    def _known_claim(self, fact: Authentication) -> Words:
        """The words of all who claim the same."""
        if len(self._claimed) >= CLAIMS_MAX:
            self._claimed.clear()
        said = _encode(fact)
        words = self._claimed.get(said)
        if words is None:
            words = self._claimed[said] = Words(*self._without_secrets([fact]), known=True)
        return words

    def _without_secrets(self, facts: list[Fact]) -> tuple[tuple[Fact, ...], tuple[SecretMark | None, ...] | None]:
        """The facts without secrets, principals as the site wants them; and what is kept of secrets: see `Words`."""
        kept = facts
        marks: list[SecretMark | None] | None = None
        for at, fact in enumerate(facts):
            if type(fact) is Attribute:
                if fact.sensitivity is not PRINCIPAL:
                    continue
                said: Fact = msgspec.structs.replace(fact, value=self._named(fact.value, fact.sensitivity))
            elif isinstance(fact, Authentication):
                secret, principal = fact.secret, fact.principal
                if isinstance(secret, Secret):
                    marks = marks or [None] * len(facts)
                    marks[at] = self._key.mark(secret.reveal(), principal)
                named = principal and self._named(principal, fact.sensitivity)
                said = msgspec.structs.replace(fact, secret=None, principal=named)
            else:
                continue
            if kept is facts:
                kept = facts.copy()
            kept[at] = said
        return tuple(kept), None if marks is None else tuple(marks)

    def _named(self, principal: str, sensitivity: Sensitivity) -> str:
        """The principal, or its pseudonym where the site wants that of accounts."""
        hidden = sensitivity is PRINCIPAL and self._site.privacy.principals == "pseudonym"
        return self._key.pseudonym(principal) if hidden else principal


def _ip(words: list[int], rest: int) -> bytes:
    """A packed address of its four words; what else stands in a flow's key says of which family it is."""
    return words[3].to_bytes(4) if rest >> 8 & 0xFF == 4 else _WORDS.pack(*words)
