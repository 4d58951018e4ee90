"""Inference on recorded captures against their ground truth."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pytest

from sensor.inference.run import infer
from sensor.site import Site
from tests.captures import name_of, own_captures
from tests.conftest import PCAPS
from tests.sensor.rules.captured import store_of

RECORDED = [
    path
    for path in own_captures()
    if path.with_suffix(".toml").exists() and path.parent.name in {"dicom", "tls", "hl7", "smb"}
]


@cache
def inferred(path: Path):
    store = store_of(path)
    infer(store, Site(), rules=())
    return store


def device(path: Path, ip: str):
    row = inferred(path).execute(
        "SELECT DISTINCT d.* FROM device AS d JOIN device_endpoint AS e USING (device_id) WHERE e.ip = $ip", {"ip": ip}
    )
    columns, rows = [item[0] for item in row.description], row.fetchall()
    assert len(rows) == 1, rows
    return dict(zip(columns, rows[0], strict=True))


@pytest.mark.parametrize("path", RECORDED[:: max(1, len(RECORDED) // 60)], ids=name_of)
def test_every_machine_is_one_device(path: Path) -> None:
    hosts = tomllib.loads(path.with_suffix(".toml").read_text())["host"]
    store = inferred(path)
    seen = dict(
        store.execute(
            "SELECT ip, count(DISTINCT device_id) FROM device_endpoint WHERE ip NOT NULL GROUP BY ip"
        ).fetchall()
    )
    assert seen.keys() <= {host.get("ip") for host in hosts}
    assert set(seen.values()) == {1}
    query = "SELECT count(DISTINCT device_id) FROM device_endpoint WHERE ip IS NOT NULL"
    assert store.execute(query).fetchone()[0] == len(seen)


def test_a_router_forwards_three_devices_and_is_none_of_them() -> None:
    path = PCAPS / "dicom" / "router.pcap"
    router = device(path, "10.20.1.30")
    assert router["serial"] is None
    assert router["role"] == "DICOM router"
    serials = {
        row[0] for row in inferred(path).execute("SELECT serial FROM device WHERE serial IS NOT NULL").fetchall()
    }
    assert serials == {"INV73019", "INV41877", "INV52214US6"}


def test_the_modalities_behind_the_router_are_the_described_ones() -> None:
    path = PCAPS / "dicom" / "router.pcap"
    found = {ip: device(path, ip)["serial"] for ip in ("10.20.4.11", "10.20.4.21", "10.20.5.31")}
    assert found == {"10.20.4.11": "INV73019", "10.20.4.21": "INV41877", "10.20.5.31": "INV52214US6"}


def test_a_workstation_that_sends_five_devices_objects() -> None:
    path = PCAPS / "dicom" / "store20.pcap"
    assert device(path, "10.20.2.51")["serial"] is None
    assert inferred(path).execute("SELECT count(*) FROM device WHERE described").fetchone()[0] == 5


def test_an_archive_that_moves_is_not_the_modality() -> None:
    path = PCAPS / "dicom" / "move.pcap"
    assert device(path, "10.20.1.10")["role"] == "archive"
    assert device(path, "10.20.1.10")["serial"] is None


def test_two_cts_with_one_title_are_two_devices() -> None:
    path = PCAPS / "dicom" / "same_calling_title.pcap"
    assert {device(path, ip)["serial"] for ip in ("10.20.4.11", "10.20.4.12")} == {"INV73019", "INV64208"}


def test_a_printer_says_what_it_is() -> None:
    printer = device(PCAPS / "dicom" / "printer.pcap", "10.20.2.90")
    assert (printer["vendor"], printer["model"], printer["serial"]) == ("Agfa HealthCare", "DRYSTAR 5503", "INV11932")


def test_what_a_mammograph_says_of_itself() -> None:
    found = device(PCAPS / "dicom" / "store_contributing.pcap", "10.20.5.51")
    assert found["serial"] in {"INV30577", None}
    assert found["device_type"] == "mammography"


def test_a_makers_stack() -> None:
    found = device(PCAPS / "dicom" / "vendor_stack.pcap", "10.20.5.31")
    assert (found["vendor"], found["device_type"]) == ("GE HealthCare", "MRI")


def test_tls13_is_a_blind_spot() -> None:
    rows = (
        inferred(PCAPS / "tls" / "tls13.pcap").execute("SELECT DISTINCT understood, reason FROM blindspot").fetchall()
    )
    assert rows == [(0, "TLS 1.3")]


# --- HL7 ---


def described(path: Path) -> list[tuple]:
    return (
        inferred(path).execute("SELECT vendor, device_type, serial FROM device WHERE described ORDER BY ALL").fetchall()
    )


def test_an_engine_is_none_of_the_systems_it_sends_for() -> None:
    path = PCAPS / "hl7" / "engine.pcap"
    assert (device(path, "10.20.3.11")["role"], device(path, "10.20.3.11")["vendor"]) == ("interface engine", None)
    assert device(path, "10.20.1.20")["role"] == "HL7 receiver"
    holders = inferred(path).execute("SELECT label, device_count FROM identity WHERE label = 'EPIC'").fetchall()
    assert holders == [("EPIC", 2)]


def test_a_gateway_describes_two_monitors() -> None:
    path = PCAPS / "hl7" / "pcd01_gateway.pcap"
    assert device(path, "10.20.8.6")["role"] == "device gateway"
    assert described(path) == [("Mindray", "patient monitor", None)] * 2


def test_a_monitor_with_another_prefix_in_its_eui64_is_itself() -> None:
    path = PCAPS / "hl7" / "monitor_b40.pcap"
    found = device(path, "10.20.8.61")
    assert (found["vendor"], found["model"], found["device_type"]) == ("GE HealthCare", "B40", "patient monitor")
    assert described(path) == []


def test_a_monitor_behind_an_information_centre_is_not_the_centre() -> None:
    path = PCAPS / "hl7" / "prt_udi.pcap"
    assert device(path, "10.20.8.7")["serial"] is None
    assert [row[2] for row in described(path)] == ["INVDE44723"]


def test_an_analyser_names_itself_and_its_module() -> None:
    path = PCAPS / "hl7" / "lab_genexpert.pcap"
    found = device(path, "10.20.7.51")
    assert (found["vendor"], found["model"], found["software"]) == ("Cepheid", "GeneXpert", "GeneXpert Dx6.2")
    assert len(described(path)) == 1


# --- SMB ---


@pytest.mark.parametrize("name", ["smb311_ntlmv2", "smb1_ntlmv2", "guest", "wrong_password"])
def test_samba_is_not_windows(name: str) -> None:
    os = device(PCAPS / "smb" / f"{name}.pcap", "10.20.1.50")["os"]
    assert os is not None
    assert "Windows" not in os


@pytest.mark.parametrize(
    ("name", "strength", "works"),
    [
        ("smb311_ntlmv2", "fair", True),
        ("smb1_ntlmv1", "weak", True),
        ("guest", "none", True),
        ("wrong_password", "fair", False),
        ("smb1_wrong_password", "fair", False),
        ("smb1_plaintext_refused", "weak", False),
    ],
)
def test_which_account_works_and_how_well(name: str, strength: str, *, works: bool) -> None:
    rows = (
        inferred(PCAPS / "smb" / f"{name}.pcap")
        .execute("SELECT strength, why LIKE '%refused%' FROM identity WHERE kind = 'account'")
        .fetchall()
    )
    assert rows == [(strength, not works)]


def test_kerberos_shows_the_service_and_hides_the_client() -> None:
    path = PCAPS / "smb" / "kerberos_aes256.pcap"
    rows = inferred(path).execute("SELECT kind, label, strength FROM identity").fetchall()
    assert rows == [("service-principal", "cifs/fs1.ward.example", "strong")]
    assert inferred(path).execute("SELECT DISTINCT reason FROM blindspot").fetchall() == [("Kerberos",)]


@pytest.mark.parametrize(("scenario", "ip"), [("find_worklist", "10.20.4.11"), ("mpps", "10.20.4.21")])
def test_who_asks_for_its_worklist_is_a_modality_though_no_image_is_seen(scenario: str, ip: str) -> None:
    path = PCAPS / "dicom" / f"{scenario}.pcap"
    assert [device(path, one)["role"] for one in (ip, "10.20.1.20")] == ["modality", "worklist broker"]
