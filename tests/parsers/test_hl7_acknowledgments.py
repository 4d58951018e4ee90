"""What became of a message: by control id, in either mode, and never by guess."""

from __future__ import annotations

import pytest

from parsers.core import Session
from tests.parsers._hl7 import (
    REGISTRY,
    acknowledgment,
    claims,
    framed,
    header,
    outcomes,
    read,
    values,
)


def admission(control_id: str, accept: str = "", application: str = "") -> bytes:
    head = header("REGADT", "MCM", "EMR", "HOSP", "20261125", "", "ADT^A04", control_id)
    if accept or application:
        head = head[:-1] + f"|||{accept}|{application}\r".encode()
    return framed(head + b"EVN|A04\r")


def ack(control_id: str, code: str = "AA") -> bytes:
    return framed(acknowledgment(control_id, code))


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("AA", "accepted"), ("CA", "accepted"), ("AE", "rejected"), ("AR", "rejected"), ("CE", "rejected"),
        ("CR", "rejected"), ("XX", "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_codes(code: str, outcome: str) -> None:
    facts = read(admission("M1"), ack("M1", code))
    assert outcomes(facts) == [outcome]
    assert claims(facts)[0].details.get("acknowledgment_code") == (code if outcome != "unknown" else None)
    assert values(facts, "acknowledgment_code") == ([code] if outcome != "unknown" else [])


def test_found_by_control_id() -> None:
    facts = read(admission("M1") + admission("M2") + admission("M3"), ack("M3", "AE") + ack("M1") + ack("M9", "AR"))
    assert outcomes(facts) == ["rejected", "accepted", "unknown"]


def test_the_senders_of_acknowledgments_claim_nothing() -> None:
    facts = read(admission("M1"), ack("M1"))
    assert [claim.principal for claim in claims(facts)] == ["REGADT"]
    assert values(facts, "sending_application") == ["REGADT", "EMR"]


def test_an_answer_with_msa_is_no_claim_whatever_its_type() -> None:
    answer = header("EMR", "HOSP", "REGADT", "", "", "", "RSP^K22", "R1") + b"SFT|X\rMSA|AA|M1\rQAK|1\r"
    facts = read(admission("M1"), framed(answer))
    assert [(claim.principal, claim.outcome.value) for claim in claims(facts)] == [("REGADT", "accepted")]


@pytest.mark.parametrize(
    ("accept", "codes", "outcome", "code"),
    [
        ("AL", ["CA", "AE"], "accepted", "CA"),
        ("AL", ["AE"], "rejected", "AE"),
        ("AL", ["CR"], "rejected", "CR"),
        ("NE", ["AE"], "rejected", "AE"),
        ("ER", ["AA"], "accepted", "AA"),
        ("ER", ["CE"], "rejected", "CE"),
        ("", ["CA"], "accepted", "CA"),
    ],
)
def test_enhanced_mode(accept: str, codes: list[str], outcome: str, code: str | None) -> None:
    facts = read(admission("M1", accept, "AL"), b"".join(ack("M1", said) for said in codes))
    assert outcomes(facts) == [outcome]
    assert claims(facts)[0].details.get("acknowledgment_code") == code
    assert values(facts, "acknowledgment_code") == codes


@pytest.mark.parametrize(
    ("accept", "application", "outcome"),
    [
        ("AL", "AL", "unknown"), ("AL", "", "unknown"), ("AL", "NE", "rejected"), ("NE", "AL", "rejected"),
        ("", "", "rejected"),
    ],
)  # fmt: skip
def test_the_second_answer_does_not_stand_for_a_lost_first(accept: str, application: str, outcome: str) -> None:
    session = Session(REGISTRY, "tcp")
    facts = session.feed(0, admission("M1", accept, application), 1) + session.gap(1)
    facts += session.feed(1, ack("M1", "AE"), 1) + session.end()
    assert outcomes(facts) == [outcome]
    again = Session(REGISTRY, "tcp")
    facts = again.gap(1) + again.feed(0, admission("M1", accept, application), 1)
    facts += again.feed(1, ack("M1", "AE"), 1) + again.end()
    assert outcomes(facts) == ["rejected"]


def test_without_acknowledgments_nothing_is_known() -> None:
    facts = read(admission("M1", "NE", "NE") * 3)
    assert outcomes(facts) == ["unknown"] * 3
    assert [claim.details["acknowledgments"] for claim in claims(facts)] == ["none"] * 3
    many = read(b"".join(admission(f"M{n}") for n in range(1_000)))
    assert outcomes(many) == ["unknown"] * 1_000


def test_an_early_answer_waits() -> None:
    """Packets captured out of order."""
    session = Session(REGISTRY, "tcp")
    facts = session.feed(1, ack("M1"), 1) + session.feed(0, admission("M1"), 1) + session.end()
    assert outcomes(facts) == ["accepted"]


def test_an_early_answer_counts_only_where_nothing_is_missing() -> None:
    for midstream, gap in ((True, False), (False, True)):
        session = Session(REGISTRY, "tcp", midstream=midstream)
        facts = session.feed(0, admission("M0"), 1)
        facts += session.feed(1, ack("M1"), 1)
        if gap:
            facts += session.gap(0)
        facts += session.feed(0, admission("M1"), 2) + session.end()
        assert sorted(outcomes(facts)) == ["unknown", "unknown"]


def test_one_control_id_for_all() -> None:
    """Some senders do. In turn each is answered; of two at once neither is known, nor what follows them."""
    assert outcomes(read(admission("1"), ack("1"), admission("1"), ack("1", "AE"))) == ["accepted", "rejected"]
    torn = read(admission("1") + admission("1"), ack("1") + ack("1", "AE"), admission("1"), ack("1"))
    assert outcomes(torn) == ["unknown"] * 3


def test_a_second_answer_is_nobodys() -> None:
    facts = read(admission("1"), ack("1") + ack("1", "AE"), admission("1"))
    assert outcomes(facts) == ["accepted", "unknown"]


def test_no_control_id_no_answer() -> None:
    assert outcomes(read(admission(""), ack(""))) == ["unknown"]


def test_both_sides_may_ask() -> None:
    query = framed(header("EMR", "", "REGADT", "", "", "", "QRY^A19", "Q1") + b"QRD|1\r")
    facts = read(admission("Q1"), query + ack("Q1", "AE"), ack("Q1"))
    assert {(claim.principal, claim.outcome.value) for claim in claims(facts)} == {
        ("REGADT", "rejected"),
        ("EMR", "accepted"),
    }


@pytest.mark.parametrize(("code", "outcome"), [("AA", "accepted"), ("AR", "rejected"), (None, "unknown")])
def test_security_is_a_secret_with_the_same_outcome(code: str | None, outcome: str) -> None:
    secured = framed(header("REGADT", "MCM", "EMR", "", "", r"S3cr\F\t", "ADT^A01", "M1") + b"EVN|A01\r")
    facts = read(secured, ack("M1", code) if code else b"")
    (claim,) = claims(facts, "hl7-security")
    assert (claim.principal, claim.realm, claim.outcome.value) == ("REGADT", "MCM", outcome)
    assert claim.secret is not None
    assert claim.secret.reveal() == b"S3cr|t"
    assert "S3cr" not in repr(facts)
    assert outcomes(facts) == [outcome]


@pytest.mark.parametrize("empty", ["", '""', "  "])
def test_no_security_no_claim(empty: str) -> None:
    secured = framed(header("REGADT", "MCM", "EMR", "", "", empty, "ADT^A01", "M1") + b"EVN|A01\r")
    assert claims(read(secured), "hl7-security") == []


def test_security_of_a_batch() -> None:
    batch = b"BHS|^~\\&|LAB|SITE|EMR|HOSP|20261125|pw1234\r" + header("LAB", "SITE") + b"OBR|1\rBTS|1\r"
    (claim,) = claims(read(framed(batch)), "hl7-security")
    assert claim.secret is not None
    assert (claim.secret.reveal(), claim.outcome.value) == (b"pw1234", "unknown")


def test_security_without_a_sender() -> None:
    secured = framed(header("", "", "", "", "", "pw1234", "ADT^A01", "M1") + b"EVN|A01\r")
    (claim,) = claims(read(secured, ack("M1")), "hl7-security")
    assert (claim.principal, claim.outcome.value) == (None, "accepted")
