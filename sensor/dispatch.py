"""Dispatch: the engine's events to sessions, the sessions' facts to sightings.

For every flow whose bytes matter there is one `Session`. An event of the engine is handed to it; what the session then
needs next goes straight back to the engine (`skip`, `skip_until`, `next_turn`, `want`, `done`), before the next byte is
copied. Facts are stamped here with time, addresses, capture quality and evidence, and secrets become digests here.

A fact of a conversation that lives past midnight is stated again, as `continued`, when its flow is first active on
the new UTC day. What a flow was that day goes out as one `ConversationDay`.

The one bulkhead of the project stands here: a dissector that fails with anything but a `ProtocolError` is our bug. It
is counted (`parser_failures`), costs its lane, and nothing else. `bulkhead=False` lets it through, for tests.
"""

from __future__ import annotations

import binascii
import hashlib
import ipaddress
import struct
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from itertools import chain
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
from sensor.engine import Engine
from sensor.sighting import Endpoint, Quality, Sighting
from sensor.site import Site
from sensor.sitekey import SecretMark, SiteKey

RESTATED_MAX: Final = 64
STATED_MAX: Final = 4 * RESTATED_MAX
BOTH: Final = (0, 1)
_encode: Final = msgspec.json.Encoder().encode
_TRANSPORT: Final = {6: "tcp", 17: "udp"}

P = ParamSpec("P")


class ConversationDay(msgspec.Struct, frozen=True):
    """What one flow was on one UTC day (or since it began). Byte counts are of payload; `port` is the responder's."""

    scope: str
    initiator: Endpoint
    responder: Endpoint
    transport: str
    protocol: str
    confidence: str
    first_ts_us: int
    last_ts_us: int
    frame: int
    community_id: str | None
    packets: int
    initiator_bytes: int
    responder_bytes: int
    copied_bytes: int
    skipped_bytes: int
    left_out_bytes: int
    lost_bytes: int
    midstream: bool
    one_sided: bool
    gap: bool
    unanswered: bool
    begins: bool


Item = Sighting | ConversationDay


class _Stated:
    """The first `RESTATED_MAX` different facts of a flow; which differ is looked at when it matters, at midnight."""

    __slots__ = ("_facts", "_full")

    def __init__(self) -> None:
        self._facts: list[tuple[Fact, SecretMark | None]] = []
        self._full = False

    def add(self, fact: Fact, mark: SecretMark | None) -> None:
        """Keep it, if there is room."""
        if not self._full:
            self._facts.append((fact, mark))
            if len(self._facts) >= STATED_MAX:
                self.different()

    def different(self) -> list[tuple[Fact, SecretMark | None]]:
        """Each fact once, in the order in which they were first stated."""
        said: dict[Hashable, tuple[Fact, SecretMark | None]] = {}
        for fact, mark in self._facts:
            if not isinstance(fact, Anomaly) and len(said) < RESTATED_MAX:
                said.setdefault(
                    fact if isinstance(fact, Attribute) else (type(fact), _encode(fact), mark), (fact, mark)
                )
        self._facts = list(said.values())
        self._full = len(said) == RESTATED_MAX
        return self._facts


