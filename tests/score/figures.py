"""Figures: how much of what was inferred is right, and how much of what is true was inferred."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from tests.score.inferred import ATTRIBUTES, Finding, Inferred, Use, plain
from tests.score.truth import Device, Identity, Must, Truth

RESOLVED = "resolved"
NEVER = "never"  # in `told`: nothing on the network shows it


@dataclass
class Figure:
    """One line of the table. `to_come` are misses that wait for a protocol or a rule that does not exist yet."""

    name: str
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    to_come: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float | None:
        """Right ones among those inferred; None where nothing was."""
        return _share(self.right, self.right + len(self.wrong))

    @property
    def recall(self) -> float | None:
        """Right ones among those that are true; None where nothing is."""
        return _share(self.right, self.right + len(self.missed) + len(self.to_come))

    @property
    def recall_today(self) -> float | None:
        """The same without what waits for protocols and rules to come."""
        return _share(self.right, self.right + len(self.missed))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True)
class Abilities:
    """What the product can read and judge today."""

    protocols: Collection[str]
    rules: Collection[str]

    def lack(self, protocol: str, rule: str = "") -> str:
        """Why something cannot be inferred yet; empty when it could."""
        if protocol and protocol not in self.protocols:
            return f"{protocol} is not read yet"
        return f"there is no rule {rule} yet" if rule and rule not in self.rules else ""


def all_figures(truth: Truth, inferred: Inferred, can: Abilities) -> list[Figure]:
    """The whole table."""
    return [
        resolution(inferred),
        machines(truth, inferred, can),
        *attributes(truth, inferred, can),
        *identities(truth, inferred, can),
        *findings(truth, inferred, can),
    ]


def resolution(inferred: Inferred) -> Figure:
    """Pairs of addresses: of one machine, and inferred to be."""
    figure = Figure("device resolution (pairs of addresses)")
    for a, b in combinations(inferred.endpoints, 2):
        if a.machine == b.machine and a.device_id == b.device_id:
            figure.right += 1
        elif a.device_id == b.device_id:
            figure.wrong.append(f"{a.machine} and {b.machine} are taken for one")
        elif a.machine == b.machine:
            figure.missed.append(f"{a.machine} is taken for two: {a.device_id}, {b.device_id}")
    figure.wrong, figure.missed = sorted(set(figure.wrong)), sorted(set(figure.missed))
    return figure


def machines(truth: Truth, inferred: Inferred, can: Abilities) -> Figure:
    """Machines: each is one device, and each device is one machine."""
    figure = Figure("machines that are one device")
    found = defaultdict(set)
    for device_id, machine in inferred.machines.items():
        found[machine].add(device_id)
    for device in truth.devices:
        count = len(found[device.name])
        if count == 1:
            figure.right += 1
        elif count:
            figure.wrong.append(f"{device.name}: {count} devices")
        elif lack := _unspoken(device, can):
            figure.to_come.append(f"{device.name} ({lack})")
        else:
            figure.missed.append(f"{device.name}: no device")
    figure.wrong += [f"{label}: no machine" for label in inferred.strangers()]
    return figure


def _unspoken(device: Device, can: Abilities) -> str:
    """Why a machine that others speak of cannot be known yet; empty when it could."""
    protocols = [protocol for protocol in device.told.values() if protocol != NEVER]
    return next(filter(None, map(can.lack, protocols)), "") if device.via else ""


def attributes(truth: Truth, inferred: Inferred, can: Abilities) -> Iterator[Figure]:
    """Vendor, model, type, serial number, operating system, role."""
    said = inferred.attributes()
    for name in ATTRIBUTES:
        figure = Figure(name.replace("_", " "))
        for device in truth.devices:
            _attribute(figure, name, device, [row[name] for row in said.get(device.name, [])], can)
        yield figure


def _attribute(figure: Figure, name: str, device: Device, said: list[str | None], can: Abilities) -> None:
    true, values = getattr(device, name), [value for value in said if value]
    if not true:
        return
    if any(agree(true, value, within=name in {"os", "model"}) for value in values):
        figure.right += 1
    elif values:
        figure.wrong.append(f"{device.name}: {', '.join(values)} instead of {true}")
    elif device.told.get(name) == NEVER:
        return
    elif lack := can.lack(device.told.get(name, "")):
        figure.to_come.append(f"{device.name}: {true} ({lack})")
    else:
        figure.missed.append(f"{device.name}: {true}")


def agree(true: str, said: str, *, within: bool = False) -> bool:
    """Whether two texts say the same; `within`: one may say more than the other."""
    a, b = plain(true), plain(said)
    return a == b or (within and (a in b or b in a))


def identities(truth: Truth, inferred: Inferred, can: Abilities) -> Iterator[Figure]:
    """Identities, and the machines that use each."""
    those, users = Figure("identities"), Figure("users of identities")
    left = inferred.uses()
    for true in truth.identities:
        found = next((use for use in left if _same_identity(true, use)), None)
        called = f"{true.kind} {true.label}"
        if found:
            left.remove(found)
            those.right += 1
            _users(users, called, frozenset(true.users), found.machines)
        elif lack := can.lack(true.protocol):
            those.to_come.append(f"{called} ({lack})")
            users.to_come += [f"{called}: {machine} ({lack})" for machine in true.users]
        else:
            those.missed.append(called)
            users.missed += [f"{called}: {machine}" for machine in true.users]
    those.wrong = sorted(f"{use.kind} {use.label}{' of ' + use.realm if use.realm else ''}" for use in left)
    yield from (those, users)


def _same_identity(true: Identity, use: Use) -> bool:
    same = true.kind == use.kind and plain(true.label) == plain(use.label)
    return same and (not true.realm or plain(true.realm) == plain(use.realm))


def _users(figure: Figure, called: str, true: frozenset[str], found: frozenset[str]) -> None:
    figure.right += len(true & found)
    figure.wrong += [f"{called}: {machine}" for machine in sorted(found - true)]
    figure.missed += [f"{called}: {machine}" for machine in sorted(true - found)]


def findings(truth: Truth, inferred: Inferred, can: Abilities) -> Iterator[Figure]:
    """Findings, all and rule by rule; the day they open; and whether they are resolved when they are over."""
    rules: dict[str, Figure] = {}
    life = Life(truth)
    left = inferred.findings()
    for true in sorted(truth.must, key=lambda m: not m.identity):  # the more definite ones first
        figure = rules.setdefault(true.rule, Figure(true.rule))
        found = [finding for finding in left if _same_finding(true, finding)]
        left = [finding for finding in left if finding not in found]
        if found:
            figure.right += 1
            life.add(true, found)
        else:
            _missed(figure, true, can)
    for finding in left:
        rules.setdefault(finding.rule, Figure(finding.rule)).wrong.append(_words(finding))
    yield _sum("findings", rules.values())
    yield from (life.opened, life.over, life.standing, _forbidden(truth, inferred.findings()))
    yield from sorted(rules.values(), key=lambda figure: figure.name)


def _same_finding(true: Must, finding: Finding) -> bool:
    device = not true.device or not finding.machine or true.device == finding.machine
    identity = not true.identity or not finding.identity or plain(true.identity) == plain(finding.identity)
    about = (true.device and finding.machine) or (true.identity and finding.identity)
    return true.rule == finding.rule and device and identity and bool(about)


def _missed(figure: Figure, true: Must, can: Abilities) -> None:
    called = " ".join(part for part in (true.rule, true.device, true.identity) if part)
    lack = can.lack(true.protocol, true.rule)
    (figure.to_come if lack else figure.missed).append(f"{called}: {lack or true.why}")


class Life:
    """When findings were opened, and whether they are resolved when they are over, and only then."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.opened = Figure("findings open on the right day")
        self.over = Figure("findings resolved when over")
        self.standing = Figure("findings open while they go on")

    def add(self, true: Must, found: list[Finding]) -> None:
        """Count the findings that are this one."""
        called = " ".join(part for part in (true.rule, true.device, true.identity) if part)
        day = self._truth.day_of(min(finding.first_ts for finding in found))
        _count(self.opened, f"{called}: day {day} instead of {true.first_day}", right=day == true.first_day)
        if true.resolved_day is None:
            stands = any(finding.status != RESOLVED for finding in found)
            _count(self.standing, f"{called}: resolved, and goes on", right=stands)
        else:
            ended = all(finding.status == RESOLVED for finding in found)
            _count(self.over, f"{called}: open, over since day {true.resolved_day}", right=ended)


