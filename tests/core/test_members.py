"""Members of the parsers' enumerations stand in their classes, which are enumerations as before."""

from __future__ import annotations

import pickle
from enum import Enum

import pytest

from parsers.core import Confidence, Leave, Outcome, Protection, Sensitivity, Side, Signed, Verdict
from parsers.dicom.pdu import Pdu


@pytest.mark.parametrize(
    "kind",
    [Confidence, Leave, Outcome, Pdu, Protection, Sensitivity, Side, Signed, Verdict],
    ids=lambda kind: kind.__name__,
)
def test_members_are_at_hand(kind: type[Enum]) -> None:
    assert list(kind.__members__.values()) == list(kind)
    for name, member in kind.__members__.items():
        assert vars(kind)[name] is kind[name] is kind(member.value) is pickle.loads(pickle.dumps(member)) is member
        assert (member.name, member in kind) == (name, True)
        with pytest.raises(AttributeError):
            setattr(kind, name, None)
