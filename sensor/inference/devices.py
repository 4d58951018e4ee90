"""Devices: endpoints and described things joined by evidence, each join with its reason.

Theory of operation. Everything that can stand for a device is an *anchor*: a device UID, a serial number, an EUI-64, an
on-link MAC address, an IP address where the MAC is not its own, a thing that only one speaker names. Every endpoint
gets one anchor of its own (addresses.py); anchors that are the same device are joined (merging.py, described.py);
what hangs together is a device. All judgements look at the whole of the evidence, so the order of facts cannot
matter, and nothing is undone by hand: a join whose evidence is gone is not made the next time.

A device's id is made from its strongest anchor. Every other anchor in it could have been its id earlier, or will have
been elsewhere, and becomes an alias: so ids are a function of the facts, and old ids keep resolving.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from sensor.inference.addresses import MacKind, MacVerdict, is_host, is_nobody, judge_all, mac_in, macs_in
from sensor.inference.described import Anchor, Self, Thing, card_vendors, implementation_vendors, own, things
from sensor.inference.evidence import Endpoint, Evidence, Span
from sensor.inference.merging import Proof, merges
from sensor.knowledge import vocabulary

RANK: Final = {"device-uid": 0, "serial": 1, "eui64": 2, "mac": 3, "ip": 4, "spoken": 5}
DEFAULT_NAMES: Final = {"ae-title": "default_ae_titles", "hostname": "default_hostnames"}


@dataclass(slots=True)
class Device:
    """One device: what it is made of, and why."""

    device_id: str
    anchors: tuple[Anchor, ...]
    span: Span
    described: bool  # only spoken of, never seen to talk
    router: bool = False
    forwards: str | None = None
    reasons: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Resolution:
    """The partition of endpoints and described things into devices."""

    devices: dict[str, Device]
    endpoint_device: dict[Endpoint, tuple[str, str]]  # device id, reason
    spans: dict[Endpoint, Span]  # of the endpoints; those of several days are one: bindings say when an address moved
    subject_device: dict[tuple[Endpoint, str], str]
    aliases: dict[str, str]


def device_id_of(anchor: Anchor) -> str:
    """The id that a device has while `anchor` is its strongest."""
    text = "\x1f".join(("device-1", *anchor))
    return "dev-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def resolve(evidence: Evidence, internal: Callable[[str], bool]) -> Resolution:
    """Partition the evidence into devices.

    Args:
        evidence: see `read_evidence`.
        internal: whether an IP address belongs to the site.
    """
    return _Resolver(evidence, internal).resolve()


class _Resolver:
    def __init__(self, evidence: Evidence, internal: Callable[[str], bool]) -> None:
        self._evidence = evidence
        self._verdicts = judge_all(evidence.sights, internal, evidence.rivals)
        self._holders = {
            key: [mac for mac in sorted(macs) if self._own((key[0], mac))] for key, macs in evidence.holders.items()
        }
        self._endpoint_spans = evidence.spans | self._router_spans(evidence.spans)
        self._spans: dict[Anchor, Span] = {}
        self._parent: dict[Anchor, Anchor] = {}
        self._reasons: dict[Anchor, list[str]] = defaultdict(list)

    def resolve(self) -> Resolution:
        anchored = self._anchor_endpoints()
        of_endpoint = {endpoint: anchor for endpoint, (anchor, _) in anchored.items()}
        spoken = things(self._evidence.sayings, of_endpoint)
        for thing in spoken:
            for anchor in (thing.anchor, *thing.names):
                self._add(anchor, thing.span)
        forwarders = self._join(spoken, of_endpoint)
        return self._gather(anchored, spoken, forwarders)

    # --- anchors of endpoints ---

    def _anchor_endpoints(self) -> dict[Endpoint, tuple[Anchor, str]]:
        anchored = {}
        for endpoint, span in self._endpoint_spans.items():
            found = self._anchor(endpoint)
            if found is not None:
                anchored[endpoint] = found
                self._add(found[0], span)
        return anchored

    def _router_spans(self, spans: dict[Endpoint, Span]) -> dict[Endpoint, Span]:
        """Routers as endpoints: often nothing is seen of them but their MAC address in other machines' packets."""
        found: dict[Endpoint, Span] = {}
        for (scope, mac, _), span in spans.items():
            verdict = self._verdict(scope, mac)
            if verdict and verdict.kind is MacKind.ROUTER:
                router = Endpoint(scope, mac, None)
                found[router] = found[router].join(span) if router in found else span
        return found

    def _anchor(self, endpoint: Endpoint) -> tuple[Anchor, str] | None:
        scope, mac, ip = endpoint
        verdict = self._verdict(scope, mac)
        if mac and verdict and verdict.kind is MacKind.OWN:
            return Anchor("mac", scope, mac), verdict.reason
        if (verdict and verdict.kind is MacKind.GROUP) or (ip and is_nobody(ip)):
            return None
        if ip is None or (verdict and verdict.kind is MacKind.ROUTER and not is_host(ip)):
            return self._router_itself(scope, mac, verdict)
        return self._anchor_of_ip(scope, ip, verdict)

    def _anchor_of_ip(self, scope: str, ip: str, verdict: MacVerdict | None) -> tuple[Anchor, str]:
        because = f"IP address; {verdict.reason}" if verdict else "IP address; no MAC address was seen"
        inside = mac_in(ip)
        if inside:
            return Anchor("mac", scope, inside), f"the IPv6 address {ip} is made from this MAC address (EUI-64)"
        holders = self._holders.get((scope, ip), [])
        if len(holders) == 1:
            return Anchor("mac", scope, holders[0]), f"on its own link, {holders[0]} alone held the IP address {ip}"
        return Anchor("ip", scope, ip), because

    @staticmethod
    def _router_itself(scope: str, mac: str | None, verdict: MacVerdict | None) -> tuple[Anchor, str] | None:
        if mac and verdict and verdict.kind is MacKind.ROUTER:
            return Anchor("mac", scope, mac), verdict.reason
        return None

    def _verdict(self, scope: str, mac: str | None) -> MacVerdict | None:
        return self._verdicts[scope, mac] if mac else None

    def _own(self, key: tuple[str, str]) -> bool:
        return key in self._verdicts and self._verdicts[key].kind is MacKind.OWN

    # --- joining ---

    def _join(self, spoken: list[Thing], of_endpoint: dict[Endpoint, Anchor]) -> dict[Anchor, str]:
        proofs = self._proofs(of_endpoint)
        by_speaker: dict[Anchor, list[Thing]] = defaultdict(list)
        for thing in spoken:
            by_speaker[thing.speaker].append(thing)
        owned, forwarders = self._own_things(by_speaker, proofs)
        for speaker, pairs in owned.items():
            proofs[speaker] |= {Proof(thing.anchor.kind, thing.anchor.value) for thing, _ in pairs if thing.names}
        for merge in merges(proofs, self._spans):
            self._union(merge.one, merge.other, f"{_say(merge.one)} and {_say(merge.other)}: {merge.reason}")
        self._bind(owned)
        self._join_macs(spoken)
        self._join_names(spoken)
        self._join_namesakes(spoken)
        return forwarders

    def _proofs(self, of_endpoint: dict[Endpoint, Anchor]) -> dict[Anchor, set[Proof]]:
        proofs: dict[Anchor, set[Proof]] = defaultdict(set)
        for endpoint, kind, value in self._evidence.traits:
            anchor = of_endpoint.get(endpoint)
            if anchor is not None and not _is_default(kind, value):
                proofs[anchor].add(Proof(kind, value))
        return proofs

    @staticmethod
    def _own_things(
        by_speaker: dict[Anchor, list[Thing]], proofs: dict[Anchor, set[Proof]]
    ) -> tuple[dict[Anchor, list[tuple[Thing, str]]], dict[Anchor, str]]:
        owned, forwarders = {}, {}
        senders = {anchor for anchor, shown in proofs.items() if any(p.kind == "hl7-application" for p in shown)}
        for speaker in sorted(by_speaker.keys() | senders):
            owned[speaker], forwards = own(by_speaker.get(speaker, []), _self(speaker, proofs.get(speaker, ())))
            if forwards:
                forwarders[speaker] = forwards
        return owned, forwarders

    def _bind(self, owned: dict[Anchor, list[tuple[Thing, str]]]) -> None:
        """Join a thing with the device that is it, where one device alone claims it, and no other serial number."""
        claims: dict[Anchor, set[Anchor]] = defaultdict(set)
        serials: dict[Anchor, set[str]] = defaultdict(set)
        for speaker, pairs in owned.items():
            for thing, _ in pairs:
                claims[thing.anchor].add(self._root(speaker))
                serials[self._root(speaker)] |= {thing.serial} if thing.serial else set()
        agreed = {
            (speaker, thing.anchor): reason
            for speaker, pairs in owned.items()
            for thing, reason in pairs
            if len(claims[thing.anchor]) == 1 and len(serials[self._root(speaker)]) <= 1
        }
        for (speaker, anchor), reason in sorted(agreed.items()):
            self._union(speaker, anchor, f"{_say(anchor)} is {_say(speaker)}: {reason}")

    def _join_macs(self, spoken: list[Thing]) -> None:
        """Join a thing with the one MAC address on the speaker's link that it was told to have; never two serials."""
        told: dict[Anchor, set[Anchor]] = defaultdict(set)
        serials: dict[Anchor, set[str]] = defaultdict(set)
        for thing in spoken:
            anchor = Anchor("mac", thing.speaker.scope, thing.mac or "")
            if anchor in self._parent and self._own((anchor.scope, anchor.value)):
                told[thing.anchor].add(anchor)
                serials[anchor] |= {thing.serial} if thing.serial else set()
        for anchor in self._parent:
            if anchor.kind == "serial":
                serials[self._root(anchor)].add(anchor.value)
        for name, (mac, *others) in sorted((name, sorted(macs)) for name, macs in told.items()):
            known = serials[mac] | serials[self._root(mac)] | serials[self._root(name)]
            if not others and len(known) <= 1:
                self._union(
                    name, mac, f"{_say(name)} is {_say(mac)}: the MAC address was told of it, or is its EUI-64's"
                )
                serials[self._root(mac)] = known

    def _join_names(self, spoken: list[Thing]) -> None:
        """Join device UID, serial number and EUI-64 that were told of one thing, each with no other of its kind."""
        told = {pair for thing in spoken for pair in combinations(thing.names, 2)}
        partners: dict[tuple[Anchor, str], set[Anchor]] = defaultdict(set)
        for one, other in told:
            partners[one, other.kind].add(other)
            partners[other, one.kind].add(one)
        for one, other in sorted(told):
            if len(partners[one, other.kind]) == len(partners[other, one.kind]) == 1:
                self._union(one, other, f"{_say(one)} and {_say(other)} were told of one thing")

    def _join_namesakes(self, spoken: list[Thing]) -> None:
        """Join what a speaker names by station or model only with the one thing of that name whose serial it told."""
        by_name: dict[tuple[Anchor, str, str], set[Anchor]] = defaultdict(set)
        for thing in spoken:
            if thing.anchor.kind != "spoken":
                for name, value in _names(thing):
                    by_name[thing.speaker, name, value].add(thing.anchor)
        for thing in spoken:
            if thing.anchor.kind == "spoken":
                found = [
                    by_name[thing.speaker, *name] for name in _names(thing)[:1] if (thing.speaker, *name) in by_name
                ]
                if found and len(found[0]) == 1:
                    (anchor,) = found[0]
                    self._union(
                        thing.anchor,
                        anchor,
                        f"{_say(thing.anchor)} is {_say(anchor)}: the same speaker gave both the same name",
                    )

    # --- union-find; the root of a set is only a handle, the id comes from the strongest anchor ---

    def _add(self, anchor: Anchor, span: Span) -> None:
        self._parent.setdefault(anchor, anchor)
        self._spans[anchor] = self._spans[anchor].join(span) if anchor in self._spans else span

    def _root(self, anchor: Anchor) -> Anchor:
        while self._parent[anchor] != anchor:
            self._parent[anchor] = self._parent[self._parent[anchor]]
            anchor = self._parent[anchor]
        return anchor

    def _union(self, one: Anchor, other: Anchor, reason: str) -> None:
        self._reasons[one].append(reason)
        low, high = sorted((self._root(one), self._root(other)))
        self._parent[high] = low

    # --- the result ---

    def _gather(
        self, anchored: dict[Endpoint, tuple[Anchor, str]], spoken: list[Thing], forwarders: dict[Anchor, str]
    ) -> Resolution:
        sets: dict[Anchor, list[Anchor]] = defaultdict(list)
        for anchor in self._parent:
            sets[self._root(anchor)].append(anchor)
        # A name that was only told along with others, and joined none of them, is no device.
        real = {self._root(anchor) for anchor in (*(a for a, _ in anchored.values()), *(t.anchor for t in spoken))}
        sets = {root: anchors for root, anchors in sets.items() if root in real}
        talking = {self._root(anchor) for anchor, _ in anchored.values()}
        ids, devices = {}, {}
        for root, anchors in sets.items():
            device = self._device(anchors, forwarders, described=root not in talking)
            ids[root] = device.device_id
            devices[device.device_id] = device
        endpoints = {endpoint: (ids[self._root(anchor)], reason) for endpoint, (anchor, reason) in anchored.items()}
        speakers: dict[Anchor, list[Endpoint]] = defaultdict(list)
        for endpoint, (anchor, _) in anchored.items():
            speakers[anchor].append(endpoint)
        subjects = {
            (endpoint, thing.about): ids[self._root(thing.anchor)]
            for thing in spoken
            for endpoint in speakers[thing.speaker]
        }
        aliases = {device_id_of(anchor): ids[root] for root, anchors in sets.items() for anchor in anchors}
        spans = {endpoint: self._endpoint_spans[endpoint] for endpoint in endpoints}
        return Resolution(devices, endpoints, spans, subjects, {old: now for old, now in aliases.items() if old != now})

    def _device(self, anchors: list[Anchor], forwarders: dict[Anchor, str], *, described: bool) -> Device:
        ordered = tuple(sorted(anchors, key=lambda a: (RANK[a.kind], self._spans[a].first, a)))
        span = _cover(self._spans[anchor] for anchor in ordered)
        forwards = sorted(forwarders[anchor] for anchor in ordered if anchor in forwarders)
        reasons = sorted({reason for anchor in ordered for reason in self._reasons.get(anchor, ())})
        router = any(
            a.kind == "mac" and not self._own((a.scope, a.value)) and (a.scope, a.value) in self._verdicts
            for a in ordered
        )
        return Device(
            device_id_of(ordered[0]), ordered, span, described, router, forwards[0] if forwards else None, reasons
        )