def _count(figure: Figure, otherwise: str, *, right: bool) -> None:
    if right:
        figure.right += 1
    else:
        figure.wrong.append(otherwise)


def _forbidden(truth: Truth, found: Iterable[Finding]) -> Figure:
    figure, all_found = Figure("silence where it is asked for"), list(found)
    for not_true in truth.must_not:
        same = [
            finding
            for finding in all_found
            if finding.rule == not_true.rule
            and (not not_true.device or finding.machine == not_true.device)
            and (not not_true.identity or plain(finding.identity) == plain(not_true.identity))
        ]
        if same:
            figure.wrong += [f"{_words(finding)}: {not_true.why}" for finding in same]
        else:
            figure.right += 1
    return figure


def _words(finding: Finding) -> str:
    return " ".join(part for part in (finding.rule, finding.machine, finding.identity, f"({finding.subject})") if part)


def _sum(name: str, figures: Iterable[Figure]) -> Figure:
    total = Figure(name)
    for figure in figures:
        total.right += figure.right
        total.wrong += figure.wrong
        total.missed += figure.missed
        total.to_come += figure.to_come
    return total


def repeated(lines: Iterable[str]) -> list[str]:
    """Each line once, with how often it was there."""
    return [f"{line} (x{count})" if count > 1 else line for line, count in Counter(lines).items()]
