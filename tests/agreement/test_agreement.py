"""Our facts against tshark's, per field and endpoint. What remains stands in differences_*.csv, with reasons."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from sensor.capture.pcapfile import CaptureError
from sensor.sighting import Sighting
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.verification import Comparison, Difference, Reading, Verdict, compare, our_reading, their_reading, verify
from sensor.verification.table import Row
from tests.agreement import recorded
from tests.agreement.together import read_together
from tests.captures import items, own_captures, shared_captures
from tests.conftest import SHARED_PCAPS

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

# What must be among the fields that were recorded and are equal somewhere: a line that finds nothing agrees with all.
CLAIMED = {
    *("tls.sni", "tls.ja3", "tls.ja3s", "channel.version", "channel.cipher", "certificate.issuer_common_name"),
    *("dicom.called_ae_title", "dicom.calling_ae_title", "dicom.implementation_class_uid"),
    *("hl7.sending_application", "hl7.sending_facility", "hl7.receiving_application", "hl7.receiving_facility"),
    *("hl7.message_type", "hl7.processing_id", "hl7.version"),
    *("smb.offered_dialect", "smb.dialect", "smb.native_os", "smb.native_lan_manager", "smb.primary_domain"),
    *("smb.server_name", "smb.share/smb.refused_share", "channel.signed", "channel.details.client_signing"),
    *("ntlm.target_name", "ntlm.computer_name", "ntlm.domain_name", "ntlm.dns_computer_name", "ntlm.dns_domain_name"),
    *("ntlm.workstation", "ntlm.os_version", "authentication.principal", "authentication.realm"),
    *("authentication.details.status", "authentication.outcome", "authentication.details.guest"),
}

Tally = Counter[tuple[Row, Verdict]]
Found = list[tuple[str, Difference]]


class Reviewed(NamedTuple):
    """A line of differences_*.csv: four patterns, and why ours is right (or what is still to come)."""

    file: str
    field: str
    endpoint: str
    verdict: str
    why: str

    def covers(self, file: str, difference: Difference) -> bool:
        names = (difference.key.row.tshark_field, difference.key.row.name)
        return (
            fnmatchcase(file, self.file)
            and any(fnmatchcase(name, self.field) for name in names)
            and fnmatchcase(difference.key.endpoint, self.endpoint)
            and fnmatchcase(difference.verdict, self.verdict)
        )


def judge(found: Found, reviewed: str) -> None:
    """Every difference is reviewed, and every review is of a difference."""
    known = [Reviewed(**line) for line in recorded.read_table(reviewed)]
    unexplained = [(file, d) for file, d in found if not any(line.covers(file, d) for line in known)]
    stale = [line for line in known if not any(line.covers(file, d) for file, d in found)]
    assert unexplained == [], "\n".join(
        f"{file} {d.key.row.name} ({d.key.row.tshark_field}) {d.key.endpoint}: tshark {d.theirs}, ours {d.ours}"
        for file, d in unexplained
    )
    assert stale == [], f"no longer a difference: {stale}"


def report(tally: Tally) -> str:
    """How often both said the same, by field."""
    lines = [f"\n{'field':40} {'':55} {'equal':>6} {'different':>9}"]
    for row in dict.fromkeys(row for row, _ in tally):
        equal = tally[row, Verdict.EQUAL]
        rest = sum(tally[row, verdict] for verdict in Verdict) - equal
        lines.append(f"{row.name:40} {row.tshark_field:55} {equal:6} {rest:9}")
    return "\n".join(lines)


def of_rows(reading: Reading, rows: Iterable[Row]) -> Reading:
    """Only those fields."""
    wanted = set(rows)
    return {key: values for key, values in reading.items() if key.row in wanted}


def sightings(path: Path) -> list[Sighting]:
    try:
        return [item for item in items(path) if isinstance(item, Sighting)]
    except CaptureError:
        return []


def test_agreement_with_recorded_readings(shared_pcaps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    oracle = recorded.load(shared_pcaps / "ORACLE.jsonl")
    theirs = {name: _recorded_reading(name, record) for name, record in oracle.items()}
    rows = {key.row for reading in theirs.values() for key in reading}  # what nobody recorded is not compared
    tally: Tally = Counter()
    found: Found = []
    for name, reading in theirs.items():
        if reading:
            seen = sightings(SHARED_PCAPS / name)
            facts = [msgspec.json.decode(sighting.to_json()) for sighting in seen]
            mine = of_rows(our_reading(seen).values, rows) | recorded.our_certificates(facts)
            _add(name, compare(mine, reading), tally, found)
    with capsys.disabled():
        print(report(tally))
    judge(found, "differences_recorded.csv")
    assert {row.name for row, verdict in tally if verdict is Verdict.EQUAL} >= CLAIMED


def _recorded_reading(name: str, record: dict[str, object]) -> Reading:
    spoken = [*recorded.messages(record), *recorded.header_messages(record, SHARED_PCAPS / name)]
    return their_reading(spoken) | recorded.certificates(record)


def _add(file: str, comparison: Comparison, tally: Tally, found: Found) -> None:
    tally.update((key.row, verdict) for key, verdict in comparison.verdicts.items())
    found += [(file, difference) for difference in comparison.differences]


@needs_tshark
def test_agreement_on_own_captures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    together = read_together(own_captures(), tmp_path)
    tally: Tally = Counter()
    found: Found = []
    for path, theirs in together.items():
        comparison = compare(our_reading(sightings(path)).values, theirs)
        if comparison.differences:
            comparison = verify(path, Site(), SiteKey.test()).comparison
        _add(f"{path.parent.name}/{path.name}", comparison, tally, found)
    with capsys.disabled():
        print(report(tally))
    judge(found, "differences_own.csv")


@needs_tshark
def test_agreement_on_public_captures_of_hl7_and_smb(shared_pcaps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was recorded of them leaves out GUIDs, Kerberos, mechanisms and more."""
    tally: Tally = Counter()
    found: Found = []
    for path in shared_captures():
        if path.name.startswith(("hl7", "smb")):
            _add(path.name, verify(path, Site(), SiteKey.test()).comparison, tally, found)
    with capsys.disabled():
        print(report(tally))
    judge(found, "differences_public.csv")
