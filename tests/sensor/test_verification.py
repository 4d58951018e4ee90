"""The parts of `spanward verify`: readings, conditions, and what follows from several messages."""

from __future__ import annotations

from sensor.verification import Key, Verdict, compare, readings, their_reading
from sensor.verification.messages import Message, derived
from sensor.verification.table import Condition, Row

CLIENT, SERVER = "10.0.0.2 50000", "10.0.0.1 445"


def said(*messages: Message) -> dict[tuple[str, str], set[str]]:
    """tshark's reading by endpoint and name of the field."""
    return {(key.endpoint, key.row.name): values for key, values in their_reading(messages).items()}


def smb(command: str, *, answer: bool) -> Message:
    ends = (SERVER, CLIENT) if answer else (CLIENT, SERVER)
    return Message("smb", *ends, {"smb.cmd": [command, "0xff"], "smb.flags.response": ["01"[answer]]})


# ---------------------------------------------------------------------- readings


def test_one_step_after_the_other() -> None:
    assert readings.read("table tls_alerts 10; without close_notify", ["0", "40"]) == ["handshake_failure"]
    assert readings.read("word_or_same dos_status; table nt_status 16", ["0x00.0x0000"]) == ["STATUS_SUCCESS"]
    assert readings.read("word_or_rest outcome", ["0x0", "0xc0000016", "0xc000006d"]) == ["accepted", "rejected"]


def test_a_value_that_cannot_be_turned_stays() -> None:
    assert readings.read("table tls_cipher_suites 16", ["0xfafa", "nonsense"]) == ["0xfafa", "nonsense"]
    assert readings.read("number", ["0x10", "many"]) == ["16", "many"]


def test_versions_are_ranked_by_age_not_by_number() -> None:
    assert readings.read("newest tls_version", ["0xfeff", "0xfefd", "0x1a1a"]) == ["DTLS 1.2"]
    assert readings.read("newest tls_version", ["0x1a1a"]) == []


def test_names_as_tshark_shows_them() -> None:
    assert readings.read("netbios_name", ["WARD7          <20> (Server service)"]) == ["WARD7"]
    assert readings.read("share", [r"\\10.0.0.1\IPC$", ""]) == ["IPC$"]
    assert readings.read("in_brackets", ["Verification SOP Class (1.2.840.10008.1.1)"]) == ["1.2.840.10008.1.1"]
    assert readings.read("flag", ["0", "1", "True", "False"]) == ["true", "true"]


def test_conditions_compare_numbers_as_numbers() -> None:
    condition = Condition(("smb.cmd", "smb2.cmd"), ("0x73", "1"))
    assert condition.holds({"smb2.cmd": ["0x0001"]})
    assert condition.holds({"smb.cmd": ["115"]})
    assert not condition.holds({"smb.cmd": ["0x72"]})
    assert not condition.holds({})


# ---------------------------------------------------------------------- comparison


def test_verdicts() -> None:
    row = Row("tls", "a", (), "speaker", "text", "attribute", "b", (), "text")
    one, two, three, four = (Key(f"10.0.0.{number} 443", row) for number in range(1, 5))
    found = compare({one: {"x"}, two: {"x"}, three: {"x"}}, {one: {"x"}, two: {"y"}, four: {"y"}})
    assert found.verdicts == {
        one: Verdict.EQUAL,
        two: Verdict.DIFFERENT,
        three: Verdict.ONLY_OURS,
        four: Verdict.ONLY_THEIRS,
    }
    assert [difference.key for difference in found.differences] == [two, three, four]


# ---------------------------------------------------------------------- derived fields


def test_an_smb1_dialect_by_its_number_in_the_offer() -> None:
    offer = smb("0x72", answer=False)
    offer.values["smb.dialect.name"] = ["PC NETWORK PROGRAM 1.0", "LANMAN2.1", "NT LM 0.12"]
    answer = smb("0x72", answer=True)
    answer.values.update({"smb.dialect.index": ["1"], "smb.sm.mode": ["0"]})
    found = said(offer, answer)
    assert found[SERVER, "smb.dialect"] == {"LANMAN2.1"}
    assert found[SERVER, "channel.version"] == {"SMB 1"}
    assert found[SERVER, "channel.signed"] == {"none"}
    assert found[SERVER, "channel.details.security"] == {"share"}
    assert (SERVER, "smb.dialect") not in said(answer)


