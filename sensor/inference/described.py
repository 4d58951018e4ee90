"""Described things: which device a data set, an MPPS message or a printer's answer speaks of.

A data set names the device that made it, which is often not the one that sends it: archives, routers and gateways pass
on what others made. So a described thing is a device of its own, unless there is a reason to believe that the speaker
speaks of itself:

* its implementation class UID belongs to the maker that the data set names, and it spoke of no other serial number;
* its network card is that maker's, it spoke of no other serial number, and never kept objects;
* the station's AE title in the message is the speaker's own calling AE title;
* the station's name in the message is the speaker's host name;
* a printer that answers about its printer.

And never when the object was moved on somebody's behalf (C-MOVE), when the thing is a frame grabber, or when the
speaker spoke of two serial numbers or two makers within 24 hours. Of worklists the question is read, not the answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from sensor.inference.evidence import Endpoint, Saying, Span
from sensor.knowledge import Fingerprints, vocabulary
from sensor.knowledge.fingerprints import normal_vendor

FORWARDING_WINDOW: Final = timedelta(hours=24)
NEVER_OWN: Final = frozenset({"C-STORE moved"})
MEDICAL_CARD: Final = 0.6  # certainty of fingerprints that name a maker of medical devices, not of network modules
STATION_AE_TITLES: Final = (
    "dicom.station_ae_title",
    "dicom.performed_station_ae_title",
    "dicom.scheduled_station_ae_title",
)
STATION_NAMES: Final = ("dicom.station_name", "dicom.performed_station_name")


class Anchor(NamedTuple):
    """A name for a device that evidence gives; `kind` ranks it (see devices.py)."""

    kind: str
    scope: str
    value: str


@dataclass(slots=True)
class Thing:
    """What one speaker told of one subject."""

    speaker: Anchor
    about: str
    span: Span
    said: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def serial(self) -> str | None:
        """Its serial number with its maker, when the number identifies something."""
        kind, _, rest = self.about.partition(":")
        maker, _, serial = rest.rpartition("|")
        if kind == "device-uid":
            maker, serial = self._only("dicom.manufacturer"), self._only("dicom.device_serial_number")
        elif kind != "serial":
            return None
        return None if is_junk(serial) else f"{normal_vendor(maker)}|{serial}"

    def _only(self, name: str) -> str:
        """The one value that was told of an attribute, else nothing."""
        return next(iter(self.said[name])) if len(self.said[name]) == 1 else ""

    @property
    def device_uid(self) -> str | None:
        """Its device UID."""
        return self.about.removeprefix("device-uid:") if self.about.startswith("device-uid:") else None

    @property
    def vendors(self) -> set[str]:
        """Its makers as we write them."""
        return {normal_vendor(text) for text in self.said["dicom.manufacturer"]}

    @property
    def anchor(self) -> Anchor:
        """Serial numbers and UIDs are one thing whoever speaks of it; weaker keys only mean something per speaker."""
        if self.device_uid:
            return Anchor("device-uid", "", self.device_uid)
        if self.serial:
            return Anchor("serial", "", self.serial)
        return Anchor("spoken", "|".join(self.speaker), self.about)


class Self(NamedTuple):
    """A speaker's own traits."""

    ae_titles: frozenset[str]
    hostnames: frozenset[str]
    vendors: frozenset[str]
    card_vendors: frozenset[str] = frozenset()


def is_junk(serial: str) -> bool:
    """Whether a serial number identifies nothing."""
    bare = serial.strip().lower()
    return len(bare) < 2 or bare in vocabulary("junk_serials") or not bare.strip("0-. ")


def things(sayings: Iterable[Saying], speaker_of: Mapping[Endpoint, Anchor]) -> list[Thing]:
    """Gather sayings by speaker and subject, in a fixed order."""
    found: dict[tuple[Anchor, str], Thing] = {}
    for saying in sayings:
        speaker = speaker_of.get(saying.endpoint)
        if speaker is None:
            continue
        thing = found.setdefault((speaker, saying.about), Thing(speaker, saying.about, saying.span))
        thing.span = thing.span.join(saying.span)
        thing.said[saying.name].add(saying.value)
    return [found[key] for key in sorted(found)]


def own(spoken: list[Thing], me: Self) -> tuple[list[tuple[Thing, str]], str | None]:
    """The things of one speaker that are the speaker itself, each with the reason.

    Returns:
        (thing, reason) pairs, and why the speaker is taken for one that forwards, if it is.
    """
    candidates = [thing for thing in spoken if not _never(thing)]
    forwards = _forwards(candidates)
    if forwards:
        return [], forwards
    alone = len({thing.serial for thing in candidates if thing.serial}) <= 1
    pairs = [(thing, _reason(thing, me, alone=alone)) for thing in candidates]
    return [(thing, reason) for thing, reason in pairs if reason], None


def implementation_vendors(uids: Iterable[str]) -> frozenset[str]:
    """The makers to whom implementation class UIDs belong; toolkits' belong to none."""
    installed = Fingerprints.installed()
    said = (installed.say("dicom.implementation_class_uid", uid, "vendor") for uid in uids)
    return frozenset(vendor for vendor in said if vendor)


def card_vendors(mac: str) -> frozenset[str]:
    """The maker of medical devices to whom a MAC address is registered, if it is one."""
    hits = Fingerprints.installed().look_up("mac", mac)
    return frozenset(hit.value for hit in hits if hit.name == "vendor" and hit.certainty >= MEDICAL_CARD)


def _never(thing: Thing) -> bool:
    via = thing.said["dicom.via"]
    return bool(via & NEVER_OWN) or "dicom.secondary_capture_manufacturer" in thing.said


def _forwards(spoken: list[Thing]) -> str | None:
    serials = [(thing.span, thing.serial) for thing in spoken if thing.serial]
    makers = [(thing.span, vendor) for thing in spoken for vendor in thing.vendors]
    if _two_within(serials):
        return f"it spoke of {len({value for _, value in serials})} serial numbers, two of them within 24 hours"
    if _two_within(makers):
        return f"it spoke of {len({value for _, value in makers})} makers, two of them within 24 hours"
    return None


def _two_within(marked: list[tuple[Span, str]]) -> bool:
    """Whether two different values lie less than a day apart."""
    latest: dict[str, Span] = {}
    for span, value in sorted(marked):
        for other, seen in latest.items():
            if other != value and span.first - seen.last < FORWARDING_WINDOW:
                return True
        latest[value] = latest[value].join(span) if value in latest else span
    return False


def _reason(thing: Thing, me: Self, *, alone: bool) -> str | None:
    if "printer" in thing.said["dicom.via"]:
        return "a printer that describes itself"
    titles = {title for name in STATION_AE_TITLES for title in thing.said[name]} & me.ae_titles
    if titles:
        return f"the station's AE title {min(titles)} is the one it calls itself"
    stations = {text.lower() for name in STATION_NAMES for text in thing.said[name]} & me.hostnames
    if stations:
        return f"the station's name {min(stations)} is its host name"
    vendors = thing.vendors & me.vendors
    if alone and thing.serial and vendors:
        return f"its implementation class UID is one of {min(vendors)}, and it spoke of this serial number alone"
    makers = thing.vendors & me.card_vendors
    if alone and thing.serial and makers:
        return f"its network card is one of {min(makers)}, and it spoke of this serial number alone"
    return None
