"""What one look has found."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Check(NamedTuple):
    """`name` says what was looked at, `says` what is so, `remedy` what to do; it may be ''."""

    name: str
    verdict: Verdict
    says: str
    remedy: str = ""


def ok(name: str, says: str, remedy: str = "") -> Check:
    """All is well; a remedy is a hint."""
    return Check(name, Verdict.OK, says, remedy)


def warning(name: str, says: str, remedy: str) -> Check:
    """It works, but not as it should."""
    return Check(name, Verdict.WARNING, says, remedy)


def problem(name: str, says: str, remedy: str) -> Check:
    """It will not work."""
    return Check(name, Verdict.PROBLEM, says, remedy)
