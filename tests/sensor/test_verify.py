"""`spanward verify`: equal and different captures, what it says where tshark or the capture is missing, its output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from parsers.core import Registry
from sensor.cli import run
from sensor.verification import OurReading, readings, their_reading
from sensor.verification.messages import Message
from sensor.verification.table import table
from sensor.verification.wireshark import DISSECTORS, LAYERS, dissect
from tests.canaries.needles import canaries
from tests.captures import packets, write
from tests.conftest import PCAPS

ECHO = PCAPS / "dicom" / "echo.pcap"
TLS = PCAPS / "tls" / "tls12_ecdhe.pcap"
DTLS = PCAPS / "tls" / "dtls12_mutual.pcap"
HL7 = PCAPS / "hl7" / "adt_a01.pcap"
SMB = PCAPS / "smb" / "wrong_password.pcap"

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    def go(*arguments: object) -> subprocess.CompletedProcess[str]:
        status = run(["verify", *(str(argument) for argument in arguments)])
        return subprocess.CompletedProcess(arguments, int(status), *capfd.readouterr())

    monkeypatch.delenv("SPANWARD_SITE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")  # a field stands on one line
    return go


@pytest.fixture
def tshark_reads(monkeypatch: pytest.MonkeyPatch):
    """Changes what tshark says: a function from its reading to another."""

    def change(function) -> None:
        monkeypatch.setattr(
            "sensor.verification.examine.their_reading", lambda messages: function(their_reading(messages))
        )

    return change


# ---------------------------------------------------------------------- what it finds


@needs_tshark
def test_captures_that_both_read_alike(verify) -> None:
    done = verify(ECHO, TLS, DTLS, HL7, SMB)
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    for field in (
        "dicom.calling_ae_title",
        "tls channel cipher",
        "tls.sni",
        "dtls certificate sha256",
        "hl7.sending_application",
        "smb authentication principal",
        "ntlm.dns_computer_name",
    ):
        assert field in done.stdout
    assert "Differences" not in done.stdout


@needs_tshark
def test_json(verify) -> None:
    done = verify(ECHO, "--format", "json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report.keys() == {"tshark", "equal", "captures"}
    assert report["equal"] is True
    (capture,) = report["captures"]
    assert capture.keys() == {"capture", "damaged", "told", "fields", "differences"}
    assert (capture["capture"], capture["damaged"], capture["differences"]) == (str(ECHO), None, [])
    called = next(field for field in capture["fields"] if field["field"] == "dicom.called_ae_title")
    assert called == {
        "protocol": "dicom",
        "field": "dicom.called_ae_title",
        "tshark_field": "dicom.assoc.ae.called",
        "equal": 1,
        "different": 0,
        "only_ours": 0,
        "only_theirs": 0,
    }


@needs_tshark
@needs_tshark
def test_json_of_a_capture_whose_name_is_no_text(verify, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"ger\xe4t.pcap")
    path.write_bytes(ECHO.read_bytes())
    done = verify(path, "--format", "json")
    assert done.returncode == 0
    assert [one["capture"] for one in json.loads(done.stdout)["captures"]] == [str(tmp_path / "ger?t.pcap")]


def test_another_value_is_a_difference(verify, tshark_reads) -> None:
    tshark_reads(
        lambda found: {
            key: {"OTHER"} if key.row.ours == "dicom.calling_ae_title" else values for key, values in found.items()
        }
    )
    done = verify(ECHO, "--format", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["equal"] is False
    (difference,) = report["captures"][0]["differences"]
    assert (difference["verdict"], difference["ours"], difference["theirs"]) == ("different", ["CT01"], ["OTHER"])
    table_ = verify(ECHO)
    assert table_.returncode == 1
    assert "Differences in echo.pcap" in table_.stdout
    assert "OTHER" in table_.stdout


@needs_tshark
def test_what_only_one_of_them_reads_is_a_difference(verify, tshark_reads) -> None:
    tshark_reads(lambda found: {key: values for key, values in found.items() if key.row.ours != "tls.sni"})
    done = verify(TLS, "--format", "json")
    assert done.returncode == 1
    (difference,) = json.loads(done.stdout)["captures"][0]["differences"]
    assert (difference["field"], difference["verdict"], difference["theirs"]) == ("tls.sni", "only_ours", [])


@needs_tshark
def test_tshark_is_told_a_port_where_it_finds_nothing(verify, tmp_path: Path) -> None:
    """TLS on a port of MySQL, which tshark decodes by its number."""
    odd, mysql = tmp_path / "odd.pcap", 3306
    header, records = packets(TLS)
    write(odd, header, [record._replace(data=_moved(record.data, 443, mysql)) for record in records])
    done = verify(odd, "--format", "json")
    assert done.returncode == 0, done.stdout
    (capture,) = json.loads(done.stdout)["captures"]
    assert capture["told"] == {"tls": [mysql]}
    assert sum(field["equal"] for field in capture["fields"]) > 5


def _moved(frame: bytes, old: int, new: int) -> bytes:
    """A TCP segment over IPv4 without options, with another number for one of its ports."""
    ports = [int.from_bytes(frame[at : at + 2], "big") for at in (34, 36)]
    return frame[:34] + b"".join((new if port == old else port).to_bytes(2, "big") for port in ports) + frame[38:]


@needs_tshark
def test_a_capture_with_none_of_the_protocols(verify, tmp_path: Path) -> None:
    header, _ = packets(ECHO)
    done = verify(write(tmp_path / "empty.pcap", header, []))
    assert done.returncode == 0
    assert "nothing that both could read" in done.stderr


# ---------------------------------------------------------------------- what it cannot do


def test_without_tshark(verify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = verify(ECHO)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("spanward: tshark is not installed; install it")
    assert done.stderr.count("\n") == 1


@needs_tshark
def test_a_text_file(verify, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a capture\n" * 20)
    done = verify(text)
    assert done.returncode == 3
    assert done.stderr.startswith(f"spanward: {text}: ")
    assert done.stderr.count("\n") == 1


@needs_tshark
def test_the_others_are_compared_all_the_same(verify, tmp_path: Path) -> None:
    done = verify(tmp_path / "missing.pcap", ECHO)
    assert done.returncode == 3
    assert "dicom.calling_ae_title" in done.stdout
    assert "missing.pcap" in done.stderr


@needs_tshark
def test_a_capture_cut_short_is_compared_up_to_there(verify, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(ECHO.read_bytes()[:-7])
    done = verify(cut)
    assert done.returncode == 0
    assert "what stands before that was compared" in done.stderr
    assert "dicom.calling_ae_title" in done.stdout


@needs_tshark
def test_a_capture_that_only_tshark_cannot_read(verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = tmp_path / "bin" / "tshark"
    failing.parent.mkdir()
    failing.write_text(
        '#!/bin/sh\n[ "$1" = -v ] && echo "TShark (Wireshark) 4.0.0" && exit\necho no such luck >&2\nexit 2\n'
    )
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{failing.parent}:/usr/bin:/bin")
    done = verify(ECHO)
    assert done.returncode == 3
    assert done.stderr == f"spanward: {ECHO}: tshark: no such luck\n"


# ---------------------------------------------------------------------- the tables


def test_every_line_of_the_table_can_be_followed() -> None:
    kinds = {"attribute", "channel", "certificate", "authentication"}
    protocols = {protocol.name for protocol in Registry.installed().protocols}
    for row in table():
        assert row.kind in kinds, row
        assert row.about in {"speaker", "hearer"}, row
        assert row.protocol in DISSECTORS, row
        assert row.protocol in LAYERS.values(), row
        assert row.protocol in protocols, row
        for reading in (row.reading, row.our_reading):
            readings.read(reading, ["0"])


def test_no_field_can_hold_a_secret_or_a_patient() -> None:
    words = (
        "passw",
        "response",
        "sesskey",
        "challenge",
        "cipher",
        "primary_field",
        "secondary",
        "hl7.field",
        "hl7.raw",
    )
    harmless = {
        "smb.flags.response",
        "smb2.flags.response",
        "smb.sm.password",  # a flag: whether passwords are encrypted
        "smb2.negotiate_context.cipher_id",
        "tls.handshake.ciphersuite",
        "ntlmssp.ntlmv2_response.target_name",
        "ntlmssp.challenge.target_name",
    }
    fields = {field for row in table() for field in row.tshark_fields}
    found = {field for field in fields if any(word in field for word in words)} - harmless
    assert all(field.startswith("ntlmssp.challenge.target_info.") for field in found), found


@needs_tshark
@pytest.mark.parametrize("name", ["dicom/user_identity_2", "hl7/adt_a01", "hl7/prt_udi", "smb/smb1_plaintext"])
def test_no_canary_is_kept_or_printed(verify, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With nothing of ours to compare, all that is kept of tshark's reading is printed as a difference."""
    path = PCAPS / f"{name}.pcap"
    planted = canaries(path)
    assert planted
    monkeypatch.setattr("sensor.verification.examine.our_reading", lambda sightings: OurReading({}, {}))
    done = verify(path, "--format", "json")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["captures"][0]["differences"]) > 5
    kept = repr(dissect(path).messages)
    assert [token for token in planted if token in done.stdout + done.stderr + kept] == []


def test_values_beside_each_other_and_alternatives() -> None:
    message = Message(
        "tls",
        "10.0.0.1 443",
        "10.0.0.2 50000",
        {"tls.handshake.type": ["2"], "tls.handshake.version": ["0x0303"], "tls.handshake.ciphersuite": ["0x1301"]},
    )
    said = {key.row.name: values for key, values in their_reading([message]).items()}
    assert said["channel.version"] == {"TLS 1.2"}
    newer = message.values | {"tls.handshake.extensions.supported_version": ["0x0304"]}
    said = {key.row.name: values for key, values in their_reading([message._replace(values=newer)]).items()}
    assert said == {"channel.version": {"TLS 1.3"}, "channel.cipher": {"TLS_AES_128_GCM_SHA256"}}
