"""Tables of knowledge: whole, and refused when they are not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sensor.knowledge import attributes, releases
from tests.sensor.inference.world import world

HEAD = "# source\nbuild,product,edition,eol,extended,note\n"


def test_what_ships_is_in_order() -> None:
    assert releases.check() == attributes.check() == []


def test_rules_read_it() -> None:
    rows = world().execute(
        "SELECT max(eol), max(eol) FILTER (WHERE edition = 'general') FROM windows_release WHERE build = '10.0.17763'"
    )
    assert rows.fetchall() == [(date(2029, 1, 9), date(2020, 11, 10))]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("build,product\n", 1, "comment"),
        ("# source\nbuild,product\n", 2, "columns"),
        (HEAD + "10.0.1,Windows,general,soon,,\n", 3, "soon"),
        (HEAD + "ten,Windows,general,2020-01-01,,\n", 3, "no build"),
        (HEAD + "10.0.1,Windows,odd,2020-01-01,,\n", 3, "edition"),
        (HEAD + "10.0.1,Windows,general\n", 3, "3 columns"),
        (HEAD + "10.0.1,Windows,general,2020-01-01,,\n10.0.1,Windows,server,2020-01-01,,\n", 4, "twice"),
    ],
)
def test_a_broken_table_is_named_by_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "windows_releases.csv"
    path.write_text(text)
    found = releases.check(path)
    assert (found[0].line, says in found[0].message) == (line, True)


MEANINGS = "# source\nattribute,subject,part,claim,certainty\n"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("name,thing,,,", "no attribute"),
        ("hl7.name,planet,,,", "no subject"),
        ("hl7.name,thing,wheel,,", "no part"),
        ("hl7.name,thing,,vendor,", "no certainty"),
        ("hl7.name,thing,,vendor,much", "float"),
        ("hl7.name,thing,,,\nhl7.name,thing,serial,,", "twice"),
    ],
)
def test_a_broken_meaning_is_named(tmp_path: Path, row: str, says: str) -> None:
    path = tmp_path / "attributes.csv"
    path.write_text(MEANINGS + row + "\n")
    assert says in attributes.check(path)[0].message


def test_a_side_speaks_differently_from_a_described_thing() -> None:
    assert attributes.meaning("dicom.model_name", described=False, side="initiator") is None
    found = attributes.meaning("ntlm.workstation", described=False, side="initiator")
    assert found is not None
    assert found.claim == "name"
    assert attributes.meaning("ntlm.workstation", described=False, side="responder") is None
