"""What is inferred from the recorded hospital is no worse than it was; and the measure itself can fail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.score.__main__ import HOSPITAL, fallen, misses, recorded, score, table
from tests.score.figures import (
    Abilities,
    Figure,
    _same_finding,
    agree,
    attributes,
    findings,
    identities,
    machines,
    resolution,
)
from tests.score.inferred import ATTRIBUTES, Endpoint, Finding, Use
from tests.score.truth import Address, Device, Identity, Must, MustNot, Truth, load
from tests.score.weeks import RECORD, weeks

ALL = Abilities({"dicom", "tls"}, {"DCM-001", "CERT-001"})
EPOCH = datetime(2026, 7, 1, tzinfo=UTC)
CT = Device("ct", [Address("10.0.0.1", "00:00:00:00:00:01")], vendor="Siemens Healthineers", told={"os": "smb"})


class World:
    """What the measure needs of a store, made up."""

    def __init__(self, endpoints=(), said=None, used=(), found=(), named=None, strangers=()):
        self.machines, self._strangers = named or {}, strangers
        self.endpoints, self._said, self._used, self._found = list(endpoints), said or {}, used, found

    def strangers(self):
        return list(self._strangers)

    def attributes(self):
        return self._said

    def uses(self):
        return list(self._used)

    def findings(self):
        return list(self._found)


def truth(devices=(), known=(), must=(), must_not=()) -> Truth:
    return Truth(EPOCH, 119, list(devices), list(known), list(must), list(must_not))


def finding(rule: str, machine: str, day: int = 1, status: str = "open", identity: str = "") -> Finding:
    return Finding(rule, machine, identity, status, datetime(2026, 7, day + 1, 8), "subject")  # noqa: DTZ001


def by_name(figures, name: str) -> Figure:
    return next(figure for figure in figures if figure.name == name)


def test_figures_of_the_hospital_did_not_fall(tmp_path, capsys):
    if not (HOSPITAL / "hospital.pcap").exists():
        pytest.skip("no recorded hospital in this checkout")
    figures = score(HOSPITAL, tmp_path / "score.duckdb")
    with capsys.disabled():
        print(f"\n{table(figures)}")
    assert fallen(figures, recorded()) == []


def test_two_machines_taken_for_one_are_wrong_pairs_and_one_taken_for_two_is_a_missed_one():
    figure = resolution(World([Endpoint("d1", "a"), Endpoint("d1", "b"), Endpoint("d2", "b"), Endpoint("d2", "b")]))
    assert (figure.right, figure.wrong) == (1, ["a and b are taken for one"])
    assert figure.missed == ["b is taken for two: d1, d2"]


def test_a_machine_is_one_device_or_many_or_none_or_waits_for_who_speaks_of_it():
    pump, gone = Device("pump", via="ct", told={"device": "radius"}), Device("gone", [Address("10.0.0.9")])
    world = World(named={"d1": "ct", "d2": "ws", "d3": "ws"}, strangers=["x"])
    figure = machines(truth([CT, Device("ws"), pump, gone]), world, ALL)
    assert (figure.right, figure.wrong) == (1, ["ws: 2 devices", "x: no machine"])
    assert (figure.missed, figure.to_come) == (["gone: no device"], ["pump (radius is not read yet)"])


def test_an_attribute_is_right_wrong_missed_or_to_come():
    windows = Device("ws", vendor="Dell Inc.", os="Windows 10", told={"os": "rdp"})
    said = {"ct": [_said(vendor="SIEMENS healthineers")], "ws": [_said(vendor="HP")]}
    figures = list(attributes(truth([CT, windows]), World(said=said), ALL))
    vendor, system = by_name(figures, "vendor"), by_name(figures, "os")
    assert (vendor.right, vendor.wrong) == (1, ["ws: HP instead of Dell Inc."])
    assert (system.missed, system.to_come) == ([], ["ws: Windows 10 (rdp is not read yet)"])


def _said(**known):
    return dict.fromkeys(ATTRIBUTES) | known


def test_more_may_be_said_of_an_operating_system_but_not_of_a_vendor():
    assert agree("Windows 7", "Windows 7 or Server 2008 R2", within=True)
    assert not agree("GE", "GE HealthCare")


def test_identities_count_once_and_their_users_apart():
    known = [Identity("ae-title", "CT01", "dicom", ["ct"]), Identity("snmp-community", "public", "snmp", ["ups"])]
    used = [Use("ae-title", "CT01", "", frozenset({"ct", "pc"})), Use("ae-title", "CT02", "", frozenset())]
    those, users = identities(truth([CT], known), World(used=used), ALL)
    assert (those.right, those.wrong, those.missed) == (1, ["ae-title CT02"], [])
    assert those.to_come == ["snmp-community public (snmp is not read yet)"]
    assert (users.right, users.wrong) == (1, ["ae-title CT01: pc"])


def test_findings_are_right_only_for_the_machine_and_on_the_day():
    must = [Must("DCM-001", "dicom", "ct", first_day=1), Must("CERT-001", "tls", "ct", first_day=3, resolved_day=9)]
    found = [finding("DCM-001", "ct"), finding("DCM-001", "pc"), finding("CERT-001", "ct", 4)]
    figures = list(findings(truth([CT], must=must), World(found=found), ALL))
    total = by_name(figures, "findings")
    assert (total.right, total.wrong, total.missed) == (2, ["DCM-001 pc (subject)"], [])
    assert by_name(figures, "findings open on the right day").wrong == ["CERT-001 ct: day 4 instead of 3"]
    assert by_name(figures, "findings resolved when over").wrong == ["CERT-001 ct: open, over since day 9"]
    assert by_name(figures, "findings open while they go on").right == 1


def test_a_finding_that_is_resolved_while_it_goes_on_is_wrong():
    found = [finding("DCM-001", "ct", status="resolved")]
    figures = list(findings(truth([CT], must=[Must("DCM-001", "dicom", "ct", first_day=1)]), World(found=found), ALL))
    assert by_name(figures, "findings open while they go on").wrong == ["DCM-001 ct: resolved, and goes on"]


def test_a_capture_is_cut_into_weeks_and_nothing_is_lost(tmp_path):
    days = (0, 6, 7, 7, 30)
    start = int(EPOCH.timestamp())
    records = [RECORD.pack(start + day * 86_400, 0, 4, 4) + bytes([day] * 4) for day in days]
    whole = tmp_path / "whole.pcap"
    whole.write_bytes(bytes(24) + b"".join(records))
    found = list(weeks(whole, EPOCH, tmp_path))
    assert [path.name for path in found] == ["week01.pcap", "week02.pcap", "week05.pcap"]
    assert b"".join(path.read_bytes()[24:] for path in found) == b"".join(records)


def test_a_finding_that_must_not_be_is_said_with_the_reason():
    quiet = [MustNot("DCM-001", "it speaks TLS", "ct")]
    figures = list(findings(truth([CT], must_not=quiet), World(found=[finding("DCM-001", "ct")]), ALL))
    assert by_name(figures, "silence where it is asked for").wrong == ["DCM-001 ct (subject): it speaks TLS"]


def test_a_rule_to_come_is_no_miss_of_today():
    must = [Must("SNMP-001", "snmp", "ct"), Must("DCM-001", "dicom", "ct", why="clear")]
    total = by_name(findings(truth([CT], must=must), World(), ALL), "findings")
    assert total.to_come == ["SNMP-001 ct: snmp is not read yet"]
    assert (total.missed, total.recall, total.recall_today) == (["DCM-001 ct: clear"], 0.0, 0.0)


def test_a_finding_about_nothing_that_is_known_fits_nothing():
    assert not _same_finding(Must("DCM-001", "dicom", "ct"), finding("DCM-001", "", identity="CT01"))


def test_what_fell_is_named():
    before = {"vendor": ("90.0", "50.0"), "model": ("10.0", "-"), "gone": ("1.0", "1.0")}
    now = [Figure("vendor", 9, ["x"] * 2, []), Figure("model", 1, ["x"] * 9, [])]
    assert fallen(now, before) == ["gone is not measured any more", "precision of vendor fell from 90.0 to 81.8"]
    assert "vendor: wrong: x (x2)" in misses(now)


def test_the_truth_is_about_machines_that_exist():
    if not (HOSPITAL / "truth.yaml").exists():
        pytest.skip("no recorded hospital in this checkout")
    known = load(HOSPITAL / "truth.yaml")
    names = {device.name for device in known.devices}
    assert len(names) == len(known.devices)
    assert {finding.device for finding in known.must if finding.device} <= names
    assert {user for identity in known.identities for user in identity.users} <= names
