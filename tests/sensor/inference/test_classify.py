"""What hosts and equipment are: systems by build, products by name, roles by what is exchanged."""

from __future__ import annotations

import duckdb
import pytest

from tests.sensor.inference.world import device_of, world

SMB = {"protocol": "smb", "port": 445}
HL7 = {"protocol": "hl7", "port": 2575}
INSTANCE = "hl7.equipment_instance_identifier"


def says(side: str = "responder", *, place: dict = SMB, **said: str) -> dict:
    """A row: the responder (10.0.0.2) or the initiator (10.0.0.11) says something of itself."""
    return {"attribute": {name.replace("_", ".", 1): value for name, value in said.items()}, "side": side, **place}


def message(application: str, sender: str = "10.0.0.11", receiver: str = "10.0.0.2", **row) -> dict:
    said = {"mechanism": "hl7-application", "principal": application, "realm": "WARD"}
    return {"authentication": said, "from": sender, "to": receiver, **HL7, **row}


def logon(principal: str = "svc", **row) -> dict:
    said = {"mechanism": "ntlm", "principal": principal, "realm": "WARD"} | row.pop("said", {})
    return {"authentication": said, **SMB, **row}


def device(store: duckdb.DuckDBPyConnection, ip: str = "10.0.0.2") -> dict:
    found = store.execute("SELECT * FROM device WHERE device_id = $d", {"d": device_of(store, ip)})
    return dict(zip([item[0] for item in found.description], found.fetchone(), strict=True))


def values(store: duckdb.DuckDBPyConnection, name: str, ip: str = "10.0.0.2") -> dict[str, float]:
    return dict(
        store.execute(
            "SELECT value, max(certainty) FROM device_attribute WHERE device_id = $d AND name = $n GROUP BY value",
            {"d": device_of(store, ip), "n": name},
        ).fetchall()
    )


@pytest.mark.parametrize(
    ("said", "os"),
    [
        ({"ntlm_os_version": "10.0.17763"}, "Windows 10 1809, LTSC 2019 or Server 2019"),
        ({"ntlm_os_version": "6.1.7601"}, "Windows 7 or Server 2008 R2"),
        ({"ntlm_os_version": "6.1.0"}, "Unix-like (Samba)"),
        ({"ntlm_os_version": "0.12.4"}, None),
        ({"smb_native_os": "Windows 6.1"}, "Unix-like (Samba)"),
        ({"smb_native_os": "Windows 6.1", "smb_native_lan_manager": "Samba 4.17.12-Debian"}, "Unix-like (Samba)"),
        ({"smb_native_os": "Windows 7 Professional 7601 Service Pack 1"}, "Windows 7"),
        ({"smb_native_os": "Windows 5.1", "smb_native_lan_manager": "Windows 2000 LAN Manager"}, "Windows XP"),
    ],
)
def test_which_system_a_host_runs(said: dict, os: str | None) -> None:
    assert device(world(says(**said)))["os"] == os


def test_a_clients_version_may_be_its_librarys() -> None:
    store = world(says("initiator", ntlm_os_version="10.0.17763"))
    assert values(store, "os", "10.0.0.11") == {"Windows 10 1809, LTSC 2019 or Server 2019": 0.6}
    assert set(values(world(says(ntlm_os_version="10.0.17763")), "os").values()) == {0.8}


def test_samba_says_which() -> None:
    assert device(world(says(smb_native_lan_manager="Samba 4.17.12-Debian")))["software"] == "Samba 4.17.12-Debian"


def test_names_of_hosts() -> None:
    store = world(
        says(ntlm_computer_name="FS1", ntlm_dns_computer_name="fs1.ward.example", ntlm_domain_name="WARD"),
        says("initiator", ntlm_workstation="WS4"),
    )
    assert device(store)["label"] == "FS1"
    assert device(store, "10.0.0.11")["label"] == "WS4"
    assert values(store, "dns_name") == {"fs1.ward.example": 0.9}
    assert values(store, "domain") == {"WARD": 0.8}


def test_a_machine_account_names_its_machine() -> None:
    assert device(world(logon("CT-ROOM2$")), "10.0.0.11")["label"] == "CT-ROOM2"
    assert values(world(logon("CT-ROOM2$"), logon("CT-ROOM3$")), "name", "10.0.0.11") == {}
    assert values(world(logon("CT-ROOM2$", said={"outcome": "rejected"})), "name", "10.0.0.11") == {}


def test_a_service_names_its_host() -> None:
    said = {"mechanism": "kerberos", "realm": "WARD.EXAMPLE", "service": "cifs/fs1.ward.example"}
    other = said | {"service": "cifs/other.ward.example"}
    assert device(world({"authentication": said, **SMB}))["label"] == "fs1"
    assert values(world({"authentication": said, **SMB}, {"authentication": other, **SMB}), "name") == {}
    assert values(world({"authentication": said | {"service": "cifs/10.0.0.2"}, **SMB}), "name") == {}


