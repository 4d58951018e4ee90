"""The parser in parsers/README.md is whole and works as the page says."""

from __future__ import annotations

import re
import sys
import types

import pytest

from parsers.core import Anomaly, Attribute, Authentication, Outcome, Protocol, Registry, Session
from tests.captures import Piece, Talk, feed
from tests.conftest import ROOT

HELLO = b"HI\x03bob\x041234"


@pytest.fixture(scope="module")
def registry() -> Registry:
    code = re.search(r"```python\n(.*?)```", (ROOT / "parsers" / "README.md").read_text(), re.DOTALL)
    assert code is not None
    module = types.ModuleType("toy")
    sys.modules["toy"] = module
    exec(compile(code[1], "parsers/README.md", "exec"), module.__dict__)
    assert isinstance(module.PROTOCOL, Protocol)
    return Registry([*Registry.installed().protocols, module.PROTOCOL])


@pytest.mark.parametrize(
    ("answer", "outcome"), [(b"OK", Outcome.ACCEPTED), (b"NO", Outcome.REJECTED), (b"", Outcome.UNKNOWN)]
)
def test_it_tells_logons_apart(registry: Registry, answer: bytes, outcome: Outcome) -> None:
    session = Session(registry, "tcp", (9, 50_000))
    facts = session.feed(0, HELLO) + (session.feed(1, answer) if answer else []) + session.end()
    assert [(fact.name, fact.value) for fact in facts if isinstance(fact, Attribute)] == [("toy.name", "bob")]
    assert [fact.outcome for fact in facts if isinstance(fact, Authentication)] == [outcome]


def test_it_keeps_the_contract(registry: Registry) -> None:
    pieces = [Piece(0, HELLO, 1), Piece(1, b"OK", 1), Piece(0, HELLO, 2), Piece(1, b"NO", 2)]
    talk = Talk("toy", "tcp", (9, 50_000), pieces)
    expected = feed(registry, talk, pieces)
    assert len(expected) == 4
    bytewise = [Piece(p.lane, p.data[i : i + 1], p.turn) for p in pieces for i in range(len(p.data))]
    assert feed(registry, talk, bytewise) == expected


def test_wrong_bytes_are_an_anomaly(registry: Registry) -> None:
    session = Session(registry, "tcp")
    facts = session.feed(0, HELLO + b"XX") + session.end()
    assert [fact.code for fact in facts if isinstance(fact, Anomaly)] == ["malformed"]


def test_a_gap_never_accepts(registry: Registry) -> None:
    """Positional questions are answered unknown at a gap in either lane."""
    session = Session(registry, "tcp")
    facts = session.feed(0, HELLO, 1) + session.gap(1) + session.feed(1, b"OK", 2) + session.end()
    assert [fact.outcome for fact in facts if isinstance(fact, Authentication)] == [Outcome.UNKNOWN]