def _self(speaker: Anchor, proofs: Iterable[Proof]) -> Self:
    kinds: dict[str, set[str]] = defaultdict(set)
    for kind, value in proofs:
        kinds[kind].add(value)
    vendors = implementation_vendors(kinds["implementation-class-uid"])
    mac = speaker.value if speaker.kind == "mac" else None
    card = card_vendors(mac) if mac and not kinds["keeps-objects"] else frozenset()
    stated = any(mac in macs_in(text) for text in kinds["network-address"]) if mac else False
    names = frozenset(kinds["ae-title"]), frozenset(kinds["hostname"])
    return Self(*names, vendors, card, frozenset(kinds["hl7-application"]), mac, stated)


def _is_default(kind: str, value: str) -> bool:
    """Whether a name is one that products ship with: it tells nobody from anybody."""
    return kind in DEFAULT_NAMES and value.lower() in vocabulary(DEFAULT_NAMES[kind])


def _names(thing: Thing) -> list[tuple[str, str]]:
    """What a speaker calls a thing, the most telling name first."""
    named = [(part, value) for part in ("instance-name", "station-name") for value in sorted(thing.told[part])]
    models = sorted(f"{maker}|{model}" for maker in thing.makers for model in thing.told["model"])
    return named + [("model", value) for value in models]


def _say(anchor: Anchor) -> str:
    return f"{anchor.kind} {anchor.value}"


def _cover(spans: Iterable[Span]) -> Span:
    first, *rest = spans
    for span in rest:
        first = first.join(span)
    return first
