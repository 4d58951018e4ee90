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
from typing import Final, ParamSpec, Protocol

import msgspec

from parsers.core import (
    Anomaly,
    Attribute,
    Authentication,
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
from sensor.engine import FLOWS, Engine
from sensor.recall import COURSES_MAX, Course, Node, Order, Recall, Run, Step
from sensor.sighting import Ends, Quality, Said, Words
from sensor.site import Site
from sensor.sitekey import SecretMark, SiteKey

TCP: Final = 6
RESTATED_MAX: Final = 64
STATED_MAX: Final = 4 * RESTATED_MAX
ENDS_MAX: Final = 65_536
HELD_PER_FLOW_BYTES: Final = 1_024
"""Of what sessions hold, objects included: for each flow that the engine has room for."""
SESSION_BYTES: Final = 1_280
READER_BYTES: Final = 10_240
"""What the objects of a session take, without and with dissectors, as measured; few take more."""
BOTH: Final = (0, 1)
_encode: Final = msgspec.json.Encoder().encode
_QUALITIES: Final = tuple(Quality(*which) for which in product((False, True), repeat=5))

P = ParamSpec("P")
Addresses = tuple[int, int, int, bytes, int, int, bytes, int, int]


class _Stated:
    """The first `RESTATED_MAX` different facts of a flow; which differ is looked at when it matters, at midnight."""

    __slots__ = ("_facts", "_full")

    def __init__(self) -> None:
        self._facts: list[tuple[Fact, SecretMark | None]] = []
        self._full = False

    @property
    def is_empty(self) -> bool:
        """Nothing was stated."""
        return not self._facts

    def add(self, words: Words) -> None:
        """Keep them, if there is room."""
        if not self._full:
            self._facts += words.facts
            if len(self._facts) >= STATED_MAX:
                self.different()

    def different(self) -> tuple[tuple[Fact, SecretMark | None], ...]:
        """Each fact once, in the order in which they were first stated."""
        said: dict[Hashable, tuple[Fact, SecretMark | None]] = {}
        for fact, mark in self._facts:
            if not isinstance(fact, Anomaly) and len(said) < RESTATED_MAX:
                said.setdefault(
                    fact if isinstance(fact, Attribute) else (type(fact), _encode(fact), mark), (fact, mark)
                )
        self._facts = list(said.values())
        self._full = len(said) == RESTATED_MAX
        return tuple(self._facts)


class _Flow:
    """A conversation under way.

    Attributes:
        addresses: as the engine has them.
        midstream, gap: its beginning, or something of it, was not seen.
        session: what reads it; None while it goes the way of others, and when it is done.
        node, course: where it is on that way, and what it has said; None when it has left it.
        leaving: by lane, whether the engine carries out a demand.
        ends, port: who talks with whom as far as is known, and the initiator's port.
        protocol, label: of the conversation; the engine folds it under the label.
        stated: what has to be restated at midnight.
    """

    __slots__ = (
        "addresses", "course", "done", "ends", "gap", "label", "leaving", "midstream", "node", "port",
        "protocol", "session", "stated",
    )  # fmt: skip

    ends: Ends
    port: int

    def __init__(self, addresses: Addresses, *, midstream: bool, gap: bool, node: Node | None) -> None:
        self.addresses = addresses
        self.midstream = midstream
        self.gap = gap
        self.node = node
        self.course = Course() if node is not None else None
        self.session: Session | None = None
        self.done = False
        self.leaving = [False, False]
        self.label = 0
        self.protocol = ""
        self.stated = _Stated()


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
        tell: is called with what was said.
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
        tell: Callable[[Said], None],
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
        self._flows: dict[int, _Flow] = {}
        self._ends: dict[Ends, Ends] = {}
        self._recall = Recall()
        self._courses = 0
        self._held: dict[int, int] = {}
        self._held_bytes = 0
        self._hints = frozenset(port for protocol in registry.protocols for port in protocol.port_hints)
        self._numbers: dict[Label, int] = {("", "port"): 0}
        self.labels: list[Label] = [("", "port")]
        self._counters: Counter[str] = Counter()
        self._handlers: dict[int, Callable[[int], None]] = {
            engine_events.DATA: self._on_data,
            engine_events.DATAGRAM: self._on_datagram,
            engine_events.GAP: self._on_gap,
            engine_events.DAY: self._on_day,
            engine_events.END: self._on_end,
        }
        engine.listen(registry.beginnings("tcp"), registry.beginnings("udp"))

    @property
    def counters(self) -> dict[str, int]:
        """What was counted so far."""
        return {**self._counters, "runs_known": self._recall.known, "runs_learnt": self._recall.learnt}

    def run(self, events: _Events) -> Iterator[int]:
        """Every event of the source, once it is worked off."""
        handlers, engine = self._handlers, self._engine
        for event in events(engine):
            if event in handlers:
                handlers[event](engine.flow)
            yield event

    # ------------------------------------------------------------------ events

    def _on_data(self, row: int) -> None:
        engine, flow = self._engine, self._flow(row)
        if flow.done:
            return
        run = Run(engine.lane, engine.turn, engine.take())
        if flow.node is not None and flow.course is not None:
            step = flow.node.find(run, flow.course)
            if step is not None:
                self._recall.known += 1
                if flow.session is not None:  # it has not heard this; another is made when there is something new
                    flow.session = None
                    self._weigh(row, flow)
                self._go(row, flow, step, run.data)
                return
        session = flow.session or self._catch_up(flow)
        flow.leaving[run.lane] = False
        known = session.protocol
        facts = self._guarded(flow, session, run.lane, session.feed, run.lane, run.data, run.turn)
        step = self._settled(flow, session, facts, (run.lane,) if session.protocol is known else BOTH)
        if flow.node is not None:
            step = self._learnt(flow, session, run, step)
        self._go(row, flow, step, run.data)
        self._weigh(row, flow)

    def _on_datagram(self, row: int) -> None:
        flow, lane = self._flow(row), self._engine.lane
        if flow.done:
            return
        is_new = flow.session is None
        session = flow.session or self._catch_up(flow)
        facts = self._guarded(flow, session, lane, session.feed_datagram, lane, self._engine.take())
        self._go(row, flow, self._step(session, facts, [(self._engine.done,)] if session.done else []))
        if is_new or flow.session is None:
            self._weigh(row, flow)

    def _on_gap(self, row: int) -> None:
        flow, lane = self._flow(row), self._engine.lane
        if flow.done:
            return
        session = flow.session or self._catch_up(flow)
        flow.gap = True
        flow.leaving[lane] = False
        facts = self._guarded(flow, session, lane, session.gap, lane)
        self._go(row, flow, self._settled(flow, session, facts, BOTH))
        self._weigh(row, flow)

    def _on_day(self, row: int) -> None:
        flow = self._flow(row)
        facts = flow.stated.different()
        if facts:
            self._say(row, flow, Words(facts), continued=True)

    def _on_end(self, row: int) -> None:
        flow = self._flow(row)
        if not flow.done:
            session = flow.session or self._catch_up(flow)
            self._go(row, flow, self._step(session, self._guarded(flow, session, 0, session.end), []))
        self._flows.pop(row, None)
        flow.session = None
        self._weigh(row, flow)

    # ------------------------------------------------------------------ what sessions hold

    def _weigh(self, row: int, flow: _Flow) -> None:
        """What a session holds after it was fed. Where all hold too much, the one that was fed longest ago lets go."""
        held_bytes = _held_bytes(flow.session) if flow.session is not None else 0
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
        flow.gap, flow.leaving = True, [False, False]
        facts = [fact for lane in BOTH for fact in self._guarded(flow, session, lane, session.gap, lane)]
        self._go(row, flow, self._settled(flow, session, facts, BOTH))
        self._weigh(row, flow)

    def _dismiss(self, row: int, flow: _Flow, session: Session) -> None:
        """As if the conversation ended here; where it begins again, another session joins it in its midst."""
        self._counters["evicted_sessions"] += 1
        facts = self._guarded(flow, session, 0, session.end)
        self._go(row, flow, self._step(session, facts, [(self._engine.unlisten,)]))
        flow.midstream, flow.gap, flow.done, flow.leaving = True, True, False, [False, False]
        self._weigh(row, flow)

    # ------------------------------------------------------------------ flows

    def _flow(self, row: int) -> _Flow:
        flow = self._flows.get(row)
        if flow is None:
            flow = self._flows[row] = self._open(row)
        return flow

    def _open(self, row: int) -> _Flow:
        addresses, flags = self._engine.addresses(row), self._engine.flags(row)
        midstream, gap = bool(flags & engine_events.MIDSTREAM), bool(flags & engine_events.GAP_SEEN)
        node = None
        if addresses[0] == TCP and not gap and self._courses < COURSES_MAX:
            self._courses += 1
            ports = tuple(port if port in self._hints else 0 for port in (addresses[7], addresses[4]))
            node = self._recall.root((midstream, ports))
        flow = _Flow(addresses, midstream=midstream, gap=gap, node=node)
        self._cast(flow, swapped=False)
        return flow

    def _cast(self, flow: _Flow, *, swapped: bool) -> None:
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

    def _catch_up(self, flow: _Flow) -> Session:
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
        for lane, turn, data in flow.course.runs if flow.course is not None else ():
            flow.leaving[lane] = False
            known = session.protocol
            session.feed(lane, data, turn)
            self._settled(flow, session, [], (lane,) if session.protocol is known else BOTH)
        return session

    # ------------------------------------------------------------------ sessions

    def _guarded(
        self, flow: _Flow, session: Session, lane: int, act: Callable[P, list[Fact]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Fact]:
        if not self._bulkhead:
            return act(*args, **kwargs)
        try:
            return act(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one bulkhead: a parser's bug costs its lane, not the sensor
            protocol = session.protocol
            self._counters["parser_failures"] += 1
            self._counters[f"parser_failures.{protocol.name if protocol else 'session'}.{type(error).__name__}"] += 1
            self._leave_way(flow)
            return session.fail(lane)

    def _settled(self, flow: _Flow, session: Session, facts: list[Fact], lanes: tuple[int, ...]) -> Step:
        """What to tell the engine about lanes: both, when it was found out what they are, or that they are not."""
        orders: list[Order] = []
        for lane in lanes:
            if not session.done:
                facts += self._settle_lane(flow, session, lane, orders)
        if session.done:
            orders.append((self._engine.done,))
        elif session.protocol is None and not session.held_bytes:  # nobody knows it: the engine looks at all its turns
            session.reconsider()
            orders.append((self._engine.unlisten,))
        return self._step(session, facts, orders)

    def _settle_lane(self, flow: _Flow, session: Session, lane: int, orders: list[Order]) -> list[Fact]:
        """One demand at a time is the engine's: until the lane's next bytes come, the next stays with the session."""
        if session.closed(lane):
            orders.append((self._engine.close_lane, lane))
            return []
        facts: list[Fact] = []
        demand = session.demand(lane)
        if demand.leave is not Leave.NOTHING and not flow.leaving[lane] and session.can_hand_over(lane):
            orders.append(self._leave(lane, demand))
            flow.leaving[lane] = True
            facts = self._guarded(flow, session, lane, session.hand_over, lane)
            demand = session.demand(lane)
        if session.closed(lane):
            orders.append((self._engine.close_lane, lane))
        else:
            orders.append((self._engine.want, lane, demand.want, demand.message))
        return facts

    def _leave(self, lane: int, demand: Demand) -> Order:
        if demand.leave is Leave.BYTES:
            return self._engine.skip, lane, demand.count
        if demand.leave is Leave.UNTIL_MARK:
            return self._engine.skip_until, lane, demand.mark, demand.count
        return self._engine.next_turn, lane

    # ------------------------------------------------------------------ steps

    def _step(self, session: Session, facts: list[Fact], orders: list[Order]) -> Step:
        """What a session does, ready to be done; also another time."""
        protocol = session.protocol
        label = (protocol.name if protocol else "", session.confidence.label)
        number = self._numbers.get(label)
        if number is None:
            number = self._numbers[label] = len(self.labels)
            self.labels.append(label)
        words = Words(tuple([self._without_secret(fact) for fact in facts])) if facts else None
        left = (self._engine.skip, self._engine.skip_until, self._engine.next_turn)
        leaves = tuple([order[1] for order in orders if order[0] in left])
        swapped = session.lane(Side.INITIATOR)
        return Step(words, (), label[0], number << 1 | swapped, tuple(orders), leaves, session.done, None)

    def _learnt(self, flow: _Flow, session: Session, run: Run, step: Step) -> Step:
        """The step as it may be taken again. The flow stays on the way of others, or leaves it."""
        assert flow.course is not None
        assert flow.node is not None
        protocol = session.protocol
        if protocol is None or flow.course.is_full or (step.words and not _is_plain(step.words)):
            return step
        return self._recall.learn(flow.node, run, flow.course, protocol, session.side(run.lane), step)

    def _go(self, row: int, flow: _Flow, step: Step, data: bytes = b"") -> None:
        """Do what a session did with `data`: say its words, tell the engine."""
        flow.node = step.node
        if step.node is None:
            self._leave_way(flow)
        if step.label != flow.label:
            self._relabel(row, flow, step)
        for words in self._recall.words(step, data):
            flow.stated.add(words)
            self._say(row, flow, words)
        for order in step.orders:
            order[0](row, *order[1:])
        if step.ends:
            self._finish(row, flow)

    def _leave_way(self, flow: _Flow) -> None:
        """The flow does not go the way of others any more."""
        if flow.course is not None:
            flow.node = flow.course = None
            self._courses -= 1

    def _finish(self, row: int, flow: _Flow) -> None:
        """Nothing more of this flow is read; what it has stated is kept for midnight."""
        flow.done, flow.session = True, None
        if flow.stated.is_empty:
            self._engine.forget(row)
            del self._flows[row]

    def _relabel(self, row: int, flow: _Flow, step: Step) -> None:
        if (step.label ^ flow.label) & 1:
            self._cast(flow, swapped=bool(step.label & 1))
        flow.label, flow.protocol = step.label, step.protocol
        self._engine.label(row, step.label)

    # ------------------------------------------------------------------ stamping

    def _say(self, row: int, flow: _Flow, words: Words, *, continued: bool = False) -> None:
        """A first datagram is always alone: only TCP tells that the other side should have been seen by now."""
        engine, ends = self._engine, flow.ends
        flags = engine.flags(row)
        one_sided = ends.transport == TCP and bool(flags & engine_events.ONE_SIDED)
        cut, twice = bool(flags & engine_events.TRUNCATED_SEEN), bool(flags & engine_events.DUPLICATE_SEEN)
        quality = _QUALITIES[flow.midstream << 4 | flow.gap << 3 | one_sided << 2 | cut << 1 | twice]
        self.tell(Said(engine.ts_us, engine.frame, ends, flow.port, flow.protocol, words, quality, continued))

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
