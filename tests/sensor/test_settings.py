"""Settings from the environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sensor.budget import Budget
from sensor.capture.afpacket import RING_BYTES
from sensor.engine import FLOWS
from sensor.settings import PREFIX, Settings, SettingsError


def test_without_variables_the_defaults_hold() -> None:
    assert Settings.of({}) == Settings.of({"SPANWARD_STORE": "", "SPANWARD_OTHER": "x", "HOME": "/"}) == Settings()


def test_variables_become_what_they_stand_for() -> None:
    said = {"SPANWARD_SITE": "a/site.toml", "SPANWARD_REQUEST_TIMEOUT_S": "2.5", "SPANWARD_WIDE_QUERIES": "8"}
    settings = Settings.of(said)
    assert (settings.site, settings.request_timeout_s, settings.wide_queries) == (Path("a/site.toml"), 2.5, 8)


def test_a_worker_has_room_for_as_many_flows_as_an_engine_by_itself() -> None:
    assert Budget.of(Settings().worker_memory_mib).flows == FLOWS


def test_rings_are_as_large_as_an_interface_makes_them() -> None:
    assert Settings().ring_mib << 20 == RING_BYTES


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("SPANWARD_WIDE_QUERIES", "many", "`int`"),
        ("SPANWARD_WIDE_QUERIES", "65", "<= 64"),
        ("SPANWARD_WORKER_MEMORY_MIB", "100", ">= 384"),
        ("SPANWARD_RING_MIB", "4", ">= 8"),
        ("SPANWARD_STORE_MEMORY_MIB", "64", ">= 128"),
        ("SPANWARD_REQUEST_TIMEOUT_S", "0", "> 0"),
        ("SPANWARD_REQUEST_TIMEOUT_S", "nan", "> 0"),
    ],
)
def test_errors_name_the_variable(variable: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: .*{says}"):
        Settings.of({variable: value})


def test_the_readme_has_a_row_for_each_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| ?`?([^|`]*?)`? \|", page, re.MULTILINE))
    defaults = {name.upper(): getattr(Settings(), name) for name in Settings.__struct_fields__}
    assert rows == {name: "" if value is None else str(value) for name, value in defaults.items()}
