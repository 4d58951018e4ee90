"""Described things: which device a data set, a message or a printer's answer speaks of.

A data set names the device that made it, which is often not the one that sends it: archives, routers and gateways pass
on what others made. So a described thing is a device of its own, unless there is a reason to believe that the speaker
speaks of itself:

* a printer that answers about its printer;
* the station's AE title in the message is the speaker's own calling AE title;
* the station's or the equipment's name in the message is the speaker's host name;
* the equipment's name is the application that the speaker sends as;
* the sender named in the message has the speaker's own MAC address, and it spoke of no other thing;
* its implementation class UID belongs to the maker that the data set names, and it spoke of no other thing;
* its network card is that maker's, it spoke of no other thing, and never kept objects.

The last four not when the thing was told to have another MAC address. And never when the object was moved on somebody's
behalf (C-MOVE), when the thing is a frame grabber, or when the speaker sends under several applications' names or
spoke of two other things or makers within 24 hours (then it is only what bears the name that it sends as). Of
worklists the question is read, not the answer. Which attribute says what stands in
sensor/knowledge/tables/attributes.csv.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from sensor.inference.addresses import mac_of_eui64
from sensor.inference.evidence import Endpoint, Saying, Span
from sensor.knowledge import Fingerprints, vocabulary
from sensor.knowledge.attributes import part_of
from sensor.knowledge.fingerprints import normal_vendor

FORWARDING_WINDOW: Final = timedelta(hours=24)
NEVER_OWN: Final = frozenset({"C-STORE moved"})
MEDICAL_CARD: Final = 0.6  # certainty of fingerprints that name a maker of medical devices, not of network modules
APPLICATIONS_MIN: Final = 3  # HL7 applications that one device sends as: more than a product has
NETBIOS_MAX: Final = 15  # characters of a NetBIOS name (RFC 1001 14.1); longer host names are cut


class Anchor(NamedTuple):
    """A name for a device that evidence gives; `kind` ranks it (see devices.py)."""

    kind: str
    scope: str
    value: str


@dataclass(slots=True)
class Thing:
    """What one speaker told of one subject: `told` by part (attributes.csv), and the makers that fingerprints name."""

    speaker: Anchor
    about: str
    span: Span
    told: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    hinted: set[str] = field(default_factory=set)

    @property
    def serial(self) -> str | None:
        """Its serial number with its maker, when both are known and the number identifies something."""
        kind, _, rest = self.about.partition(":")
        maker, _, serial = rest.rpartition("|") if kind == "serial" else ("", "", self._only("serial"))
        maker = maker or self._only("maker")
        if kind not in ("serial", "device-uid", "eui64") or not maker or is_junk(serial):
            return None
        return f"{normal_vendor(maker)}|{serial}"

    @property
    def device_uid(self) -> str | None:
        """Its device UID."""
        return self.about.removeprefix("device-uid:") if self.about.startswith("device-uid:") else None

    @property
    def eui64(self) -> str | None:
        """Its EUI-64 as 16 digits."""
        stated = self.about.removeprefix("eui64:") if self.about.startswith("eui64:") else self._only("eui64")
        return stated if stated and len(set(stated)) > 1 else None

    @property
    def mac(self) -> str | None:
        """The MAC address that it was told to have, or that its EUI-64 was made from."""
        return self._only("mac") or (mac_of_eui64(self.eui64) if self.eui64 else None)

    @property
    def makers(self) -> set[str]:
        """Its makers as they were told, in our spelling."""
        return {normal_vendor(text) for text in self.told["maker"]}

    @property
    def vendors(self) -> set[str]:
        """Its makers, told or known by what was told."""
        return self.makers | self.hinted | (card_vendors(self.mac) if self.mac else frozenset())

    @property
    def names(self) -> list[Anchor]:
        """What names it whoever speaks of it, the strongest first."""
        found = (("device-uid", self.device_uid), ("serial", self.serial), ("eui64", self.eui64))
        return [Anchor(kind, "", value) for kind, value in found if value]

    @property
    def anchor(self) -> Anchor:
        """Its strongest name; weaker keys only mean something per speaker."""
        return next(iter(self.names), Anchor("spoken", "|".join(self.speaker), self.about))

    @property
    def instance(self) -> str | None:
        """What tells it from others of its kind. An identifier without a namespace, or the reverse, is just a name."""
        kind, _, rest = self.about.partition(":")
        space, _, number = rest.partition("|")
        known = {"equipment": bool(space and number), "serial": not is_junk(number)}.get(kind, False)
        return self.serial or self.eui64 or (self.about if known else None)

    def _only(self, part: str) -> str:
        """The one value that was told for a part, else nothing."""
        return next(iter(self.told[part])) if len(self.told[part]) == 1 else ""


class Self(NamedTuple):
    """A speaker's own traits."""

    ae_titles: frozenset[str]
    hostnames: frozenset[str]
    vendors: frozenset[str]
    card_vendors: frozenset[str] = frozenset()
    applications: frozenset[str] = frozenset()
    mac: str | None = None  # on its own link
    states_mac: bool = False  # its messages name this MAC address as the sender's

    def may_be(self, mac: str | None) -> bool:
        """Whether the speaker can be a thing with this MAC address; some makers put another prefix of theirs on it."""
        return mac is None or self.mac is None or mac.split(":")[3:] == self.mac.split(":")[3:]


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
        if part := part_of(saying.name):
            thing.told[part].add(saying.value)
        thing.hinted |= _hinted(saying.name, saying.value)
    return [found[key] for key in sorted(found)]


