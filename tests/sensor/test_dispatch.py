"""Dispatch: midnight, privacy, the bulkhead, and what goes out about a conversation."""

from __future__ import annotations

import json
import random
import struct
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from parsers.core import (
    Attribute,
    Authentication,
    Blanks,
    Channel,
    Confirmed,
    Conversation,
    Field,
    Malformed,
    Outcome,
    Protocol,
    Reader,
    Registry,
    Secret,
    Sensitivity,
    Side,
    Steps,
    Verdict,
)
from parsers.core.lane import LANE_BYTES
from parsers.core.session import SESSION_BYTES
from sensor.budget import Budget
from sensor.capture.pcapfile import CaptureFile
from sensor.dispatch import RESTATED_MAX
from sensor.engine import Engine
from sensor.pipeline import Pipeline
from sensor.sighting import Sighting
from sensor.site import Privacy, Site
from sensor.sitekey import SiteKey
from tests.captures import Packet, packets, write
from tests.conftest import PCAPS
from tests.sensor.engine.builder import Tcp, Wire
from tests.sensor.store.facts import attributes_of
from tests.tables import told

NAME = Field("test.name", "none")
USER = Field("test.user", "none", Sensitivity.PRINCIPAL)
HOARD = 5_000
FACT_BYTES = 512  # as in `flows`
MIDNIGHT = 20_000 * 86_400
ECHO = PCAPS / "dicom" / "echo.pcap"


def probe(head: bytes, side: Side) -> Verdict:
    return Verdict.LIKELY


def naming(r: Reader, side: Side, talk: Conversation) -> Steps:
    yield from r.exactly(1)
    yield Confirmed()
    yield NAME(talk.me(side), "x")
    claim = Authentication(talk.me(side), "test", principal="bob", secret=Secret(b"hunter22"))
    yield claim
    while True:
        yield from r.skip(1)


def repeating(r: Reader, side: Side, talk: Conversation) -> Steps:
    """More equal claims than there is room for, then something new."""
    yield from r.exactly(1)
    yield Confirmed()
    for _ in range(RESTATED_MAX + 1):
        yield Authentication(talk.me(side), "test", principal="bob", secret=Secret(b"hunter22"), details={"a": "b"})
    yield Channel(talk.me(side), "Test 1")
    while True:
        yield from r.skip(1)


def breaking(r: Reader, side: Side, talk: Conversation) -> Steps:
    yield from r.exactly(1)
    yield Confirmed()
    raise ZeroDivisionError


def run(path: Path, dissect, site: Site | None = None, *, bulkhead: bool = False) -> tuple[list, Pipeline]:
    registry = Registry([Protocol("test", "none", "tcp", probe, dissect)])
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, site or Site(), SiteKey.test(), registry=registry, bulkhead=bulkhead)
        return list(pipeline.sightings()), pipeline


def days(path: Path, dissect, *, bulkhead: bool = False) -> list[dict]:
    """The rows of conversations, with what their kind is."""
    registry = Registry([Protocol("test", "none", "tcp", probe, dissect)])
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), registry=registry, bulkhead=bulkhead)
        (batch,) = pipeline.batches()
    parts = {name: told(part) for name, part in batch.parts}
    kinds = {kind.pop("id"): kind for kind in parts["kind"]}
    return [kinds[row["kind"]] | row for row in parts["fact_conversation"]]


def at_second(record: Packet, seconds: int) -> Packet:
    return record._replace(header=struct.pack("<I", seconds) + record.header[4:])


@pytest.fixture
def past_midnight(tmp_path: Path) -> Path:
    """An echo whose second half happens a second later, on the next day."""
    header, records = packets(ECHO)
    half = len(records) // 2
    moved = [at_second(record, MIDNIGHT - (number < half)) for number, record in enumerate(records)]
    return write(tmp_path / "night.pcap", header, moved)


