"""Canaries: invented values that look like nothing else, one for each sensitive element, listed in the sidecar.

They depend on the scenario and the element only, so that recording a scenario again plants the same ones. A test
searches store, logs and API for each of them: a hit is a leak.
"""

from __future__ import annotations

import base64
import hashlib

BIRTH_YEARS = 80
DAYS = 28


class Canaries:
    """Makes the canaries of one scenario and remembers them."""

    def __init__(self, scenario: str) -> None:
        self._scenario = scenario
        self.planted: list[str] = []

    def _digest(self, element: str) -> bytes:
        return hashlib.sha256(f"{self._scenario}/{element}".encode()).digest()

    def plant(self, value: str) -> str:
        """Remember a value that must never be stored, and return it."""
        if value not in self.planted:
            self.planted.append(value)
        return value

    def token(self, element: str, length: int = 10) -> str:
        """Return upper-case letters and digits 2-7."""
        return self.plant(base64.b32encode(self._digest(element)).decode()[:length])

    def person(self, element: str) -> str:
        """Return a visibly invented DICOM person name (VR PN); its family name is the canary."""
        return f"{self.token(element)}^INVENTED"

    def words(self, element: str) -> str:
        """Return a free text that holds a canary."""
        return f"invented {self.token(element)}"

    def date(self, element: str) -> str:
        """Return a DICOM date (VR DA) of the 19th century."""
        a, b, c = self._digest(element)[:3]
        return self.plant(f"{1801 + a % BIRTH_YEARS:04d}{1 + b % 12:02d}{1 + c % DAYS:02d}")

    def uid(self, element: str) -> str:
        """Return a UID under 2.25, as made from a UUID."""
        return self.plant(f"2.25.{int.from_bytes(self._digest(element)[:16], 'big') | 1 << 127}")
