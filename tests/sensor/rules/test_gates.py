"""The gates fail when they must: each is shown a broken rule, list or fingerprint."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.knowledge import sheets
from sensor.rules.check import check_all
from sensor.rules.errors import RuleError
from sensor.rules.registry import FOLDER, find_rules, load_rules, parse_rule

GOOD = (FOLDER / "tls" / "old_version.sql").read_text(encoding="utf-8").replace("TLS-001", "SITE-001")


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_that_ships_is_right() -> None:
    assert check_all() == []


def test_a_sites_own_rule_is_found_and_checked(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert check_all(tmp_path) == []
    assert "SITE-001" in {rule.id for rule in load_rules(tmp_path)}


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("  fire:\n", "  fires:\n", "cases:\n", "cases.fire"),
        ("severity: medium\nconfidence", "severity: mild\nconfidence", "severity: mild", "severity"),
        ("title: ", "titel: ", "", "title"),
        ("  cwe: [327, 326]", "  cwe: [327, -1]", "  cwe: [327, -1]", "cwe"),
        ("id: SITE-001", "id: [", "", "not valid YAML"),
        ("id: SITE-001", "id: site-001", "id: site-001", "id"),
        ("id: SITE-001", "id: 1SITE-001", "id: 1SITE-001", "id"),
        ("count: 1", "count: 2", "    - what: TLS 1.0 was agreed", "fires 1 times, not 2"),
        ("  - channel: TLS 1.2", "  - channel: TLS 1.1", "    - what: TLS 1.2 was agreed", "must be silent"),
        ("- channel: SSL 3.0", "- chanel: SSL 3.0", "    - what: SSL 3.0 was agreed", "a row begins with its kind"),
        ("FROM seen_channel", "FROM seen_chanel", "FROM seen_chanel", "seen_chanel"),
        ("first_ts, last_ts, capture", "first_ts, capture", "", "lacks last_ts"),
        ("device_id IS NOT NULL", "first_ts < $yesterday", "", "unknown parameters"),
        ("SELECT device_id, ", "SELECT NULL AS device_id, ", "", "neither a device nor an identity"),
        ("ELSE 'medium' END", "ELSE 'awful' END", "", "'awful' is no severity"),
        ("    version || ' on ' ||", "    NULL || ' on ' ||", "", "subject is NULL"),
    ],
)
def test_a_mistake_is_reported_with_its_line(tmp_path: Path, old: str, new: str, line: str, says: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    path = write(tmp_path, text)
    problems = check_all(tmp_path)
    assert problems
    assert any(says in problem.message for problem in problems), problems
    assert {problem.path for problem in problems} == {path}
    if line:
        expected = text[: text.index(line)].count("\n") + 1
        assert expected in {problem.line for problem in problems}, problems


@pytest.mark.parametrize("kind", ["fire", "silent"])
def test_a_rule_without_both_kinds_of_cases_fails(tmp_path: Path, kind: str) -> None:
    head, _, tail = GOOD.partition(f"  {kind}:\n")
    rest = tail[tail.index("  silent:" if kind == "fire" else "*/") :]
    path = write(tmp_path, f"{head}  {kind}: []\n{rest}")
    with pytest.raises(RuleError, match=rf"cases\.{kind}"):
        parse_rule(path)


def test_two_rules_with_one_id(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("SITE-001", "TLS-001"))
    _, problems = find_rules([FOLDER, tmp_path])
    assert [problem.path.name for problem in problems] == ["mine.sql"]


def test_no_header(tmp_path: Path) -> None:
    path = write(tmp_path, "SELECT 1")
    with pytest.raises(RuleError, match="YAML header"):
        parse_rule(path)


FINGERPRINT = """\
observable: dicom.implementation_class_uid
match: oid
reference: a test
entries:
  - {pattern: 1.2.3, vendor: Some Maker, certainty: 0.5, examples: [1.2.3.4], counterexamples: [1.2.33]}
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("examples: [1.2.3.4], c", "examples: [1.2.4], c", "is won by nothing"),
        ("[1.2.33]", "[1.2.3.3]", "matches"),
        ("vendor: Some Maker, ", "", "says nothing"),
        ("certainty: 0.5", "certainty: 5", "certainty"),
        (", counterexamples: [1.2.33]", "", "counterexamples"),
        ("match: oid", "match: regexp", "match"),
        ("observable: dicom.implementation_class_uid", "observable: dicom.modality", "name is not dicom_modality.yaml"),
        ("entries:", "entries: [", "not valid YAML"),
    ],
)
def test_a_broken_fingerprint_is_reported(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "dicom_implementation_class_uid.yaml"
    path.write_text(FINGERPRINT, encoding="utf-8")
    assert sheets.check(tmp_path) == []
    assert old in FINGERPRINT
    path.write_text(FINGERPRINT.replace(old, new), encoding="utf-8")
    problems = sheets.check(tmp_path)
    assert problems
    assert any(says in problem.message for problem in problems), problems