def test_facts_are_restated_on_a_new_day(past_midnight: Path) -> None:
    items, _ = run(past_midnight, naming)
    names = [item for item in items if isinstance(item.fact, Attribute)]
    assert sorted((item.ts_us // 86_400_000_000, item.continued, item.endpoint.port == 4242) for item in names) == [
        (19_999, False, False),
        (19_999, False, True),
        (20_000, True, False),
        (20_000, True, True),
    ]


def test_equal_claims_are_restated_once(past_midnight: Path) -> None:
    """A feed says who it is with every message; at midnight that is one thing to say."""
    items, _ = run(past_midnight, repeating)
    again = [item for item in items if item.continued]
    assert [type(item.fact) for item in again if item.fact.subject.side is Side.INITIATOR] == [Authentication, Channel]


def test_a_conversation_is_stated_per_day(past_midnight: Path) -> None:
    apart, whole = days(past_midnight, naming), days(ECHO, naming)
    assert [(day["day"] - apart[0]["day"]).days for day in apart] == [0, 1]
    assert sum(day["packets"] for day in apart) == sum(day["packets"] for day in whole)
    assert sum(day["initiator_bytes"] for day in apart) == sum(day["initiator_bytes"] for day in whole)


def test_secrets_become_marks_and_principals_what_the_site_wants() -> None:
    def claims(site: Site) -> Iterator[Sighting]:
        return (i for i in run(ECHO, naming, site)[0] if isinstance(i.fact, Authentication))

    kept, hidden = next(claims(Site())), next(claims(Site(privacy=Privacy("pseudonym"))))
    assert isinstance(kept.fact, Authentication)
    assert isinstance(hidden.fact, Authentication)
    assert (kept.fact.secret, kept.fact.principal) == (None, "bob")
    assert kept.secret == SiteKey.test().mark(b"hunter22", "bob") == hidden.secret
    assert hidden.fact.principal == SiteKey.test().pseudonym("bob") != "bob"


def calling(r: Reader, side: Side, talk: Conversation) -> Steps:
    """An account as an attribute, and a claim of software, which is no account."""
    yield from r.exactly(1)
    yield Confirmed()
    yield USER(talk.me(side), "Bob$")
    yield Authentication(talk.me(side), "test", principal="CT01", sensitivity=Sensitivity.DEVICE)


def test_pseudonyms_are_for_accounts_wherever_they_are_said() -> None:
    facts = [item.fact for item in run(ECHO, calling, Site(privacy=Privacy("pseudonym")))[0]]
    users = {fact.value for fact in facts if isinstance(fact, Attribute)}
    assert users == {SiteKey.test().pseudonym("BOB$")}
    assert users.pop().endswith("$")
    assert {fact.principal for fact in facts if isinstance(fact, Authentication)} == {"CT01"}


def test_the_bulkhead_counts_and_goes_on() -> None:
    _, pipeline = run(ECHO, breaking, bulkhead=True)
    assert [day["protocol"] for day in days(ECHO, breaking, bulkhead=True)] == ["test"]
    assert '"parser_failures":2' in str(pipeline.summary()["counters"])
    assert "ZeroDivisionError" in str(pipeline.summary()["counters"])


def test_the_bulkhead_is_off_in_tests() -> None:
    with pytest.raises(ZeroDivisionError):
        run(ECHO, breaking)


def hoarding(r: Reader, side: Side, talk: Conversation) -> Steps:
    """Messages that begin with T and are long."""
    while True:
        if (yield from r.exactly(1)) != b"T":
            raise Malformed("no T", r.offset)
        yield from r.exactly(HOARD - 1)
        yield Confirmed()
        yield NAME(talk.me(side), "whole")


def hoards(flows: int) -> bytes:
    """Conversations that each begin a message, then end it, then say a whole one in their next turn."""
    wire = Wire()
    talks = [Tcp(wire, addresses=(f"10.0.1.{number}", "10.0.0.2")).open() for number in range(flows)]
    message = b"T" + bytes(HOARD - 1)
    for data in (message[:1000], message[1000:]):
        for talk in talks:
            talk.send(0, data, ack=False)
    for talk in talks:
        talk.send(1, message)
        talk.send(0, message)
    return wire.pcap()


@pytest.mark.parametrize(("budget", "flows_read"), [(1 << 20, 40), (20_000, 10)])
def test_what_sessions_hold_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int, flows_read: int
) -> None:
    """Unconfirmed, 1,000 bytes are held twice. Who lets go has a gap, goes on, and says nothing that was not read."""
    monkeypatch.setattr("parsers.core.session.SESSION_BYTES", 0)
    monkeypatch.setattr("parsers.core.lane.LANE_BYTES", 0)
    bounds = Budget(session_bytes=budget)
    path = tmp_path / "hoards.pcap"
    path.write_bytes(hoards(40))
    registry = Registry([Protocol("test", "none", "tcp", lambda head, _: Verdict.LIKELY, hoarding, (b"T",))])
    with CaptureFile(path) as capture:
        engine = Engine(head_bytes=1 << 16, head_max=1 << 16)
        pipeline = Pipeline(
            capture, Site(), SiteKey.test(), registry=registry, bulkhead=False, engine=engine, budget=bounds
        )
        facts = list(pipeline.sightings())
        counters = json.loads(str(pipeline.summary()["counters"]))
    said = Counter(fact.endpoint.ip for fact in facts if fact.fact.subject.side is Side.INITIATOR)
    assert sum(count == 2 for count in said.values()) == flows_read
    assert len(said) == 40
    assert (counters.get("evicted_session_bytes", 0) > 0) is (flows_read < 40)


