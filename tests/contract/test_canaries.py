"""No secret and no patient: what was planted in the captures never comes out of the worker in any form."""

from __future__ import annotations

import base64
import tomllib
from pathlib import Path

import pytest

from tests.captures import everything, name_of, own_captures


def canaries(path: Path) -> list[str]:
    """The tokens that the recorder planted in a capture."""
    return list(tomllib.loads(path.with_suffix(".toml").read_text()).get("canaries", ()))


PLANTED = [path for path in own_captures() if canaries(path)]


def forms(token: str) -> list[bytes]:
    """A token as it might be written."""
    raw = token.encode()
    return [
        raw,
        raw.lower(),
        raw.upper(),
        base64.b64encode(raw).rstrip(b"="),
        raw.hex().encode(),
        token.encode("utf-16-le"),
    ]


def test_canaries_are_planted() -> None:
    """A patient, a nurse's passcode and a smart card are among them, in clear."""
    planted = {path.stem: path for path in PLANTED}
    for scenario in ("store20", "user_identity_2", "smartcard"):
        raw = planted[scenario].read_bytes()
        assert any(form in raw for token in canaries(planted[scenario]) for form in forms(token)), scenario


@pytest.mark.parametrize("path", PLANTED, ids=name_of)
def test_canaries_stay_inside(path: Path) -> None:
    out = everything(path)
    for token in canaries(path):
        assert [form for form in forms(token) if form in out] == [], f"{token} came out"
