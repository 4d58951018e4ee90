"""MSH: every field, any delimiters, escape sequences, character sets, old versions."""

from __future__ import annotations

import json

import pytest

from parsers.core import Attribute, Authentication, Side
from parsers.hl7 import PROTOCOL
from parsers.hl7.framing import is_header
from parsers.hl7.header import _parsed
from tests.captures import shared_captures
from tests.parsers._hl7 import ADT, acknowledgment, claims, framed, header, read, values

FULL = (
    b"MSH|^~\\&|VC150^1.2.3^ISO|842F75001122|EMR|HOSP|20261125101010+0100|secret|ORU^R01^ORU_R01|MSG7|P^T|2.6^FRA|12||"
    b"NE|AL|FRA|8859/1~UNICODE UTF-8|fr^French^ISO639||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO~B^C|"
    b"ACME Hospital^L|Other Hospital|^842F75001122^MAC|10.1.2.3^10.1.2.3^DNS\r"
)
EXPECTED = {
    "sending_application": ["VC150^1.2.3^ISO"],
    "sending_facility": ["842F75001122"],
    "receiving_application": ["EMR"],
    "receiving_facility": ["HOSP"],
    "message_type": ["ORU^R01^ORU_R01"],
    "processing_id": ["P"],
    "version": ["2.6"],
    "accept_acknowledgment_type": ["NE"],
    "application_acknowledgment_type": ["AL"],
    "country_code": ["FRA"],
    "character_set": ["8859/1", "UNICODE UTF-8"],
    "principal_language": ["fr^French^ISO639"],
    "message_profile": ["IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO", "B^C"],
    "sending_responsible_organization": ["ACME Hospital^L"],
    "receiving_responsible_organization": ["Other Hospital"],
    "sending_network_address": ["^842F75001122^MAC"],
    "receiving_network_address": ["10.1.2.3^10.1.2.3^DNS"],
}
PEERS = {name for name in EXPECTED if name.startswith("receiving")}


def with_delimiters(message: bytes, delimiters: str) -> bytes:
    return message.decode().translate(str.maketrans("|^~\\&", delimiters)).encode()


@pytest.mark.parametrize("delimiters", ["|^~\\&", "$%*!@", "#:;/+", "^|~\\&", "\\^~|&", ";,.-_", '!"#$%'])
def test_every_field_whatever_the_delimiters(delimiters: str) -> None:
    message = with_delimiters(FULL, delimiters) if delimiters == "|^~\\&" else with_delimiters(
        FULL.replace(b"1.2.3^", b"1 2 3^").replace(b"10.1.2.3", b"host").replace(b"1.3.6.1.4.1.19376.1.6.1.1.1", b"OID")
        .replace(b"2.6^", b"2 6^").replace(b"+0100", b"").replace(b"8859/1", b"X").replace(b"_", b" "), delimiters
    )  # fmt: skip
    facts = read(framed(message))
    for name, expected in EXPECTED.items():
        if delimiters == "|^~\\&":
            assert values(facts, name) == expected, name
        else:
            assert len(values(facts, name)) == len(expected), name
            assert values(facts, name)[0].count("^") == expected[0].count("^"), name


def test_who_each_field_is_about() -> None:
    for fact in read(framed(FULL)):
        if isinstance(fact, Attribute) and fact.name.removeprefix("hl7.") in EXPECTED:
            about_peer = fact.name.removeprefix("hl7.") in PEERS
            assert fact.subject.side is (Side.RESPONDER if about_peer else Side.INITIATOR), fact.name


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"A\F\B", "A|B"), (r"A\S\B", "A^B"), (r"A\T\B", "A&B"), (r"A\R\B", "A~B"), (r"A\E\B", "A\\B"),
        (r"A\X42\C", "ABC"), (r"\X4142\\X43\ ", "ABC"), (r"\H\A\N\ B", "A B"), (r"A\.br\B", "A B"),
        (r"\C2842\A\M2442\ ", "A"), (r"A\Q\B", r"A\Q\B"), (r"A\XZZ\B", r"A\XZZ\B"), ("A\\", "A\\"), ("A&B&", "A&B"),
        ("A^^B^^", "A^^B"), (r"A\X00\B", "A\N{REPLACEMENT CHARACTER}B"), (" A ", "A"),
    ],
)  # fmt: skip
def test_escape_sequences(written: str, meant: str) -> None:
    assert values(read(framed(header(written))), "sending_application") == [meant]


@pytest.mark.parametrize("nothing", ["", '""', "^^", "&", " "])
def test_no_value_is_no_fact(nothing: str) -> None:
    facts = read(framed(header(nothing, nothing)))
    assert values(facts, "sending_application") == []
    assert values(facts, "sending_facility") == []
    assert claims(facts) == []


@pytest.mark.parametrize(
    ("named", "codec"),
    [
        ("", "utf-8"), ("", "latin-1"), ("UNICODE UTF-8", "utf-8"), ("8859/1", "latin-1"), ("8859/2", "iso8859-2"),
        ("8859/15", "iso8859-15"), ("8859/9", "iso8859-9"), ("ISO-8859-2", "iso8859-2"), ("8859-1", "latin-1"),
        ("utf8", "utf-8"),
    ],
)  # fmt: skip
def test_european_character_sets(named: str, codec: str) -> None:
    name = "Krankenhaus Süd"
    message = FULL.replace(b"842F75001122|EMR", name.encode(codec) + b"|EMR").replace(
        b"8859/1~UNICODE UTF-8", named.encode()
    )
    assert values(read(framed(message)), "sending_facility") == [name]