def chatting(r: Reader, side: Side, talk: Conversation) -> Steps:
    """The same is stated in each turn."""
    yield Confirmed()
    while True:
        yield from r.exactly(2)
        yield NAME(talk.me(side), "x")


@pytest.mark.parametrize("batch_bytes", [1024, 1 << 20])
def test_what_is_recalled_is_counted_in_the_batch_and_on_the_day_where_it_is_said(
    tmp_path: Path, batch_bytes: int
) -> None:
    """Two conversations that say the same sixteen times, past midnight; each fact once and no more."""
    path, wire = tmp_path / "chat.pcap", Wire(MIDNIGHT * 1_000_000 - 5_000, 200)
    for port in (50_000, 50_001):
        talk = Tcp(wire, ports=(port, 104)).open()
        for turn in range(16):
            talk.send(turn % 2, b"TT")
    path.write_bytes(wire.pcap())
    protocol = Protocol("test", "none", "tcp", probe, chatting, blanks=lambda *_: Blanks())
    with CaptureFile(path, window_bytes=1024) as capture:
        pipeline = Pipeline(
            capture, Site(), SiteKey.test(), registry=Registry([protocol]), bulkhead=False, batch_bytes=batch_bytes
        )
        parts = [part for batch in pipeline.batches() for part in batch.parts]
        counters = json.loads(str(pipeline.summary()["counters"]))
    rows = attributes_of(parts)
    assert counters["runs_known"] == 16
    assert len({row["day"] for row in rows}) == 2
    assert sum(row["n"] for row in rows if not row["continued"]) == 32
    assert len(rows) > 6 if batch_bytes == 1024 else len(rows) == 6


