"""Dispatch: the engine's events to sessions, the sessions' facts to what was said.

For every flow whose bytes matter there is one `Session`. An event of the engine is handed to it; what the session then
needs next goes straight back to the engine (`skip`, `skip_until`, `next_turn`, `want`, `done`), before the next byte is
copied. Facts are stamped here with time, addresses, capture quality and evidence, and secrets become digests here.

A conversation that goes the way of earlier ones needs no session: what was done then is done again (`sensor.recall`).

A fact of a conversation that lives past midnight is stated again, as `continued`, when its flow is first active on
the new UTC day. What a flow was that day the engine folds by itself, under the label that it is given here.

The one bulkhead of the project stands here: a dissector that fails with anything but a `ProtocolError` is our bug. It
is counted (`parser_failures`), costs its lane, and nothing else. `bulkhead=False` lets it through, for tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from itertools import product
from typing import Any, Final, ParamSpec, Protocol

import msgspec

from parsers.core import (
    Anomaly,
    Attribute,
    Authentication,
    Confidence,
    Demand,
    Fact,
    Leave,
    Registry,
    Secret,
    Sensitivity,
    Session,
    Side,
)
from sensor import engine as engine_events
from sensor.days import TRANSPORT, Label
from sensor.engine import FLOWS, Engine, Flow, Recaller, Seen, Step
from sensor.recall import COURSES_MAX, Recall, Run
from sensor.sighting import Ends, Quality, Said, Words
from sensor.site import Site
from sensor.sitekey import SecretMark, SiteKey

TCP: Final = 6
RESTATED_MAX: Final = 64
ENDS_MAX: Final = 65_536
CLAIMS_MAX: Final = 4_096
HELD_PER_FLOW_BYTES: Final = 1_024
"""Of what sessions hold, objects included: for each flow that the engine has room for."""
SESSION_BYTES: Final = 1_280
READER_BYTES: Final = 10_240
"""What the objects of a session take, without and with dissectors, as measured; few take more."""
BOTH: Final = (0, 1)
_encode: Final = msgspec.json.Encoder().encode
_QUALITIES: Final = tuple(Quality(*which) for which in product((False, True), repeat=5))

P = ParamSpec("P")
Order = tuple[Any, ...]
"""A method of the engine, and its arguments after the flow's row."""
Counted = dict[Any, Seen]
"""What was said at one place, and how often."""


class _Orders:
    """What the engine can be told; methods that are asked for once."""

    __slots__ = ("close_lane", "done", "next_turn", "skip", "skip_until", "unlisten", "want")

    def __init__(self, engine: Engine) -> None:
        self.want, self.skip, self.skip_until = engine.want, engine.skip, engine.skip_until
        self.next_turn, self.close_lane, self.done = engine.next_turn, engine.close_lane, engine.done
        self.unlisten = engine.unlisten


class _Events(Protocol):
    """A source of events: `CaptureFile.pump` and whatever stands in for it."""

    def __call__(self, engine: Engine) -> Iterator[int]: ...


