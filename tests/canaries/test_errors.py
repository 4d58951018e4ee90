"""What goes wrong is told without quoting what was read; a `Secret` shows itself to nobody who does not ask by name."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import pprint
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.pretty import pretty_repr

from parsers.core import Authentication, Secret, Side, Subject
from sensor.sitekey import SiteKey
from tests.canaries.needles import all_needles
from tests.canaries.reading import KEY, STORE, dumped, environment, files, own_key
from tests.conftest import PCAPS

PASSCODE = "GIXG7GU6HJHUX5"
FAILING = Path(__file__).with_name("failing_worker.py")
CAPTURE = PCAPS / "dicom" / "user_identity_2.pcap"


def secret() -> Secret:
    return Secret(PASSCODE.encode())


def claim() -> Authentication:
    return Authentication(Subject(Side.INITIATOR), "test", principal="nurse", secret=secret())


# ------------------------------------------------------------------ the carrier


def logged(value: object) -> str:
    out = io.StringIO()
    record = logging.LogRecord("canaries", logging.DEBUG, __file__, 1, "%s %r", (value, value), None)
    logging.StreamHandler(out).emit(record)
    return out.getvalue()


def traced(value: object) -> str:
    """A traceback with locals, as debuggers and error reporters print it."""
    try:
        _fail(value)
    except ZeroDivisionError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    raise AssertionError


def _fail(value: object) -> None:
    raise ZeroDivisionError


SHOWN: list[Callable[[object], str]] = [
    repr, str, "{}".format, "{!s:>40}".format, pprint.pformat, pretty_repr, ascii, logged, traced,
    lambda value: repr(dir(value)), lambda value: repr([value]), lambda value: json.dumps(value, default=str),
    lambda value: msgspec.json.encode([value], enc_hook=repr).decode(),
]  # fmt: skip


@pytest.mark.parametrize("made", [secret, claim])
@pytest.mark.parametrize("show", SHOWN, ids=lambda show: getattr(show, "__qualname__", "text"))
def test_a_secret_is_not_shown(made: Callable[[], object], show: Callable[[object], str]) -> None:
    text = show(made())
    assert text
    assert all_needles().found(text.encode()) == []


def test_a_traceback_with_locals_would_show_what_is_no_secret() -> None:
    assert all_needles().found(traced(PASSCODE).encode())


COPIED: list[Callable[[Any], object]] = [
    pickle.dumps, lambda value: pickle.dumps(value, 0), copy.copy, copy.deepcopy, msgspec.json.encode,
    msgspec.msgpack.encode, msgspec.to_builtins, json.dumps, vars, lambda value: format(value, ">40"), bytes, list,
]  # fmt: skip


@pytest.mark.parametrize("take", COPIED, ids=lambda take: take.__qualname__)
def test_a_secret_is_not_taken_along(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as refused:
        take(secret())
    assert all_needles().found(str(refused.value).encode()) == []


def test_what_is_kept_of_a_secret_does_not_hold_it() -> None:
    key = own_key()
    for shown in (repr(key), str(key), repr(key.mark(PASSCODE.encode(), "nurse"))):
        assert all_needles().found(shown.encode()) == []
    assert key._key.hex() not in repr(key) + str(vars(SiteKey.test()))


# ------------------------------------------------------------------ errors of ours, in the middle of one


@pytest.mark.parametrize(
    ("how", "bulkhead", "status", "told"),
    [
        ("raising", "caught", 0, b""),
        ("raising", "uncaught", 1, b"spanward worker: ValueError at failing_worker.py:"),
        ("lingering", "caught", 0, b"spanward worker: ValueError at failing_worker.py:"),
        ("threaded", "caught", 0, b"spanward worker: ValueError at failing_worker.py:"),
        ("warning", "caught", 0, b"spanward worker: UserWarning at failing_worker.py:"),
    ],
)
def test_an_error_in_the_middle_of_a_secret(tmp_path: Path, how: str, bulkhead: str, status: int, told: bytes) -> None:
    """It is said that there was one, and where; a bulkhead that catches it only counts."""
    own_key().save(tmp_path / KEY)
    command = (sys.executable, FAILING, how, bulkhead, tmp_path / STORE, tmp_path / KEY, CAPTURE)
    done = subprocess.run(
        list(map(str, command)), capture_output=True, check=False, env=environment(tmp_path), timeout=60
    )
    assert done.returncode == status, done.stderr.decode()
    assert told in done.stderr
    assert all_needles().found(done.stdout + done.stderr) == []
    for name, data in [*files(tmp_path), *dumped(tmp_path / STORE)]:
        assert all_needles().found(data) == [], name
    counted = b'"parser_failures.failing.ValueError":2' in dict(dumped(tmp_path / STORE))["capture"]
    assert counted == ((how, bulkhead) == ("raising", "caught"))
