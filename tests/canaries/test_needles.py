"""The search itself: it finds every form, in the middle of anything, at every place, and nothing where nothing is."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections import Counter

import pytest

from tests.canaries.needles import PLANTED, TOKENS, Needles, all_needles, canaries, forms

SAMPLE = ("GIXG7GU6HJHUX5", "18130403", "2.25.207038135754992793367908280573016477367", "Nurse ULRAFX52MQ")


def noise(count: int) -> bytes:
    return random.Random(2026_11_23).randbytes(count)


@pytest.mark.parametrize("token", SAMPLE)
def test_every_form_is_found_at_every_place(token: str) -> None:
    needles, around = Needles([token]), noise(64)
    for form, needle in forms(token):
        for before in range(9):
            data = around[:before].replace(b"%", b"-") + b"|" + needle + b"|" + around
            assert needles.found(data), (form, before)


def test_forms_are_those_that_programs_write() -> None:
    token, needles = "GIXG7GU6HJHUX5", Needles(["GIXG7GU6HJHUX5"])
    for before in ("", "a", "ab", "abc"):
        assert needles.found(base64.b64encode(f"{before}{token}:x".encode()))
    assert needles.found(f"patient='{token.title()}'".lower().encode())
    assert needles.found(hashlib.sha256(token.encode()).hexdigest().encode())
    assert needles.found(token.encode("utf-16"))
    assert needles.found(b"%" + token.encode().hex("%").encode())


def test_a_part_of_a_long_token_is_found() -> None:
    token = "2.25.207038135754992793367908280573016477367"
    assert Needles([token]).found(b"x" + token[7:27].encode() + b"x")


def test_nothing_is_found_where_nothing_is() -> None:
    needles = all_needles()
    assert needles.found(noise(1_000_000)) == []
    assert needles.found(b"") == []
    assert needles.found(noise(7)) == []


def test_digits_of_a_date_in_a_digest_are_chance() -> None:
    needles = Needles(["18130403"])
    assert needles.found(b"'18130403'")
    assert needles.found(b"18130403120000.000")
    assert needles.found(b'{"digest": "' + b"a1" * 12 + b"18130403" + b'"}') == []


def test_every_canary_of_every_capture_is_looked_for() -> None:
    assert len(PLANTED) > 40
    assert len(TOKENS) > 900
    assert set(TOKENS) == {token for path in PLANTED for token in canaries(path)}
    text = b"\n".join(token.encode() for token in TOKENS)
    places = {int(place[1]) for hit in all_needles().found(text) if (place := re.search(r" at (\d+): ", hit))}
    assert [token for token in TOKENS if text.index(token.encode()) not in places] == []


def test_the_captures_themselves_are_full_of_them() -> None:
    """Of every protocol; what is encrypted, or inside the response to a challenge, is in clear nowhere."""
    needles = all_needles()
    planted = Counter(path.parent.name for path in PLANTED)
    found = Counter(path.parent.name for path in PLANTED if needles.found(path.read_bytes()))
    assert {folder for folder in planted if found[folder] * 2 < planted[folder]} <= {"quiet"}
    assert found["dicom"] > 30
    assert found["hl7"] > 60
    assert found["smb"] > 60
