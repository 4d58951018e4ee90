# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""A session: one conversation on its way from bytes to facts. Sans-IO: no clock, no address, no packet.

Theory of operation
-------------------
Each lane goes through these states::

    PROBING ──likely──► READING ──generator ends──► CLOSED
       ▲                  │  │
       │      gap         │  └──Malformed, LimitExceeded, ...──► CLOSED (Anomaly)
       │ (unconfirmed)    ▼
       └─────────────  RESUMING ──candidate fits──► READING
                          └── N candidates failed ──► CLOSED

**The ladder of confidence.** Nothing is known of a conversation but its ports (`PORT`); a probe finds its head likely
(`PROBED`); a dissector has read real structure of it (`CONFIRMED`). Facts are held back until `CONFIRMED`. Whatever a
dissector stated before it failed unconfirmed is dropped, that protocol is excluded, and the head meets the others. A
dissector therefore yields `Confirmed` before it asks, answers or shares anything.

**Unknown conversations** are probed again at turns 1, 2, 4, 8…, or at those that whoever feeds them chooses
(`reconsider`): a sensor that was started in the middle of a week-long feed still finds out what it is.

**After a gap** the lane's generator is closed and a new one made, with ``r.resumed`` and the same `Conversation`. Its
first bytes are only a candidate for a boundary: the protocol's probe looks at them first; on a mismatch, or when the
new generator fails before it has yielded `Confirmed`, this turn is given up and counted, which is no anomaly. Where
messages can be told from what is around them, the dissector searches by itself instead (`Protocol.finds_boundary`); so
it does in the second lane of a conversation whose beginning was not seen.

**A usual question and its answer** need no lanes where a protocol knows them (`Protocol.exchange`). Lanes are made when
anything else comes: they go on behind what was said, and what they state again is dropped.

The session never holds more than `HEAD_MAX` bytes of an unknown head, and what its readers hold.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from parsers.core.conversation import Conversation
from parsers.core.errors import ProtocolError
from parsers.core.exchange import Exchange
from parsers.core.fact import DETAIL_MAX_CHARS, Anomaly, Confirmed, Done, Fact, Handoff, Side
from parsers.core.lane import CLOSED, PROBING, READING, RESUMING, Lane, Step
from parsers.core.reader import ANYTHING, MESSAGE_MAX_BYTES, WAIT, Demand, Leave, Reader, Wait
from parsers.core.registry import Confidence, Protocol, Registry, Verdict

HEAD_MAX: Final = 8_192
SESSION_BYTES: Final = 640
EXCHANGE_BYTES: Final = 1_024
"""What objects take: a session without lanes, and an exchange."""
HELD_FACTS_MAX: Final = 512
FAILED_CANDIDATES_MAX: Final = 8
UNKNOWN_DATAGRAMS_MAX: Final = 4

NEXT_TURN: Final = Demand(Leave.TURN)
NEXT_MESSAGE: Final = Demand(message=MESSAGE_MAX_BYTES)

_SIDES: Final = tuple(Side)
_CONFIRMED: Final = Confidence.CONFIRMED
_LIKELY: Final = Verdict.LIKELY
_MORE: Final = Verdict.MORE
_NO: Final = Verdict.NO