# --- HL7 ---


def test_a_sender_is_called_by_its_one_application() -> None:
    assert device(world(message("LAB^1.2.3^ISO")), "10.0.0.11")["label"] == "LAB"
    assert values(world(message("LAB"), message("RIS")), "name", "10.0.0.11") == {}


def test_a_name_alone_counts_little() -> None:
    store = world(says("initiator", place=HL7, hl7_sending_application="PHILIPS"))
    assert values(store, "vendor", "10.0.0.11")["Philips"] == 0.3


def test_software_names_its_maker() -> None:
    store = world(
        says("initiator", place=HL7, hl7_software_vendor_organization="Philips Medical Systems^L"),
        says("initiator", place=HL7, hl7_sending_application="MINDRAY"),
        says("initiator", place=HL7, hl7_software_product_name="PIC iX"),
    )
    found = device(store, "10.0.0.11")
    assert (found["vendor"], found["software"]) == ("Philips", "PIC iX")


def test_what_is_passed_on_says_nothing_of_who_passes_it_on() -> None:
    stated = says("initiator", place=HL7, hl7_sending_application="VC150")
    assert device(world(stated), "10.0.0.11")["model"] == "CARESCAPE VC150"
    engine = world(stated, *(message(f"APP{n}") for n in range(3)))
    assert device(engine, "10.0.0.11")["model"] is None


@pytest.mark.parametrize(
    ("said", "model", "kind", "vendor"),
    [
        ({INSTANCE: "080019FFFE2D617CMON^B40_GE"}, "B40", "patient monitor", "GE HealthCare"),
        ({INSTANCE: "g-IntelliVue MX500 - 866064"}, "IntelliVue MX500", "patient monitor", "Philips"),
        ({"hl7.device_code": "69986^MDC_DEV_PUMP_INFUS_VMD"}, None, "infusion pump", None),
        ({"hl7.eui64": "0009fbffff9b42b3"}, None, None, "Philips"),
    ],
)  # fmt: skip
def test_what_equipment_is(said: dict, model: str | None, kind: str | None, vendor: str | None) -> None:
    store = world({"attribute": said, "about": "equipment:WARD|7", **HL7})
    found = store.execute("SELECT model, device_type, vendor FROM device WHERE described").fetchall()
    assert found == [(model, kind, vendor)]


# --- roles ---


def role(store: duckdb.DuckDBPyConnection, ip: str = "10.0.0.2") -> str | None:
    return device(store, ip)["role"]


def test_who_takes_from_many_and_sends_is_an_engine() -> None:
    senders = [message(f"APP{n}", f"10.0.0.{20 + n}") for n in range(3)]
    onward = message("ENGINE", "10.0.0.2", "10.0.0.9")
    assert role(world(*senders)) == "HL7 receiver"
    assert role(world(*senders, onward)) == "interface engine"
    assert role(world(*senders[:2], onward)) == "HL7 sender"


def test_a_known_name_is_a_hint_that_many_senders_make_sure() -> None:
    onward = message("MIRTH", "10.0.0.2", "10.0.0.9")
    assert values(world(onward), "role")["interface engine"] == 0.5
    senders = [message(f"APP{n}", f"10.0.0.{20 + n}") for n in range(3)]
    assert values(world(*senders, onward), "role")["interface engine"] == 0.8


def test_who_acknowledges_says_what_it_was_called() -> None:
    answers = says(place=HL7, hl7_sending_application="MIRTH")
    called = says(place=HL7, hl7_receiving_application="MIRTH")
    assert values(world(message("APP0"), answers, called), "role") == {"HL7 receiver": 0.5}
    assert values(world(message("APP0"), answers, called), "software") == {}
    assert values(world(message("APP0"), answers), "software") == {"Mirth Connect": 0.3}
    senders = [message(f"APP{n}", f"10.0.0.{20 + n}") for n in range(3)]
    assert values(world(*senders, {**answers, "from": "10.0.0.20"}, called), "role")["interface engine"] == 0.8


def test_who_speaks_of_several_monitors_is_a_gateway() -> None:
    told = [{"attribute": {"hl7.equipment_state": "OP"}, "about": f"eui64:00a037fffe714e0{n}", **HL7} for n in range(2)]
    assert role(world(message("PIC"), *told), "10.0.0.11") == "device gateway"


def test_one_who_sends_is_a_sender() -> None:
    assert role(world(message("LAB")), "10.0.0.11") == "HL7 sender"


@pytest.mark.parametrize(
    ("share", "expected"), [("IPC$", "file server"), ("dosereports", "file server"), ("SYSVOL", "domain controller")]
)
def test_who_lets_in_serves(share: str, expected: str) -> None:
    store = world(logon(), says(smb_share=share))
    assert role(store) == expected
    assert role(store, "10.0.0.11") is None


def test_who_refuses_serves_nothing() -> None:
    assert role(world(logon(said={"outcome": "rejected"}))) is None
