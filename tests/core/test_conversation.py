"""Questions and answers: in either order, once, bounded, and never a false accepted."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.core import Authentication, Channel, Conversation, Field, Outcome, Secret, Side
from parsers.core.conversation import ANSWERED_MAX, OPEN_MAX

if TYPE_CHECKING:
    from parsers.core import Fact


def claim(talk: Conversation, name: str = "a") -> Authentication:
    return Authentication(talk.me(Side.INITIATOR), "test", principal=name)


def outcomes(facts: list[Fact]) -> list[Outcome]:
    return [fact.outcome for fact in facts if isinstance(fact, Authentication)]


def test_either_order() -> None:
    talk = Conversation()
    talk.ask(1, claim(talk))
    talk.answer(1, Outcome.ACCEPTED)
    talk.answer(2, Outcome.REJECTED)
    talk.ask(2, claim(talk))
    assert outcomes(talk.collect()) == [Outcome.ACCEPTED, Outcome.REJECTED]


def test_one_claim_that_is_answered_the_same_again_is_one_fact() -> None:
    talk = Conversation()
    claims = [claim(talk, str(number)) for number in range(2 * ANSWERED_MAX)]
    for number, outcome in enumerate([Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED]):
        for asked in claims[: 2 if number < 3 else None]:
            talk.ask(number, asked)
            talk.answer(number, outcome, code=outcome.value)
    facts = [fact for fact in talk.collect() if isinstance(fact, Authentication)]
    assert facts[0] is facts[2]
    assert facts[1] is facts[3]
    assert [(fact.principal, fact.outcome, fact.details["code"]) for fact in facts[:6]] == [
        (name, outcome, outcome.value)
        for outcome in (Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REJECTED)
        for name in ("0", "1")
    ]
    assert [fact.principal for fact in facts[6:]] == [asked.principal for asked in claims]
    assert len(talk._answered) <= ANSWERED_MAX


def test_an_answer_adds_details_in_either_order() -> None:
    talk = Conversation()
    asked = Authentication(talk.me(Side.INITIATOR), "test", details={"realm": "WARD"})
    talk.ask(1, asked)
    talk.answer(1, Outcome.REJECTED, status="STATUS_LOGON_FAILURE")
    talk.answer(2, Outcome.ACCEPTED, guest=True)
    talk.ask(2, asked)
    said = [fact.details for fact in talk.collect() if isinstance(fact, Authentication)]
    assert said == [{"realm": "WARD", "status": "STATUS_LOGON_FAILURE"}, {"realm": "WARD", "guest": True}]
    assert asked.details == {"realm": "WARD"}


def test_a_positional_answer_does_not_wait_for_the_next_question() -> None:
    """Its own question came before the capture began."""
    talk = Conversation(midstream=True)
    talk.answer("logon", Outcome.ACCEPTED, positional=True)
    talk.ask("logon", claim(talk), positional=True)
    talk.answer("logon", Outcome.REJECTED, positional=True)
    assert outcomes(talk.collect()) == [Outcome.REJECTED]


def test_open_questions_end_unknown() -> None:
    talk = Conversation()
    talk.ask(1, claim(talk))
    assert talk.collect() == []
    talk.end()
    assert outcomes(talk.collect()) == [Outcome.UNKNOWN]


def test_a_gap_ends_positional_questions_only() -> None:
    talk = Conversation()
    talk.ask("by id", claim(talk))
    talk.ask(0, claim(talk), positional=True)
    talk.gap()
    assert outcomes(talk.collect()) == [Outcome.UNKNOWN]
    talk.answer("by id", Outcome.ACCEPTED)
    assert outcomes(talk.collect()) == [Outcome.ACCEPTED]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2_000)), max_size=900))
def test_every_question_is_stated_once(steps: list[tuple[bool, int]]) -> None:
    talk = Conversation()
    asked = 0
    for asks, key in steps:
        if asks:
            talk.ask(key, claim(talk))
            asked += 1
        else:
            talk.answer(key, Outcome.ACCEPTED)
    talk.end()
    assert len(outcomes(talk.collect())) == asked


def test_questions_are_bounded() -> None:
    talk = Conversation()
    for key in range(10 * OPEN_MAX):
        talk.ask(key, claim(talk))
    assert len(talk.collect()) == 9 * OPEN_MAX


def test_deferred_facts_are_made_once_when_released() -> None:
    talk = Conversation()
    state = {"version": "early"}
    talk.defer("channel", lambda: Channel(talk.me(Side.RESPONDER), state["version"]))
    state["version"] = "late"
    talk.release("channel")
    talk.release("channel")
    talk.end()
    assert [fact.version for fact in talk.collect() if isinstance(fact, Channel)] == ["late"]


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(b"canary")
    assert "canary" not in f"{secret!r} {secret} {claim(Conversation())}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_values_are_cleaned_and_cut() -> None:
    talk = Conversation()
    fact = Field("test.x", "none")(talk.me(Side.INITIATOR), " a\x00\x1b[31mb\ud800 " + "z" * 400)
    assert fact.value.startswith("a\N{REPLACEMENT CHARACTER}")
    assert fact.value.isprintable()
    assert len(fact.value) == 256