class Session:
    """Both lanes of one conversation.

    Args:
        registry: the protocols to choose from.
        over: the layer whose bytes are fed: `tcp`, `udp`, or a protocol that hands messages on.
        ports: ports of the conversation that may hint at a protocol.
        midstream: its beginning was not seen.
        roles_guessed: who began is a guess (mid-stream, datagrams): probes are asked for either side.

    Attributes:
        protocol: the protocol, once probed; None while unknown.
        confidence: how sure that is.
        done: nothing that matters can follow; nothing more needs to be fed.
        failed_candidates: turns given up after a gap because they did not begin at a boundary.
    """

    __slots__ = (
        "_exchange", "_excluded", "_facts", "_lanes", "_midstream", "_over", "_ports", "_registry", "_roles_guessed",
        "_said", "_swapped", "_talk", "_unknown_datagrams", "confidence", "done", "failed_candidates", "protocol",
    )  # fmt: skip

    def __init__(
        self,
        registry: Registry,
        over: str,
        ports: Collection[int] = (),
        *,
        midstream: bool = False,
        roles_guessed: bool = False,
    ) -> None:
        self._registry = registry
        self._over = over
        self._ports = ports
        self._lanes: tuple[Lane, ...] = ()  # none as long as there is no more than an exchange
        self._exchange: Exchange | None = None
        self._said: tuple[tuple[int, int], ...] = ()  # of what the exchange has heard: turn and size, by lane
        self._facts: list[Fact] = []
        self._excluded: tuple[Protocol, ...] = ()
        self._swapped = False
        self._roles_guessed = roles_guessed or midstream
        self._unknown_datagrams = 0
        self._midstream = midstream
        self._talk: Conversation | None = None
        self.protocol: Protocol | None = None
        self.confidence = Confidence.PORT
        self.done = False
        self.failed_candidates = 0

    def __del__(self) -> None:
        """It may be let go of before its end; then, too, nothing is left for the garbage collector."""
        if self._talk is not None:
            self._talk.forget()

    @property
    def talk(self) -> Conversation:
        """What both lanes share; made when it is asked for, as most conversations are nobody's."""
        return self._conversation()

    def _conversation(self) -> Conversation:
        talk = self._talk
        if talk is None:
            talk = self._talk = Conversation(midstream=self._midstream)
        return talk

    # ------------------------------------------------------------------ what happens to a conversation

    def feed(self, lane: int, data: bytes, turn: int = 1) -> list[Fact]:
        """The next bytes of a lane, in order, belonging to its turn number `turn`; returns the facts now certain."""
        if not self._lanes:
            facts = self._exchanged(lane, data, turn)
            if facts is not None:
                return facts
        taken = self._taken(lane)
        if taken.confirmed and taken.reader is not None and not self.done:  # as nearly always
            taken.turn = turn
            taken.reader.feed(data, turn)
            self._heard(taken, lane)
        elif not self.done:
            self._feed(taken, lane, data, turn)
        return self._collect()

    def feed_datagram(self, lane: int, data: bytes) -> list[Fact]:
        """One whole datagram or handed-on message; returns the facts that are now certain."""
        if not self.done:
            self._feed_datagram(self._taken(lane), lane, data)
        return self._collect()

    def gap(self, lane: int) -> list[Fact]:
        """Bytes are missing in a lane before what is fed to it next."""
        taken = self._taken(lane)
        self._conversation().gap()
        if taken.state in {READING, PROBING}:
            taken.reset(RESUMING if self.protocol is not None else PROBING)
        taken.forget()
        return self._collect()

    def end(self) -> list[Fact]:
        """Nothing follows; returns what was still open."""
        for lane in self._lanes:
            lane.reset(CLOSED)
        self.done = True
        return self._collect() if self._exchange is None else self._exchange.end()

    def fail(self, lane: int) -> list[Fact]:
        """Give this lane up: its dissector broke on it, which is our bug and not the sender's."""
        self._exchange, self._said = None, ()
        taken = self._taken(lane)
        taken.reset(CLOSED)
        self._settle_done()
        return self._collect()

    def side(self, lane: int) -> Side:
        """The side that a lane is: swapped when a conversation joined in the middle turns out to run the other way."""
        return _SIDES[lane ^ self._swapped]

    def lane(self, side: Side) -> int:
        """The lane that a side is; the inverse of `side`."""
        return side ^ self._swapped

    # ------------------------------------------------------------------ what to feed next

    def demand(self, lane: int) -> Demand:
        """What this lane needs next. A closed lane needs nothing: see `closed`."""
        if not self._lanes:
            return NEXT_MESSAGE if lane < len(self._said) else ANYTHING
        taken = self._lanes[lane]
        if taken.reader is not None:
            return taken.reader.needs()
        if taken.head or taken.turn == 0:
            return ANYTHING
        return NEXT_TURN if taken.overflowed or not self._due(taken) else ANYTHING

    def hand_over(self, lane: int) -> list[Fact]:
        """Whoever feeds this lane leaves out what it demands; what is fed from now on are the wanted bytes.

        Call it only where `can_hand_over`. The dissector goes on until it needs something else: ask for `demand` again.
        """
        taken = self._taken(lane)
        if taken.reader is not None:
            taken.reader.hand_over()
            self._heard(taken, lane)
        return self._collect()

    def can_hand_over(self, lane: int) -> bool:
        """Whether the feeder can carry the demand out: not while a mark is half found in bytes fed already."""
        if not self._lanes:
            return True
        taken = self._lanes[lane]
        return taken.reader is None or not taken.reader.partial_mark

    def closed(self, lane: int) -> bool:
        """Whether nothing more of this lane is wanted."""
        if not self._lanes:
            return self.done
        taken = self._lanes[lane]
        return self.done or taken.state == CLOSED

    @property
    def held_bytes(self) -> int:
        """Bytes that are kept because more is waited for."""
        return self._held_bytes()

    def _held_bytes(self) -> int:
        held = 0
        for lane in self._lanes:
            held += lane.held_bytes()
        return held

    @property
    def weight(self) -> int:
        """What it takes in memory, roughly: bytes that are kept, and objects as far as a sender decides on them."""
        return self.weighs()

    def weighs(self) -> int:
        """`weight`, for who calls it often."""
        if self._exchange is not None:
            return SESSION_BYTES + EXCHANGE_BYTES
        weight = SESSION_BYTES
        for lane in self._lanes:
            weight += lane.weight()
        return weight if self._talk is None else weight + self._talk.weight()

    def reconsider(self) -> None:
        """Whoever feeds an unknown conversation chooses the turns: all that come next are probed."""
        for lane in self._lanes:
            lane.probed_turn = 0

    # ------------------------------------------------------------------ exchanges, and what is more than one

    def _exchanged(self, lane: int, data: bytes, turn: int) -> list[Fact] | None:
        """The facts of the initiator's first bytes, and then of the responder's, if lanes need not read them."""
        if self.done:
            return []
        facts = None
        if len(data) > HEAD_MAX:
            return None
        if self._exchange is None:
            facts = self._asked(data) if lane == 0 else None
        elif lane == 1 and len(self._said) == 1:
            facts = self._exchange.answer(data)
        if facts is not None:
            self._said += ((turn, len(data)),)
        return facts

    def _asked(self, data: bytes) -> list[Fact] | None:
        candidates = [] if self._midstream else self._registry.candidates(self._over, data, self._ports)
        protocol = candidates[0] if candidates else None
        if protocol is None or protocol.exchange is None:
            return None
        exchange = protocol.exchange()
        facts = exchange.ask(data)
        if facts is not None:
            self.protocol, self.confidence, self._exchange = protocol, _CONFIRMED, exchange
        return facts

    def _taken(self, index: int) -> Lane:
        """A lane, to be read or closed."""
        if not self._lanes:
            self._lanes = (Lane(), Lane())
            if self._exchange is not None:
                self._go_on(self._exchange)
        return self._lanes[index]

    def _go_on(self, exchange: Exchange) -> None:
        """Lanes as they would be by now, had they read what was said."""
        said, self._exchange, self._said = self._said, None, ()
        for index, (turn, size) in enumerate(said):
            lane, reader = self._lanes[index], Reader(turn=turn)
            reader.offset = size
            lane.reader, lane.turn, lane.state, lane.confirmed = reader, turn, READING, True
            lane.steps = exchange.go_on(reader, self.side(index), self._conversation())
            self._pump(lane, index)
        self._facts.clear()

    # ------------------------------------------------------------------ streams

    def _feed(self, lane: Lane, index: int, data: bytes, turn: int) -> None:
        new_turn, lane.turn = turn != lane.turn, turn
        if lane.state == READING:
            self._read(lane, index, data, turn)
        elif lane.state != CLOSED:
            self._consider(lane, index, data, new_turn)

    def _read(self, lane: Lane, index: int, data: bytes, turn: int) -> None:
        assert lane.reader is not None
        if not lane.confirmed:
            self._remember(lane, data)
        lane.reader.feed(data, turn)
        self._pump(lane, index)

    def _remember(self, lane: Lane, data: bytes) -> bytes:
        """Add `data` to the head; returns what it has no room for."""
        joined = lane.head + data
        lane.head, beyond = joined[:HEAD_MAX], joined[HEAD_MAX:]
        lane.overflowed |= bool(beyond)
        return beyond

    def _consider(self, lane: Lane, index: int, data: bytes, new_turn: bool) -> None:  # noqa: FBT001 - C has no keywords
        """Bytes of a lane that has no dissector yet."""
        if new_turn and lane.overflowed:
            lane.forget()
        if lane.overflowed or (not lane.head and not self._due(lane)):
            return
        beyond = self._remember(lane, data)
        self._try(lane, index)
        if beyond and lane.reader is not None:  # a dissector was begun with the head: what came with it follows
            lane.reader.feed(beyond, lane.turn)
            self._pump(lane, index)

    def _try(self, lane: Lane, index: int) -> None:
        if self.protocol is not None:
            self._try_known(lane, index, self.protocol)
        else:
            self._try_all(lane, index)

    def _due(self, lane: Lane) -> bool:
        """Whether an unknown lane is to be probed in this turn: at 1, 2, 4, 8 and so on."""
        if lane.state == RESUMING or self.protocol is not None:
            return True
        if lane.probed_turn == lane.turn:
            return False
        return lane.probed_turn == 0 or lane.turn >= 2 * lane.probed_turn

    def _try_known(self, lane: Lane, index: int, protocol: Protocol) -> None:
        """The other lane, or this one before a gap, has settled what this is."""
        midway = lane.state == RESUMING or self._midstream
        searches = midway and protocol.finds_boundary
        verdict = _LIKELY if searches else protocol.probe(lane.head, self.side(index))
        if verdict is _LIKELY:
            self._start(lane, index, protocol, searches or lane.state == RESUMING)
        elif verdict is _NO or lane.overflowed:
            self._refuse(lane, index, protocol)

    def _refuse(self, lane: Lane, index: int, protocol: Protocol) -> None:
        if lane.state == RESUMING:
            self._candidate_failed(lane)
        elif self.confidence is _CONFIRMED:
            lane.reset(CLOSED)
            subject = self._conversation().me(self.side(index))
            self._facts.append(Anomaly(subject, "unexpected_reply", 0, f"not {protocol.name}"))
            self._settle_done()
        else:
            self._exclude(protocol)

    def _candidate_failed(self, lane: Lane) -> None:
        lane.failed += 1
        self.failed_candidates += 1
        lane.reset(CLOSED if lane.failed > FAILED_CANDIDATES_MAX else RESUMING)
        lane.head, lane.overflowed = b"", True
        self._settle_done()

    def _try_all(self, lane: Lane, index: int) -> None:
        undecided = False
        for protocol in self._registry.candidates(self._over, lane.head, self._ports):
            if protocol in self._excluded:
                continue
            verdict = self._probe_sides(protocol, lane.head, index)
            if verdict is _LIKELY:
                self.protocol, self.confidence = protocol, Confidence.PROBED
                self._start(lane, index, protocol, lane.state == RESUMING)
                return
            undecided |= verdict is _MORE
        if not undecided or lane.overflowed:
            lane.probed_turn = lane.turn
            lane.forget()

    def _probe_sides(self, protocol: Protocol, head: bytes, index: int) -> Verdict:
        """Probe as the side that the lane seems to be; where roles are guessed, also as the other."""
        verdict = protocol.probe(head, self.side(index))
        if verdict is _NO and self._roles_guessed:
            swapped = protocol.probe(head, self.side(index).peer)
            if swapped is _LIKELY:
                self._swapped = not self._swapped
            return swapped
        return verdict

    # ------------------------------------------------------------------ datagrams

    def _feed_datagram(self, lane: Lane, index: int, data: bytes) -> None:
        if lane.state == CLOSED or not data:
            return
        if lane.state == READING:
            self._read_datagram(lane, index, data)
            return
        for protocol in self._datagram_candidates(data):
            if self._probe_sides(protocol, data, index) is not _LIKELY:
                continue
            if self.protocol is None:
                self.protocol, self.confidence = protocol, Confidence.PROBED
            self._begin(lane, index, protocol, False)
            self._read_datagram(lane, index, data)
            if self.protocol is not None:
                return
        self._unknown_datagrams += 1
        self.done |= self.protocol is None and self._unknown_datagrams >= UNKNOWN_DATAGRAMS_MAX

    def _read_datagram(self, lane: Lane, index: int, data: bytes) -> None:
        if lane.reader is not None:
            lane.reader.feed_datagram(data)
            self._pump(lane, index)

    def _datagram_candidates(self, data: bytes) -> list[Protocol]:
        if self.protocol is not None:
            return [self.protocol]
        candidates = self._registry.candidates(self._over, data, self._ports)
        return [protocol for protocol in candidates if protocol not in self._excluded]

    # ------------------------------------------------------------------ generators

    def _start(self, lane: Lane, index: int, protocol: Protocol, resumed: bool) -> None:  # noqa: FBT001 - C has no keywords
        """Give the lane its dissector, and the dissector the head."""
        self._begin(lane, index, protocol, resumed)
        assert lane.reader is not None
        lane.reader.feed(lane.head, lane.turn)
        self._pump(lane, index)

    def _begin(self, lane: Lane, index: int, protocol: Protocol, resumed: bool) -> None:  # noqa: FBT001 - C has no keywords
        side = self.side(index)
        lane.reader = Reader(resumed=resumed, turn=lane.turn)
        lane.steps = protocol.dissect(lane.reader, side, self._conversation())
        lane.state, lane.confirmed = READING, False

    def _heard(self, lane: Lane, index: int) -> None:
        """Wake the lane's generator, unless there is nothing for it."""
        reader = lane.reader
        if reader is not None and reader.sleeps():
            self._take_stated(lane)
        else:
            self._pump(lane, index)

    def _pump(self, lane: Lane, index: int) -> None:
        """Let the lane's generator go on until it waits, ends or fails."""
        steps = lane.steps
        if steps is None:
            return
        try:
            for step in steps:
                if step is WAIT:
                    break
                self._take(lane, index, step)
                if lane.steps is not steps:
                    return
            else:
                self._finished(lane)
        except ProtocolError as error:
            self._failed(lane, index, error)
        self._take_stated(lane)

    def _take(self, lane: Lane, index: int, step: Step) -> None:
        self._take_stated(lane)
        if isinstance(step, Confirmed):
            self._confirm(lane)
        elif isinstance(step, Handoff):
            self._hand_off(lane, index, step)
        elif isinstance(step, Done):
            self.done = True
        elif not isinstance(step, Wait):
            self._state(lane, step)

    def _state(self, lane: Lane, fact: Fact) -> None:
        if lane.confirmed:
            self._facts.append(fact)
        elif lane.held is None:
            lane.held = [fact]
        elif len(lane.held) < HELD_FACTS_MAX:
            lane.held.append(fact)

    def _take_stated(self, lane: Lane) -> None:
        if lane.confirmed:
            self._conversation().collect_into(self._facts)
            return
        for fact in self._conversation().collect():
            self._state(lane, fact)

    def _confirm(self, lane: Lane) -> None:
        if not lane.confirmed:
            self.confidence = _CONFIRMED
            lane.confirmed, lane.failed, lane.head = True, 0, b""
            if lane.held is not None:
                self._facts += lane.held
                lane.held = None

    def _finished(self, lane: Lane) -> None:
        """The generator has returned: this lane is read to its end."""
        self._take_stated(lane)
        lane.state, lane.reader, lane.steps = CLOSED, None, None
        self._settle_done()

    def _failed(self, lane: Lane, index: int, error: ProtocolError) -> None:
        if lane.confirmed:
            self._take_stated(lane)
            self._break_off(lane, index, error)
            return
        self._conversation().collect()
        if lane.reader is not None and lane.reader.resumed:
            self._candidate_failed(lane)
        elif self.protocol is not None and self.confidence is not _CONFIRMED:
            self._exclude(self.protocol)
        else:
            self._break_off(lane, index, error)

    def _break_off(self, lane: Lane, index: int, error: ProtocolError) -> None:
        """An anomaly ends a stream's lane. Datagrams stand alone: the next one is read, up to a bound."""
        subject = self._conversation().me(self.side(index))
        self._facts.append(Anomaly(subject, error.code, error.offset, error.what[:DETAIL_MAX_CHARS]))
        lane.failed += 1
        if self._over == "tcp" or self.protocol is None or lane.failed > FAILED_CANDIDATES_MAX:
            lane.reset(CLOSED)
            self._settle_done()
        else:
            lane.reset(PROBING)
            self._begin(lane, index, self.protocol, False)

    def _exclude(self, protocol: Protocol) -> None:
        """It is not this protocol after all: both lanes' heads meet the others."""
        self._excluded += (protocol,)
        self.protocol, self.confidence = None, Confidence.PORT
        self._talk = None
        for lane in self._lanes:
            if lane.state != CLOSED:
                lane.reset(PROBING)
        for index in (0, 1):
            lane = self._lanes[index]
            if lane.state == PROBING and lane.head and not lane.overflowed:
                self._try(lane, index)

    def _hand_off(self, lane: Lane, index: int, step: Handoff) -> None:
        """Both lanes go on as another protocol, each from its first unread byte."""
        protocol = self._registry.get(step.protocol)
        self._confirm(lane)
        one, other = self._lanes
        unread = (one.drain(), other.drain())
        for each in (one, other):
            each.reset(PROBING)
            each.forget()
        self.protocol = protocol
        if protocol is None:
            self.done = True
            return
        self.confidence = Confidence.PROBED
        for number in (index, 1 - index):
            if unread[number]:
                self._consider(self._lanes[number], number, unread[number], False)

    def _settle_done(self) -> None:
        if self.closed(0) and self.closed(1):
            self.done = True

    def _collect(self) -> list[Fact]:
        if self.done and self.confidence is _CONFIRMED:
            talk = self._conversation()
            talk.end()
            talk.collect_into(self._facts)
        if not self._facts:
            return []
        facts, self._facts = self._facts, []
        return facts