class Dispatcher:
    """Runs one capture's events through sessions.

    Args:
        engine: where the events come from and the demands go to.
        registry: the parsers.
        site: scopes and privacy.
        key: digests secrets.
        tell: is called with what was said. It may return a place's counts: what was said there before is then counted
            in these, as long as they are not emptied, and not told again.
        flows: how many the engine has room for; what all sessions together may hold goes by it.
        bulkhead: catch dissectors' bugs; off in tests.

    Attributes:
        tell: see above.
        labels: protocol and confidence by the number that the engine folds flows under.
    """

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        site: Site,
        key: SiteKey,
        tell: Callable[[Said], Counted | None],
        *,
        flows: int = FLOWS,
        bulkhead: bool = True,
    ) -> None:
        self._engine = engine
        self._held_max_bytes = flows * HELD_PER_FLOW_BYTES
        self._registry = registry
        self._site = site
        self._key = key
        self.tell = tell
        self._bulkhead = bulkhead
        self._ends: dict[Ends, Ends] = {}
        self._claims: dict[int, tuple[Authentication, Words]] = {}
        self._claimed: dict[bytes, Words] = {}
        self._recall = Recall()
        self._recaller = Recaller(engine, self, _QUALITIES)
        self._flows = self._recaller.flows
        self._held: dict[int, int] = {}
        self._held_bytes = 0
        self._hints = frozenset(port for protocol in registry.protocols for port in protocol.port_hints)
        self._tell = _Orders(engine)
        self._numbers: dict[tuple[str, Confidence], int] = {("", Confidence.PORT): 0}
        self.labels: list[Label] = [("", "port")]
        self._counters: Counter[str] = Counter()
        self._handlers: dict[int, Callable[[int], None]] = {
            engine_events.DATA: self._recaller.hear,
            engine_events.DATAGRAM: self._on_datagram,
            engine_events.GAP: self._on_gap,
            engine_events.DAY: self._on_day,
            engine_events.END: self._on_end,
        }
        engine.listen(registry.beginnings("tcp"), registry.beginnings("udp"))

    @property
    def counters(self) -> dict[str, int]:
        """What was counted so far."""
        return {**self._counters, "runs_known": self._recaller.known, "runs_learnt": self._recall.learnt}

    def run(self, events: _Events) -> Iterator[int]:
        """Every event of the source, once it is worked off."""
        handlers, engine = self._handlers, self._engine
        for event in events(engine):
            if event in handlers:
                handlers[event](engine.flow)
            yield event

    # ------------------------------------------------------------------ events

    def _on_datagram(self, row: int) -> None:
        flow, lane = self._flow(row), self._engine.lane
        if flow.done:
            return
        is_new = flow.session is None
        session = flow.session or self._catch_up(flow)
        facts = self._guarded(flow, session, lane, session.feed_datagram, lane, self._engine.take())
        self._go(row, flow, self._step(session, facts, [(self._tell.done,)] if session.done else []))
        if is_new or flow.session is None:
            self._weigh(row, flow)

    def _on_gap(self, row: int) -> None:
        flow, lane = self._flow(row), self._engine.lane
        if flow.done:
            return
        session = flow.session or self._catch_up(flow)
        flow.gap = True
        flow.leaving &= ~(1 << lane)
        facts = self._guarded(flow, session, lane, session.gap, lane)
        self._go(row, flow, self._settled(flow, session, facts, BOTH))
        self._weigh(row, flow)

    def _on_day(self, row: int) -> None:
        flow = self._flow(row)
        self.condense(flow)
        for words in flow.stated or ():
            self.say(flow, words, self._recaller.quality(row, flow), continued=True)

    def _on_end(self, row: int) -> None:
        flow = self._flow(row)
        if not flow.done:
            session = flow.session or self._catch_up(flow)
            self._go(row, flow, self._step(session, self._guarded(flow, session, 0, session.end), []))
        self._flows.pop(row, None)
        self.interrupt(row, flow)

    # ------------------------------------------------------------------ for the recaller

    def open(self, row: int) -> Flow:
        """A flow that nothing was heard of so far."""
        addresses, flags = self._engine.addresses(row), self._engine.flags(row)
        midstream, gap = bool(flags & engine_events.MIDSTREAM), bool(flags & engine_events.GAP_SEEN)
        node = None
        if addresses[0] == TCP and not gap and self._recaller.courses < COURSES_MAX:
            self._recaller.courses += 1
            ports = tuple([port if port in self._hints else 0 for port in (addresses[7], addresses[4])])
            node = self._recall.root((midstream, ports))
        flow = self._flows[row] = Flow(addresses, midstream, gap, node)
        self._cast(flow, swapped=False)
        return flow

    def read(self, row: int, flow: Flow, lane: int, turn: int, data: bytes) -> None:
        """Bytes that no conversation has said here before."""
        session = flow.session or self._catch_up(flow)
        flow.leaving &= ~(1 << lane)
        known = session.protocol
        facts = self._guarded(flow, session, lane, session.feed, lane, data, turn)
        step = self._settled(flow, session, facts, (lane,) if session.protocol is known else BOTH)
        if flow.node is not None:
            self._learn(flow, session, Run(lane, turn, data), step)
        self._go(row, flow, step, data)
        self._weigh(row, flow)

    def interrupt(self, row: int, flow: Flow) -> None:
        """The session has not heard the last bytes; another one is made when there is something new."""
        flow.session = None
        if row in self._held:
            self._weigh(row, flow)

    def condense(self, flow: Flow) -> None:
        """Keep the first `RESTATED_MAX` different facts of what was stated; if they are all, add none later."""
        said: dict[Hashable, tuple[Fact, SecretMark | None]] = {}
        for fact, mark in (one for words in flow.stated or () for one in words.facts):
            if not isinstance(fact, Anomaly) and len(said) < RESTATED_MAX:
                key = fact if isinstance(fact, Attribute) else (type(fact), _encode(fact), mark)
                said.setdefault(key, (fact, mark))
        flow.stated = [Words(tuple(said.values()))] if said else None
        flow.stated_count = len(said) if len(said) < RESTATED_MAX else -1

    def relabel(self, row: int, flow: Flow, step: Step) -> None:
        """The conversation is known as something else."""
        if (step.label ^ flow.label) & 1:
            self._cast(flow, swapped=bool(step.label & 1))
        flow.label, flow.protocol = step.label, step.protocol
        self._engine.label(row, step.label)

    def say(self, flow: Flow, words: Words, quality: Quality, continued: bool) -> Counted | None:  # noqa: FBT001
        """Tell what was said just now."""
        engine = self._engine
        return self.tell(
            Said(engine.ts_us, engine.frame, flow.ends, flow.port, flow.protocol, words, quality, continued)
        )

    def finish(self, row: int, flow: Flow) -> None:
        """Nothing more of this flow is read; what it has stated is kept for midnight."""
        flow.done, flow.session = True, None
        if not flow.stated:
            self._engine.forget(row)
            del self._flows[row]

    # ------------------------------------------------------------------ what sessions hold

    def _weigh(self, row: int, flow: Flow) -> None:
        """What a session holds after it was fed. Where all hold too much, the one that was fed longest ago lets go."""
        held_bytes = _held_bytes(flow.session) if flow.session is not None else 0
        if not held_bytes and row not in self._held:
            return
        self._held_bytes += held_bytes - self._held.pop(row, 0)
        if held_bytes:
            self._held[row] = held_bytes
            while self._held_bytes > self._held_max_bytes:
                self._let_go(next(iter(self._held)))

    def _let_go(self, row: int) -> None:
        """A gap in both lanes: what they hold is dropped, and they go on at a boundary. Who holds nothing goes."""
        flow = self._flows[row]
        session = flow.session or self._catch_up(flow)
        if not session.held_bytes:
            self._dismiss(row, flow, session)
            return
        self._counters["evicted_session_bytes"] += session.held_bytes
        flow.gap, flow.leaving = True, 0
        facts = [fact for lane in BOTH for fact in self._guarded(flow, session, lane, session.gap, lane)]
        self._go(row, flow, self._settled(flow, session, facts, BOTH))
        self._weigh(row, flow)

    def _dismiss(self, row: int, flow: Flow, session: Session) -> None:
        """As if the conversation ended here; where it begins again, another session joins it in its midst."""
        self._counters["evicted_sessions"] += 1
        facts = self._guarded(flow, session, 0, session.end)
        self._go(row, flow, self._step(session, facts, [(self._tell.unlisten,)]))
        flow.midstream, flow.gap, flow.done, flow.leaving = True, True, False, 0
        self._weigh(row, flow)

    # ------------------------------------------------------------------ flows

    def _flow(self, row: int) -> Flow:
        return self._flows.get(row) or self.open(row)

    def _cast(self, flow: Flow, *, swapped: bool) -> None:
        """Who is the initiator; known ends are shared, which makes them quick to recognise."""
        transport, scope, _, ip_i, port_i, mac_i, ip_r, port_r, mac_r = flow.addresses
        one, other = (ip_i, mac_i), (ip_r, mac_r)
        if swapped:
            ends, flow.port = Ends(transport, scope, other, one, port_i), port_r
        else:
            ends, flow.port = Ends(transport, scope, one, other, port_r), port_i
        if len(self._ends) >= ENDS_MAX:
            self._ends.clear()
        flow.ends = self._ends.setdefault(ends, ends)

    def _catch_up(self, flow: Flow) -> Session:
        """A session that has heard all that the flow has said; what it states was stated."""
        transport, _, _, _, port_i, _, _, port_r, _ = flow.addresses
        over = TRANSPORT[transport]
        session = flow.session = Session(
            self._registry,
            over,
            (port_r, port_i),
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

    # ------------------------------------------------------------------ sessions

    def _guarded(
        self, flow: Flow, session: Session, lane: int, act: Callable[P, list[Fact]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Fact]:
        if not self._bulkhead:
            return act(*args, **kwargs)
        try:
            return act(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one bulkhead: a parser's bug costs its lane, not the sensor
            protocol = session.protocol
            self._counters["parser_failures"] += 1
            self._counters[f"parser_failures.{protocol.name if protocol else 'session'}.{type(error).__name__}"] += 1
            self._recaller.leave_way(flow)
            return session.fail(lane)

    def _settled(self, flow: Flow, session: Session, facts: list[Fact], lanes: tuple[int, ...]) -> Step:
        """What to tell the engine about lanes: both, when it was found out what they are, or that they are not."""
        orders: list[Order] = []
        leaves: tuple[int, ...] = ()
        for lane in lanes:
            if session.closed(lane):
                if not session.done:
                    orders.append((self._tell.close_lane, lane))
                continue
            demand = session.demand(lane)
            if demand.leave is not Leave.NOTHING and not flow.leaving >> lane & 1 and session.can_hand_over(lane):
                orders.append(self._leave(lane, demand))
                leaves = (*leaves, lane)
                facts += self._hand_over(flow, session, lane)
                demand = session.demand(lane)
                if session.closed(lane):
                    orders.append((self._tell.close_lane, lane))
                    continue
            orders.append((self._tell.want, lane, demand.want, demand.message))
        if session.done:
            orders.append((self._tell.done,))
        elif session.protocol is None and not session.held_bytes:  # nobody knows it: the engine looks at all its turns
            session.reconsider()
            orders.append((self._tell.unlisten,))
        return self._step(session, facts, orders, leaves)

    def _hand_over(self, flow: Flow, session: Session, lane: int) -> list[Fact]:
        """One demand at a time is the engine's: until the lane's next bytes come, the next stays with the session."""
        flow.leaving |= 1 << lane
        return self._guarded(flow, session, lane, session.hand_over, lane)

    def _leave(self, lane: int, demand: Demand) -> Order:
        if demand.leave is Leave.BYTES:
            return self._tell.skip, lane, demand.count
        if demand.leave is Leave.UNTIL_MARK:
            return self._tell.skip_until, lane, demand.mark, demand.count
        return self._tell.next_turn, lane

    # ------------------------------------------------------------------ steps

    def _step(self, session: Session, facts: list[Fact], orders: list[Order], leaves: tuple[int, ...] = ()) -> Step:
        """What a session does, ready to be done; also another time."""
        protocol = session.protocol
        name = protocol.name if protocol is not None else ""
        number = self._numbers.get((name, session.confidence))
        if number is None:
            number = self._numbers[name, session.confidence] = len(self.labels)
            self.labels.append((name, session.confidence.label))
        label = number << 1 | session.lane(Side.INITIATOR)
        return Step(self._words(facts) if facts else None, name, label, tuple(orders), leaves, session.done)

    def _learn(self, flow: Flow, session: Session, run: Run, step: Step) -> None:
        """The step may be taken again: the flow stays on the way of others. Or else it leaves it."""
        assert flow.node is not None
        protocol = session.protocol
        if protocol is not None and (step.words is None or _is_plain(step.words)):
            self._recall.learn(flow.node, run, flow.runs or [], protocol, session.side(run.lane), step)

    def _go(self, row: int, flow: Flow, step: Step, data: bytes = b"") -> None:
        """Do what a session did with `data`: say its words, tell the engine."""
        self._recaller.go(row, flow, step, data)

    # ------------------------------------------------------------------ stamping

    def _words(self, facts: list[Fact]) -> Words:
        """Facts as they may be kept. One claim alone that is made again and again is put into the same words."""
        fact = facts[0]
        if len(facts) > 1 or not isinstance(fact, Authentication) or fact.secret is not None:
            return Words(tuple([self._without_secret(fact) for fact in facts]))
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
            words = self._claimed[said] = Words((self._without_secret(fact),), known=True)
        return words

    def _without_secret(self, fact: Fact) -> tuple[Fact, SecretMark | None]:
        """The fact with its secret replaced by what may be kept of it, and with its principal as the site wants it."""
        if isinstance(fact, Attribute):
            if fact.sensitivity is Sensitivity.PRINCIPAL:
                return msgspec.structs.replace(fact, value=self._named(fact.value, fact.sensitivity)), None
            return fact, None
        if isinstance(fact, Authentication):
            secret, principal = fact.secret, fact.principal
            mark = self._key.mark(secret.reveal(), principal) if isinstance(secret, Secret) else None
            named = principal and self._named(principal, fact.sensitivity)
            return msgspec.structs.replace(fact, secret=None, principal=named), mark
        return fact, None

    def _named(self, principal: str, sensitivity: Sensitivity) -> str:
        """The principal, or its pseudonym where the site wants that of accounts."""
        hidden = sensitivity is Sensitivity.PRINCIPAL and self._site.privacy.principals == "pseudonym"
        return self._key.pseudonym(principal) if hidden else principal


def _held_bytes(session: Session) -> int:
    """Bytes that it keeps, and its objects."""
    return session.held_bytes + (SESSION_BYTES if session.protocol is None else READER_BYTES)


def _is_plain(words: Words) -> bool:
    """Whether no secret was stated: a step is taken without looking at the bytes of blanks."""
    return all(mark is None for _, mark in words.facts)
