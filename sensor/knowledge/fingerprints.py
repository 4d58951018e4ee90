"""Fingerprints: what an observed value says about its device.

The files are in `fingerprints/*.yaml`; `sensor.knowledge.sheets` says what stands in them, and reads them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sensor.knowledge.sheets import Entry, Sheet

FOLDER: Final = Path(__file__).parent / "fingerprints"
SAYS: Final = ("vendor", "model", "software", "toolkit", "device_type", "role", "os", "platform")
KNOWN_MAX: Final = 100_000


class Hit(NamedTuple):
    """One statement of a fingerprint: the device's `name` (`vendor`, `model`, …) is `value`."""

    name: str
    value: str
    certainty: float
    reference: str


class Fingerprints:
    """All fingerprint files of a folder, each read when its observable is looked up first.

    What `look_up` and `say` raise is msgspec's or yaml's error when a file is broken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sheets: dict[str, Sheet | None] = {}
        self._known: dict[tuple[str, str], list[Hit]] = {}

    @classmethod
    @cache
    def installed(cls) -> Fingerprints:
        """The fingerprints that Spanward ships."""
        return cls(FOLDER)

    def look_up(self, observable: str, value: str) -> list[Hit]:
        """What the most specific entry of the observable's file says about `value`."""
        known = self._known.get((observable, value))
        if known is None:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            known = self._known[observable, value] = self._look_up(observable, value)
        return known

    def _look_up(self, observable: str, value: str) -> list[Hit]:
        sheet = self._sheet(observable)
        best = None if sheet is None else sheet.best(value)
        return [] if sheet is None or best is None else _statements(best[0], best[1], sheet.reference)

    def _sheet(self, observable: str) -> Sheet | None:
        if observable not in self._sheets:
            path = self._folder / f"{file_stem(observable)}.yaml"
            self._sheets[observable] = _read(path) if path.exists() else None
        return self._sheets[observable]

    def say(self, observable: str, value: str, name: str) -> str | None:
        """The one statement `name` about `value`, or None."""
        return next((hit.value for hit in self.look_up(observable, value) if hit.name == name), None)


def normal_vendor(text: str) -> str:
    """A manufacturer's name as we write it; unknown ones as they are, without padding."""
    return Fingerprints.installed().say("manufacturer", text, "vendor") or " ".join(text.split())


def file_stem(observable: str) -> str:
    """How the file of an observable's fingerprints is called, without its ending."""
    return observable.replace(".", "_")


def _read(path: Path) -> Sheet:
    from sensor.knowledge.sheets import read_sheet  # noqa: PLC0415 - YAML, where nothing was recognised yet

    return read_sheet(path)


def _statements(entry: Entry, groups: dict[str, str], reference: str) -> list[Hit]:
    said = []
    for name in SAYS:
        template: str | None = getattr(entry, name)
        if template is None or ("{version}" in template and "version" not in groups):
            continue
        said.append(
            Hit(
                name,
                template.replace("{version}", groups.get("version", "")),
                entry.certainty,
                entry.reference or reference,
            )
        )
    return said