def test_a_guid_in_the_order_of_the_wire() -> None:
    answer = smb("0x72", answer=True)
    answer.values["smb.server_guid"] = ["0e0dcd6d-7f85-1046-9f36-286a0da4c677"]
    assert said(answer)[SERVER, "smb.server_guid"] == {"6dcd0d0e-857f-4610-9f36-286a0da4c677"}


def test_signing_counts_for_sessions_that_were_set_up() -> None:
    asked = Message(
        "smb2", CLIENT, SERVER, {"smb2.cmd": ["1"], "smb2.flags.response": ["0"], "smb2.sec_mode": ["0x02"]}
    )
    answers = [
        Message("smb2", SERVER, CLIENT, {"smb2.cmd": ["1"], "smb2.flags.response": ["1"], "smb2.nt_status": [status]})
        for status in ("0xc0000016", "0xc000006d", "0x00000000")
    ]
    field = (SERVER, "channel.details.client_signing")
    assert field not in said(asked, *answers[:2])
    assert said(asked, *answers)[field] == {"required"}


def test_of_a_server_who_has_said_so() -> None:
    hello = Message("tls", SERVER, CLIENT, {"tls.handshake.type": ["2"]})
    shown = Message("tls", SERVER, CLIENT, {"tls.handshake.type": ["11"], "tls.handshake.certificate": ["30:00"]})
    empty = Message("tls", CLIENT, SERVER, {"tls.handshake.type": ["11"]})
    roles = [message.values.get("spanward.certificate_role") for message in derived([hello, shown, empty])]
    assert roles == [None, ["server"], None]


def header(segment: str) -> dict[str, list[str]]:
    """The derived fields of one HL7 segment; non-ASCII as octets, one a character."""
    (message,) = derived([Message("hl7", CLIENT, SERVER, {"hl7.segment": [segment]})])
    return {name.removeprefix("spanward."): values for name, values in message.values.items() if name[0] == "s"}


def test_a_header_of_hl7() -> None:
    found = header(
        r'MSH|^~\&|MON^00A037FFFE9B02C1^EUI-64^^|""|CIS||20261125||ORU^R01^ORU_R01|1|P^T|2.6^|||||||||A^B~C' + "\r"
    )
    assert found["msh.3"] == ["MON^00A037FFFE9B02C1^EUI-64"]
    assert found["msh.4"] == [""]
    assert found["msh.11.1"] == ["P"]
    assert found["msh.12"] == ["2.6"]
    assert found["msh.21"] == ["A^B", "C"]
    assert not {"msh.7", "msh.8", "msh.10"} & found.keys()


def test_a_header_with_other_delimiters_and_escapes() -> None:
    found = header(r"MSH#*%!@#LAB*A@B#In!X7374!it!F!ute#X!S!Y##")
    assert found["msh.3"] == ["LAB^A&B"]
    assert found["msh.4"] == ["Instit#ute"]
    assert found["msh.5"] == ["X*Y"]


def test_a_header_in_its_character_set() -> None:
    octets = "检验科".encode("gb18030").decode("latin_1")
    assert header(rf"MSH|^~\&|{octets}|||||||||||||||GB 18030-2000")["msh.3"] == ["检验科"]
    assert header("MSH|^~\\&|R\xd6NTGEN|")["msh.3"] == ["RÖNTGEN"]
    assert header("MSH|^~\\&|R\xc3\x96NTGEN|")["msh.3"] == ["RÖNTGEN"]


def test_an_acknowledgment_takes_the_delimiters_of_its_header() -> None:
    message = Message("hl7", CLIENT, SERVER, {"hl7.segment": [r"MSH#^~\&#A", "MSA#AE#1234#text"]})
    (found,) = derived([message])
    assert found.values["spanward.msa.1"] == ["AE"]
    assert "spanward.msa.2" not in found.values