@pytest.mark.parametrize("named", ["8859/1", "8859/15", "ISO IR6", ""])
def test_utf8_by_another_name(named: str) -> None:
    message = FULL.replace(b"842F75001122|EMR", "Röntgen".encode() + b"|EMR").replace(
        b"8859/1~UNICODE UTF-8", named.encode()
    )
    assert values(read(framed(message)), "sending_facility") == ["Röntgen"]


@pytest.mark.parametrize(
    ("named", "codec", "name"),
    [
        ("GB 18030-2000", "gb18030", "浙江醫院"),
        ("BIG-5", "big5", "功許蓋"),  # second bytes are \ and |
        ("ISO IR14", "shift_jis", "ソ表"),  # the same
        ("ISO IR87", "iso2022_jp_2", "病院"),
        ("KS X 1001", "euc_kr", "병원"),
    ],
)
def test_asian_character_sets(named: str, codec: str, name: str) -> None:
    message = FULL.replace(b"8859/1~UNICODE UTF-8", named.encode()).replace(b"|HOSP|", b"|" + name.encode(codec) + b"|")
    assert values(read(framed(message)), "receiving_facility") == [name]


@pytest.mark.parametrize(
    "message",
    [
        b"MSH|^~\\&|LAB|||||||ORU|1|P|2.1\r".replace(b"|||||||", b"||||||"),
        b"MSH|^~\\&|LAB||||||ORU|1|P\r",
        b"MSH|^~\\&|LAB||||||ORU\r",
        b"MSH|^~\\&|LAB|||||||1|P|2.1\r",
    ],
)
def test_minimal_headers(message: bytes) -> None:
    assert values(read(framed(message)), "sending_application") == ["LAB"]
    assert len(claims(read(framed(message)))) == 1


def test_a_header_is_parsed_once_for_all_conversations_that_differ_in_time_secret_and_id() -> None:
    """It says the same in each, and each tells it, with its own secret."""
    other = FULL.replace(b"secret", b"hidden!").replace(b"20261125", b"20271125").replace(b"MSG7", b"MSG8")
    _parsed.cache_clear()
    first = read(framed(FULL), framed(acknowledgment("MSG7")))
    parsed = _parsed.cache_info().misses
    second = read(framed(other), framed(acknowledgment("MSG8")))
    assert _parsed.cache_info().misses == parsed <= 2
    assert [fact for fact in first if isinstance(fact, Attribute)] == [
        fact for fact in second if isinstance(fact, Attribute)
    ]
    secrets = [fact.secret for fact in (*first, *second) if isinstance(fact, Authentication)]
    assert [secret.reveal() for secret in secrets if secret is not None] == [b"secret", b"hidden!"]


def test_what_cannot_be_a_header() -> None:
    assert not is_header(b"MSH|^|x")
    assert is_header(b"..MSH|^~\\&|x", 2)


def test_claims_tell_the_receiver() -> None:
    (claim,) = claims(read(framed(FULL)))
    assert (claim.principal, claim.realm) == ("VC150^1.2.3^ISO", "842F75001122")
    assert claim.details == {"receiving_application": "EMR", "receiving_facility": "HOSP", "processing_id": "P"}


def test_feeds_that_want_no_answer() -> None:
    message = ADT.replace(b"|2.5.1\r", b"|2.5.1|||NE|NE\r")
    (claim,) = claims(read(framed(message)))
    assert claim.details["acknowledgments"] == "none"


def test_a_long_value_is_cut() -> None:
    assert [len(value) for value in values(read(framed(header("A" * 3_000))), "sending_application")] == [256]


def test_every_header_of_a_feed_is_told_again_now_and_then() -> None:
    facts = read(b"".join(framed(ADT.replace(b"000001", b"%d" % n)) for n in range(600)))
    assert values(facts, "sending_application") == ["REGADT"] * 3
    assert len(claims(facts)) == 600


def test_the_public_captures_headers(shared_pcaps) -> None:
    """Each field that is told equals the one in the capture's MSH line, and all that are there are told."""
    from tests.captures import facts as facts_of

    numbers = {"sending_application": 3, "sending_facility": 4, "receiving_application": 5, "receiving_facility": 6,
               "message_type": 9, "processing_id": 11, "version": 12}  # fmt: skip
    lines = (shared_pcaps / "EXPECTED.jsonl").read_text().splitlines()
    expected = {entry["file"]: entry["msh"] for entry in map(json.loads, lines) if entry.get("msh")}
    checked = 0
    for path in shared_captures("hl7"):
        told = [fact for fact in facts_of(path) if fact["kind"] == "attribute"]
        for name, number in numbers.items():
            said = {fact["value"] for fact in told if fact["name"] == f"hl7.{name}"}
            assert said == {line.split("|")[number - 1] for line in expected[path.name]} - {""}, (path.name, name)
            checked += 1
    assert checked == 5 * len(numbers)


def test_the_protocol_is_named() -> None:
    assert PROTOCOL.name == "hl7"
    assert 2575 in PROTOCOL.port_hints
