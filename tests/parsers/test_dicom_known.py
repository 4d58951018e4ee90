"""Associations whose items say what those of another one said are not read again."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from parsers.core import Authentication
from parsers.dicom import association
from parsers.dicom.association import KNOWN_MAX, KNOWN_MAX_BYTES
from tests.parsers import _dicom as dicom
from tests.parsers.test_dicom_association import identity

ANSWER = dicom.associate(answer=True, contexts=dicom.answered_contexts((0, 0, 3)))


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    association._read.cache_clear()
    yield
    association._read.cache_clear()


def told(request: bytes, answer: bytes = ANSWER, *, step: int = 0) -> list[str]:
    return dicom.comparable(dicom.facts((0, request), (1, answer), step=step))


def test_items_that_were_met_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told(dicom.associate())
    expected = told(dicom.associate(calling="MR02", called="PACS"), step=1)
    monkeypatch.setattr(association, "read_context", lambda *_: pytest.fail("read again"))
    assert told(dicom.associate(calling="MR02", called="PACS")) == expected
    assert "'MR02'" in repr(expected)


def test_what_is_agreed_is_told_of_each() -> None:
    """Also where one of the two is known and the other is not."""
    other = dicom.associate(answer=True, contexts=dicom.answered_contexts((0, 4, 0)))
    for answer in (ANSWER, other, ANSWER):
        assert told(dicom.associate(), answer) == told(dicom.associate(), answer, step=1)


def test_any_byte_may_differ() -> None:
    chance, request = random.Random(7), dicom.associate()
    told(request)
    for _ in range(400):
        changed = bytearray(request)
        changed[chance.randrange(len(request))] ^= 1 << chance.randrange(8)
        assert told(bytes(changed)) == told(bytes(changed), step=1)


def test_who_asks_is_told_each_time_and_not_kept() -> None:
    for name in (b"tech1", b"tech2", b"tech1"):
        request = dicom.associate(items=[identity(2, name, b"letmein")])
        found = [fact for fact in dicom.facts((0, request), (1, ANSWER)) if isinstance(fact, Authentication)]
        assert [fact.principal for fact in found] == ["CT01", name.decode()]
        assert found[1].secret is not None
        assert found[1].secret.reveal() == b"letmein"
    assert association._read.cache_info().currsize == 1  # the answer


def test_what_is_known_is_bounded() -> None:
    for number in range(2 * KNOWN_MAX):
        told(dicom.associate(items=[dicom.role(f"1.2.3.{number}", scu=True, scp=False)]))
    assert association._read.cache_info().currsize == KNOWN_MAX
    association._read.cache_clear()
    items = [dicom.role(f"1.2.3.{number}", scu=True, scp=False) for number in range(KNOWN_MAX_BYTES // 12)]
    told(dicom.associate(items=items), b"")
    assert association._read.cache_info().currsize == 0