def test_what_was_said_first_has_the_evidence_of_that_moment(tmp_path: Path) -> None:
    """The clock is set back before the third of three conversations that say the same."""
    path, wire = tmp_path / "chat.pcap", Wire((MIDNIGHT + 60) * 1_000_000)
    for port in (50_000, 50_001, 50_002):
        if port == 50_002:
            wire.wait(-1)
        first = len(wire.frames)
        talk = Tcp(wire, ports=(port, 104)).open()
        for turn in range(2):
            talk.send(turn, b"TT")
    path.write_bytes(wire.pcap())
    protocol = Protocol("test", "none", "tcp", probe, chatting, blanks=lambda *_: Blanks())
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), registry=Registry([protocol]), bulkhead=False)
        found = attributes_of([part for batch in pipeline.batches() for part in batch.parts])
    for row in found:
        when = row["first_ts"].replace(tzinfo=UTC).timestamp()
        assert (row["n"], round(when * 1_000_000)) == (3, wire.frames[row["frame"] - 1].ts_us)
    assert {row["frame"] for row in found} == {first + 4, first + 5}


def test_an_end_is_recalled_as_well(tmp_path: Path) -> None:
    """What is said at the end of a conversation is said of others that have come the same way, and of no other."""
    made: list[str] = []

    def concluding(r: Reader, side: Side, talk: Conversation) -> Steps:
        yield Confirmed()
        version = (yield from r.exactly(2)).decode()

        def conclude() -> Channel:
            made.append(version)
            return Channel(talk.me(side), version)

        talk.defer(side, conclude)
        yield from r.exactly(1 << 20)

    path, wire = tmp_path / "ends.pcap", Wire()
    for number, said in enumerate([b"V1", b"V1", b"V2", b"V1", b"V2", b"V1"]):
        talk = Tcp(wire, ports=(50_000 + number, 104)).open()
        talk.send(0, said)
        talk.close()
    path.write_bytes(wire.pcap())
    protocol = Protocol("test", "none", "tcp", probe, concluding, blanks=lambda *_: Blanks())
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), registry=Registry([protocol]), bulkhead=False)
        facts = [sighting.fact for sighting in pipeline.sightings()]
    assert [fact.version for fact in facts if isinstance(fact, Channel)] == ["V1", "V1", "V2", "V1", "V2", "V1"]
    assert made == ["V1", "V2"]


def claiming(r: Reader, side: Side, talk: Conversation) -> Steps:
    """One and the same claim for each p; another one, with these bytes as its secret, for all else."""
    yield Confirmed()
    claim = Authentication(talk.me(side), "test", principal="bob")
    while True:
        secret = yield from r.exactly(8)
        if secret.startswith(b"p"):
            talk.ask(1, claim)
            talk.answer(1, Outcome.ACCEPTED)
        else:
            yield Authentication(talk.me(side), "test", principal="bob", secret=Secret(secret))