class _Flow:
    """A conversation under way: its session, its addresses, and what has to be restated at midnight."""

    __slots__ = ("community_id", "continued", "endpoints", "gap", "leaving", "scope", "session", "stated", "transport")

    def __init__(
        self, session: Session, addresses: tuple[int, int, int, bytes, int, int, bytes, int, int], scope: str
    ) -> None:
        transport, _, _, ip_i, port_i, mac_i, ip_r, port_r, mac_r = addresses
        self.session = session
        self.transport = _TRANSPORT[transport]
        self.scope = scope
        self.endpoints = (
            Endpoint(mac_text(mac_i), ip_text(ip_i), port_i),
            Endpoint(mac_text(mac_r), ip_text(ip_r), port_r),
        )
        self.community_id = community_id(transport, ip_i, port_i, ip_r, port_r)
        self.gap = False
        self.leaving = [False, False]
        self.continued = False
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
        capture: the capture's id, stamped on every sighting.
        bulkhead: catch dissectors' bugs; off in tests.
    """

    def __init__(
        self, engine: Engine, registry: Registry, site: Site, key: SiteKey, capture: str, *, bulkhead: bool = True
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._site = site
        self._key = key
        self._capture = capture
        self._bulkhead = bulkhead
        self._flows: dict[int, _Flow] = {}
        self._out: list[Item] = []
        self.counters: Counter[str] = Counter()
        self._handlers: dict[int, Callable[[int], None]] = {
            engine_events.DATA: self._on_data,
            engine_events.DATAGRAM: self._on_datagram,
            engine_events.GAP: self._on_gap,
            engine_events.DAY: self._on_day,
            engine_events.END: self._on_end,
        }

    def run(self, events: _Events) -> Iterator[Item]:
        """All sightings and conversation days, in the order in which they became certain."""
        return chain.from_iterable(self.by_event(events))

    def by_event(self, events: _Events) -> Iterator[list[Item]]:
        """The same, in a list for each event of the engine that brought any."""
        handlers, engine = self._handlers, self._engine
        for event in events(engine):
            handlers[event](engine.flow)
            if self._out:
                out, self._out = self._out, []
                yield out

    # ------------------------------------------------------------------ events

    def _on_data(self, row: int) -> None:
        engine, flow = self._engine, self._flow(row)
        lane, turn = engine.lane, engine.turn
        data = engine.take()
        flow.leaving[lane] = False
        known = flow.session.protocol
        self._state(row, flow, self._guarded(flow, lane, flow.session.feed, lane, data, turn))
        self._settle(row, flow, (lane,) if flow.session.protocol is known else BOTH)

    def _on_datagram(self, row: int) -> None:
        flow, lane = self._flow(row), self._engine.lane
        data = self._engine.take()
        self._state(row, flow, self._guarded(flow, lane, flow.session.feed_datagram, lane, data))
        if flow.session.done:
            self._engine.done(row)

    def _on_gap(self, row: int) -> None:
        flow, lane = self._flow(row), self._engine.lane
        flow.gap = True
        flow.leaving[lane] = False
        self._state(row, flow, self._guarded(flow, lane, flow.session.gap, lane))
        self._settle(row, flow, BOTH)

    def _on_day(self, row: int) -> None:
        flow = self._flow(row)
        self._conversation(row, flow, begins=not flow.continued)
        flow.continued = True
        quality = self._quality(row, flow)
        for fact, mark in flow.stated.different():
            self._out.append(self._sighting(flow, fact, mark, quality, continued=True))

    def _on_end(self, row: int) -> None:
        flow = self._flow(row)
        self._state(row, flow, self._guarded(flow, 0, flow.session.end))
        self._conversation(row, flow, begins=not flow.continued)
        del self._flows[row]

    # ------------------------------------------------------------------ sessions

    def _flow(self, row: int) -> _Flow:
        flow = self._flows.get(row)
        if flow is None:
            flow = self._flows[row] = self._open(row)
        return flow

    def _open(self, row: int) -> _Flow:
        addresses = self._engine.addresses(row)
        transport, scope, port_i, port_r = addresses[0], addresses[1], addresses[4], addresses[7]
        midstream = bool(self._engine.stats(row)[_FLAGS] & engine_events.MIDSTREAM)
        over = _TRANSPORT[transport]
        session = Session(
            self._registry, over, (port_r, port_i), midstream=midstream, roles_guessed=midstream or over == "udp"
        )
        return _Flow(session, addresses, self._site.scope_names[scope])

    def _guarded(
        self, flow: _Flow, lane: int, act: Callable[P, list[Fact]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Fact]:
        if not self._bulkhead:
            return act(*args, **kwargs)
        try:
            return act(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one bulkhead: a parser's bug costs its lane, not the sensor
            self.counters["parser_failures"] += 1
            protocol = flow.session.protocol
            self.counters[f"parser_failures.{protocol.name if protocol else 'session'}.{type(error).__name__}"] += 1
            return flow.session.fail(lane)

    def _settle(self, row: int, flow: _Flow, lanes: tuple[int, ...]) -> None:
        """Tell the engine what lanes need next: both, when it was found out what they are, or that they are not."""
        for lane in lanes:
            if not flow.session.done:
                self._settle_lane(row, flow, lane)
        if flow.session.done:
            self._engine.done(row)

    def _settle_lane(self, row: int, flow: _Flow, lane: int) -> None:
        """One demand at a time is the engine's: until the lane's next bytes come, the next stays with the session."""
        engine, session = self._engine, flow.session
        if session.closed(lane):
            engine.close_lane(row, lane)
            return
        demand = session.demand(lane)
        if demand.leave is not Leave.NOTHING and not flow.leaving[lane] and session.can_hand_over(lane):
            self._leave(row, lane, demand)
            flow.leaving[lane] = True
            self._state(row, flow, self._guarded(flow, lane, session.hand_over, lane))
            demand = session.demand(lane)
        if session.closed(lane):
            engine.close_lane(row, lane)
        else:
            engine.want(row, lane, demand.want, demand.message)

    def _leave(self, row: int, lane: int, demand: Demand) -> None:
        if demand.leave is Leave.BYTES:
            self._engine.skip(row, lane, demand.count)
        elif demand.leave is Leave.UNTIL_MARK:
            self._engine.skip_until(row, lane, demand.mark, demand.count)
        else:
            self._engine.next_turn(row, lane)

    # ------------------------------------------------------------------ stamping

    def _state(self, row: int, flow: _Flow, facts: list[Fact]) -> None:
        if not facts:
            return
        quality = self._quality(row, flow)
        for fact in facts:
            kept, mark = self._without_secret(fact)
            flow.stated.add(kept, mark)
            self._out.append(self._sighting(flow, kept, mark, quality))

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

    def _sighting(
        self, flow: _Flow, fact: Fact, mark: SecretMark | None, quality: Quality, *, continued: bool = False
    ) -> Sighting:
        session, engine = flow.session, self._engine
        lane = session.lane(fact.subject.side)
        return Sighting(
            ts_us=engine.ts_us,
            fact=fact,
            protocol=session.protocol.name if session.protocol else "",
            transport=flow.transport,
            scope=flow.scope,
            endpoint=flow.endpoints[lane],
            peer=flow.endpoints[1 - lane],
            port=flow.endpoints[session.lane(Side.RESPONDER)].port,
            capture=self._capture,
            frame=engine.frame,
            community_id=flow.community_id,
            quality=quality,
            secret=mark,
            continued=continued,
        )

    def _quality(self, row: int, flow: _Flow) -> Quality:
        """A first datagram is always alone: only TCP tells that the other side should have been seen by now."""
        flags = self._engine.stats(row)[_FLAGS]
        one_sided = flow.transport == "tcp" and bool(flags & engine_events.ONE_SIDED)
        return Quality(flow.session.talk.midstream, flow.gap, one_sided)

    def _conversation(self, row: int, flow: _Flow, *, begins: bool) -> None:
        stats, session = self._engine.stats(row), flow.session
        first_us, last_us, frame, packets_i, packets_r, bytes_i, bytes_r, copied, skipped, left_out, lost = stats[:11]
        initiator, responder = session.lane(Side.INITIATOR), session.lane(Side.RESPONDER)
        payload = (bytes_i, bytes_r)
        one_sided = bool(stats[_FLAGS] & engine_events.ONE_SIDED)
        self._out.append(
            ConversationDay(
                scope=flow.scope,
                initiator=flow.endpoints[initiator],
                responder=flow.endpoints[responder],
                transport=flow.transport,
                protocol=session.protocol.name if session.protocol else "",
                confidence=session.confidence.label,
                first_ts_us=first_us,
                last_ts_us=last_us,
                frame=frame,
                community_id=flow.community_id,
                packets=packets_i + packets_r,
                initiator_bytes=payload[initiator],
                responder_bytes=payload[responder],
                copied_bytes=copied,
                skipped_bytes=skipped,
                left_out_bytes=left_out,
                lost_bytes=lost,
                midstream=session.talk.midstream,
                one_sided=one_sided,
                gap=flow.gap,
                unanswered=one_sided and not (bytes_i or bytes_r),
                begins=begins,
            )
        )


_FLAGS: Final = engine_events.STATS.index("flags")
_PORTS: Final = struct.Struct(">BxHH")


@lru_cache(maxsize=65_536)
def mac_text(mac: int) -> str | None:
    """`00:11:22:33:44:55` for a 48-bit number; None where there was no link layer address (-1)."""
    return None if mac < 0 else ":".join(f"{mac:012x}"[at : at + 2] for at in range(0, 12, 2))


@lru_cache(maxsize=65_536)
def ip_text(packed: bytes) -> str:
    """The usual text of a packed IPv4 or IPv6 address; IPv4 mapped into IPv6 stays IPv6."""
    return str(ipaddress.ip_address(packed))


def community_id(transport: int, ip_a: bytes, port_a: int, ip_b: bytes, port_b: int) -> str:
    """Community ID version 1 of a TCP or UDP flow, seed 0, the same for both directions. Spec: Community ID 1.0."""
    if (ip_a, port_a) > (ip_b, port_b):
        ip_a, port_a, ip_b, port_b = ip_b, port_b, ip_a, port_a
    packed = b"\0\0%b%b%b" % (ip_a, ip_b, _PORTS.pack(transport, port_a, port_b))
    digest = hashlib.sha1(packed, usedforsecurity=False).digest()
    return "1:" + binascii.b2a_base64(digest, newline=False).decode()