def own(spoken: list[Thing], me: Self) -> tuple[list[tuple[Thing, str]], str | None]:
    """The things of one speaker that are the speaker itself, each with the reason.

    Returns:
        (thing, reason) pairs, and why the speaker is taken for one that forwards, if it is.
    """
    candidates = [thing for thing in spoken if not _never(thing)]
    named = [(thing, reason) for thing in candidates if (reason := _sent_as(thing, me))]
    others = [thing for thing in candidates if not _sent_as(thing, me)]
    forwards = _forwards(others, me)
    if forwards:
        return named, forwards
    alone = len({thing.instance for thing in candidates if thing.instance}) <= 1
    pairs = [(thing, _reason(thing, me, alone=alone)) for thing in others]
    return named + [(thing, reason) for thing, reason in pairs if reason], None


def implementation_vendors(uids: Iterable[str]) -> frozenset[str]:
    """The makers to whom implementation class UIDs belong; toolkits' belong to none."""
    installed = Fingerprints.installed()
    said = (installed.say("dicom.implementation_class_uid", uid, "vendor") for uid in uids)
    return frozenset(vendor for vendor in said if vendor)


def card_vendors(mac: str) -> frozenset[str]:
    """The maker of medical devices to whom a MAC address is registered, if it is one."""
    return _hinted("mac", mac)


def same_host(one: str, other: str) -> bool:
    """Whether two host names, in lower case, are one; NetBIOS cuts them."""
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) == NETBIOS_MAX and long.startswith(short))


def _hinted(observable: str, value: str) -> frozenset[str]:
    hits = Fingerprints.installed().look_up(observable, value)
    return frozenset(hit.value for hit in hits if hit.name == "vendor" and hit.certainty >= MEDICAL_CARD)


def _never(thing: Thing) -> bool:
    return bool(thing.told["via"] & NEVER_OWN) or "grabber" in thing.told


def _forwards(spoken: list[Thing], me: Self) -> str | None:
    instances = [(thing.span, thing.instance) for thing in spoken if thing.instance]
    makers = [(thing.span, maker) for thing in spoken for maker in thing.makers]
    if _two_within(instances):
        what = "serial numbers" if all(thing.serial for thing in spoken if thing.instance) else "pieces of equipment"
        return f"it spoke of {len({value for _, value in instances})} {what}, two of them within 24 hours"
    if _two_within(makers):
        return f"it spoke of {len({value for _, value in makers})} makers, two of them within 24 hours"
    if len(me.applications) >= APPLICATIONS_MIN:
        return f"it sends under the names of {len(me.applications)} applications"
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
    if "printer" in thing.told["via"]:
        return "a printer that describes itself"
    titles = thing.told["station-title"] & me.ae_titles
    if titles:
        return f"the station's AE title {min(titles)} is the one it calls itself"
    named = _host_names(thing, me)
    if named:
        return f"the station's name {min(named)} is its host name"
    return _reason_alone(thing, me) if alone and thing.instance and me.may_be(thing.mac) else None


def _sent_as(thing: Thing, me: Self) -> str | None:
    """Why a thing is the application that the speaker sends as: an analyser tells of itself beside its modules."""
    if not me.may_be(thing.mac) or len(me.applications) >= APPLICATIONS_MIN:
        return None
    names = _components(thing.told["instance-name"], 1) & _components(me.applications, 2)
    return f"the equipment's name {min(names)} is the application that it sends as" if names else None


def _host_names(thing: Thing, me: Self) -> set[str]:
    stated = {text.lower() for text in thing.told["station-name"]} | _components(thing.told["instance-name"], 1)
    return {name for name in stated if name and any(same_host(name, host) for host in me.hostnames)}


def _components(texts: Iterable[str], count: int) -> set[str]:
    """The first components of HL7 identifiers that are not empty, in lower case, as far as they are names."""
    return {part for text in texts for part in text.lower().strip("^").split("^")[:count] if len(part) > 2}


def _reason_alone(thing: Thing, me: Self) -> str | None:
    """Why the one thing that it ever spoke of is the speaker."""
    if me.states_mac:
        return f"its messages name its own MAC address {me.mac} as the sender's, and speak of this thing alone"
    vendors, makers = thing.vendors & me.vendors, thing.vendors & me.card_vendors
    what = "serial number" if thing.serial else "equipment"
    if vendors:
        return f"its implementation class UID is one of {min(vendors)}, and it spoke of this {what} alone"
    if makers:
        return f"its network card is one of {min(makers)}, and it spoke of this {what} alone"
    return None