def test_a_claim_that_is_made_again_is_counted_and_a_secret_is_its_own(tmp_path: Path) -> None:
    """Two conversations: four turns of each side without a secret, then four with."""
    path, wire = tmp_path / "claims.pcap", Wire()
    for port in (50_000, 50_001):
        talk = Tcp(wire, ports=(port, 104)).open()
        for turn in range(16):
            talk.send(turn % 2, b"%c-word%02d" % (b"ps"[turn // 8], turn))
    path.write_bytes(wire.pcap())
    registry = Registry([Protocol("test", "none", "tcp", probe, claiming)])
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), registry=registry, bulkhead=False)
        (batch,) = pipeline.batches()
        rows = [row for name, part in batch.parts if name == "fact_authentication" for row in told(part)]
    assert sorted((row["outcome"], row["n"]) for row in rows) == [("accepted", 8)] * 2 + [("unknown", 2)] * 8
    assert len({row["secret_digest"] for row in rows}) == 1 + 8


def single(r: Reader, side: Side, talk: Conversation) -> Steps:
    """Messages of ten bytes that begin with T."""
    while True:
        if (yield from r.exactly(10))[:1] != b"T":
            raise Malformed("no T", r.offset)
        yield Confirmed()
        yield NAME(talk.me(side), "message")


def begins_with_t(head: bytes, side: Side) -> Verdict:
    return Verdict.LIKELY if head.startswith(b"T") else Verdict.NO


@pytest.mark.parametrize("room", [60, 5])
def test_sessions_are_bounded_and_another_one_joins_where_a_message_begins(tmp_path: Path, room: int) -> None:
    """No two messages are alike, so each conversation needs a session; so many fit in without their facts."""
    bounds = Budget(session_bytes=room * (SESSION_BYTES + LANE_BYTES) + 3 * FACT_BYTES)
    chance, wire = random.Random(1), Wire()
    talks = [Tcp(wire, addresses=(f"10.0.1.{number}", "10.0.0.2")).open() for number in range(40)]
    for _ in range(3):
        for talk in talks:
            talk.send(0, b"T" + chance.randbytes(9))
            talk.send(1, b"ok")
    path = tmp_path / "many.pcap"
    path.write_bytes(wire.pcap())
    registry = Registry([Protocol("test", "none", "tcp", begins_with_t, single, (b"T",))])
    with CaptureFile(path) as capture:
        engine = Engine()
        pipeline = Pipeline(
            capture, Site(), SiteKey.test(), registry=registry, bulkhead=False, engine=engine, budget=bounds
        )
        said = Counter(fact.endpoint.ip for fact in pipeline.sightings() if isinstance(fact.fact, Attribute))
        counters = json.loads(str(pipeline.summary()["counters"]))
    assert set(said.values()) == {3}
    assert len(said) == 40
    assert counters.get("evicted_sessions", 0) == (3 * 40 - 5 if room == 5 else 0)


@pytest.mark.parametrize("room", [40, 5])
def test_facts_for_midnight_are_bounded_and_what_goes_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Each conversation states one fact, and goes on the next day; sessions take no room here."""
    monkeypatch.setattr("parsers.core.session.SESSION_BYTES", 0)
    monkeypatch.setattr("parsers.core.lane.LANE_BYTES", 0)
    bounds = Budget(session_bytes=room * FACT_BYTES + 400)
    path, wire = tmp_path / "night.pcap", Wire(MIDNIGHT * 1_000_000 - 100_000, 200)
    talks = [Tcp(wire, addresses=(f"10.0.1.{number}", "10.0.0.2")).open() for number in range(40)]
    for talk in talks:
        talk.send(0, b"T" + bytes(9))
    wire.now_us = MIDNIGHT * 1_000_000
    for talk in talks:
        talk.send(0, b"To be")
    path.write_bytes(wire.pcap())
    registry = Registry([Protocol("test", "none", "tcp", begins_with_t, single, (b"T",))])
    with CaptureFile(path) as capture:
        engine = Engine()
        pipeline = Pipeline(
            capture, Site(), SiteKey.test(), registry=registry, bulkhead=False, engine=engine, budget=bounds
        )
        continued = Counter(item.continued for item in pipeline.sightings() if isinstance(item.fact, Attribute))
        counters = json.loads(str(pipeline.summary()["counters"]))
    assert continued == {False: 40, True: room}
    assert counters["evicted_facts"] == 40 - room


@pytest.mark.parametrize("turn", [2, 3, 5, 9])
def test_what_nobody_knows_is_looked_at_in_all_its_turns(tmp_path: Path, turn: int) -> None:
    """Told of, as it begins like a message, and refused; a message that begins in any later turn is read."""
    wire = Wire()
    talk = Tcp(wire).open()
    for number in range(1, turn + 1):
        talk.send(0, b"T" + b"read me.." if number == turn else b"To all" if number == 1 else b"xx")
        talk.send(1, b"ok")
    path = tmp_path / "late.pcap"
    path.write_bytes(wire.pcap())

    def probe(head: bytes, side: Side) -> Verdict:
        return Verdict.LIKELY if head.startswith(b"Tr") else Verdict.NO

    registry = Registry([Protocol("test", "none", "tcp", probe, single, (b"T",))])
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), registry=registry, bulkhead=False)
        facts = [fact.fact for fact in pipeline.sightings() if isinstance(fact.fact, Attribute)]
    assert [fact.value for fact in facts] == ["message"]
