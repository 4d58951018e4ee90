"""Equipment that HL7 messages speak of: which device it is, when it is the sender, and when the sender is a gateway."""

from __future__ import annotations

import json

import duckdb
import pytest

from sensor.inference.addresses import mac_of_eui64, macs_in
from tests.sensor.inference.world import device_of, world

HL7 = {"protocol": "hl7", "port": 2575}
MAC = "00:a0:37:71:4e:01"
EUI64 = "00a037fffe714e01"
OTHER = "00a037fffe714e02"


def tells(about: str, *, at: str = "+0s", **said: str) -> dict:
    """A row: 10.0.0.11 tells of a piece of equipment."""
    place = {key: said.pop(key) for key in ("from_mac", "sender", "scope") if key in said}
    told = {f"hl7.{name}": value for name, value in said.items()} or {"hl7.equipment_state": "OP"}
    sender = {"from": place.pop("sender", "10.0.0.11")}
    return {"attribute": told, "about": about, "at": at, **HL7, **sender, **place}


def says(*, at: str = "+0s", sender: str = "10.0.0.11", from_mac: str | None = None, **said: str) -> dict:
    """A row: a side says something of itself."""
    place = {"from": sender, "at": at} | ({"from_mac": from_mac} if from_mac else {})
    return {"attribute": {name.replace("_", ".", 1): value for name, value in said.items()}, **HL7, **place}


def sends_as(application: str, *, sender: str = "10.0.0.11", **row: str) -> dict:
    said = {"mechanism": "hl7-application", "principal": application, "realm": "WARD"}
    return {"authentication": said, "from": sender, **HL7, **row}


def described(store: duckdb.DuckDBPyConnection) -> int:
    return store.execute("SELECT count(*) FROM device WHERE described").fetchone()[0]


def joined(store: duckdb.DuckDBPyConnection, ip: str = "10.0.0.11") -> str:
    why = store.execute("SELECT why FROM device WHERE device_id = $d", {"d": device_of(store, ip)}).fetchone()[0]
    return " ".join(json.loads(why).get("joined", []))


@pytest.mark.parametrize(
    ("eui64", "mac"),
    [
        (EUI64, MAC),
        ("0009FBFFFF9B42B3", "00:09:fb:9b:42:b3"),
        ("0009fb00009b42b3", None),
        ("0009fbfffe9b42", None),
    ],
)
def test_an_eui64_holds_a_mac_address_behind_either_filler(eui64: str, mac: str | None) -> None:
    assert mac_of_eui64(eui64) == mac


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("00A037714E01", {MAC}),
        ("^00-a0-37-71-4e-01^MAC", {MAC}),
        (f"MINDRAY_^{EUI64.upper()}^EUI-64", {MAC}),
        ("00:A0:37:FF:FE:71:4E:01", {MAC}),
        ("00A037714E", set()),
        ("WARD 7", set()),
    ],
)
def test_addresses_are_found_in_texts(text: str, found: set[str]) -> None:
    assert macs_in(text) == found


def test_an_eui64_is_the_device_with_that_address() -> None:
    store = world(tells(f"eui64:{EUI64}"), {"conversation": {}, "from": "10.0.0.21", "from_mac": MAC})
    assert described(store) == 0
    assert "the MAC address was told of it" in joined(store, "10.0.0.21")
    assert device_of(store, "10.0.0.21") != device_of(store, "10.0.0.11")


def test_an_eui64_of_a_device_never_seen_is_described() -> None:
    assert described(world(tells(f"eui64:{EUI64}"))) == 1


def test_an_address_in_another_scope_is_another_device() -> None:
    far = {"conversation": {}, "from": "10.0.0.21", "from_mac": MAC, "scope": "south"}
    assert described(world(tells(f"eui64:{EUI64}"), far)) == 1


def test_a_monitor_that_tells_its_own_eui64_is_itself() -> None:
    store = world(tells(f"eui64:{EUI64}", from_mac=MAC))
    assert described(store) == 0
    assert "EUI-64" in joined(store)


def test_a_made_up_eui64_names_nothing() -> None:
    store = world(tells("eui64:0000000000000000"), tells("eui64:0000000000000000", sender="10.0.0.12"))
    assert described(store) == 2


def test_two_gateways_tell_of_one_monitor() -> None:
    assert described(world(tells(f"eui64:{EUI64}"), tells(f"eui64:{EUI64}", sender="10.0.0.12"))) == 1


def test_a_serial_number_without_its_maker_is_only_its_tellers() -> None:
    about = "serial:|INV44723"
    assert described(world(tells(about), tells(about, sender="10.0.0.12"))) == 2
    assert described(world(tells(about), tells(about, at="+1d"))) == 1


def test_a_model_is_no_device() -> None:
    about = "udi:00884838000001"
    assert described(world(tells(about), tells(about, sender="10.0.0.12"))) == 2


def test_a_serial_number_told_with_an_eui64_is_one_device() -> None:
    about = "serial:|INV44723"
    store = world(
        tells(about, device_serial_number="INV44723", eui64=EUI64),
        tells(f"eui64:{EUI64}", at="+1h"),
        {"conversation": {}, "from": "10.0.0.21", "from_mac": MAC},
    )
    assert described(store) == 0
    found = store.execute("SELECT serial FROM device WHERE device_id = $d", {"d": device_of(store, "10.0.0.21")})
    assert found.fetchone() == ("INV44723",)


def test_two_serial_numbers_with_one_address_join_nothing() -> None:
    makers = [tells(f"serial:GE|{n}", eui64=EUI64) for n in ("INV1", "INV2")]
    store = world(*makers, {"conversation": {}, "from": "10.0.0.21", "from_mac": MAC})
    assert described(store) == 2


def test_one_name_for_two_keys_is_one_thing() -> None:
    named = {"equipment_instance_identifier": "BED7^PIC"}
    assert described(world(tells("serial:GE|INV44723", **named), tells("equipment:PIC|BED7", at="+2d", **named))) == 1


# --- the sender itself, or a gateway ---


@pytest.mark.parametrize(
    "stated", [{"hl7_sending_network_address": "^00A037714E01^MAC"}, {"hl7_sending_facility": MAC}]
)
def test_a_sender_that_names_its_own_address_speaks_of_itself(stated: dict) -> None:
    store = world(tells("equipment:VC150|7", from_mac=MAC), says(from_mac=MAC, **stated))
    assert described(store) == 0
    assert MAC in joined(store)


def test_a_sender_that_names_anothers_address_does_not() -> None:
    stated = says(from_mac=MAC, hl7_sending_facility="00A037714E02")
    assert described(world(tells("equipment:VC150|7", from_mac=MAC), stated)) == 1


def test_a_host_of_the_equipments_name_is_the_equipment() -> None:
    row = tells("equipment:LAB|COBAS-7", equipment_instance_identifier="COBAS-7^LAB")
    assert described(world(row, says(ntlm_workstation="cobas-7"))) == 0
    assert described(world(row, says(ntlm_workstation="cobas-8"))) == 1


def test_a_card_of_the_equipments_maker_counts_if_it_spoke_of_nothing_else() -> None:
    card = {"from_mac": "00:40:97:2d:61:7c"}
    own, another = (tells(f"eui64:080019fffe{tail}", **card) for tail in ("2d617c", "2d617d"))
    assert described(world(own)) == 0
    assert described(world(own, {**another, "at": "+1h"})) == 2


def test_another_address_in_the_eui64_is_another_device() -> None:
    """An information centre, of which one monitor was seen in a short capture."""
    row = tells("serial:|INV44723", eui64="0009fbffff9b42b3", from_mac="00:09:fb:9a:40:11")
    assert described(world(row, says(from_mac="00:09:fb:9a:40:11", hl7_sending_facility="0009FB9A4011"))) == 1


@pytest.mark.parametrize(("name", "bound"), [("^GeneXpert PC", True), ("GeneXpert", True), ("Module A1", False)])
def test_equipment_of_the_applications_name_is_the_sender(name: str, *, bound: bool) -> None:
    told = tells(f"equipment:{name}|", equipment_instance_identifier=name)
    assert (described(world(told, sends_as("GeneXpert PC^GeneXpert^Dx6.2"))) == 0) is bound


def test_a_gateway_is_none_of_the_monitors_it_speaks_of() -> None:
    store = world(tells(f"eui64:{EUI64}"), tells("equipment:PIC|BED7"), says(hl7_sending_facility=MAC))
    assert described(store) == 2
    why = store.execute("SELECT why FROM device WHERE NOT described AND why LIKE '%forwards%'").fetchone()[0]
    assert "2 pieces of equipment" in json.loads(why)["forwards"]


@pytest.mark.parametrize(("count", "bound"), [(2, True), (3, False)])
def test_who_sends_as_many_applications_forwards(count: int, *, bound: bool) -> None:
    one = tells("equipment:VC150|7", from_mac=MAC), says(from_mac=MAC, hl7_sending_facility=MAC)
    store = world(*one, *(sends_as(f"APP{n}", from_mac=MAC) for n in range(count)))
    assert (described(store) == 0) is bound


def test_an_engine_forwards_without_describing_anything() -> None:
    store = world(*(sends_as(f"APP{n}") for n in range(3)))
    why = store.execute("SELECT why FROM device WHERE why LIKE '%forwards%'").fetchone()[0]
    assert json.loads(why)["forwards"] == "it sends under the names of 3 applications"


# --- host names ---


def test_a_cut_netbios_name_is_the_stations() -> None:
    station = {
        "attribute": {"dicom.station_name": "CT-RADIOLOGY-ROOM1", "dicom.manufacturer": "SIEMENS"},
        "about": "serial:SIEMENS|INV1",
        "protocol": "dicom",
        "port": 104,
    }
    assert described(world(station, says(ntlm_workstation="CT-RADIOLOGY-RO"))) == 0
    assert described(world(station, says(ntlm_workstation="CT-RADIOLOGY"))) == 1


@pytest.mark.parametrize("name", ["10.0.0.11", "localhost", "WORKSTATION"])
def test_a_name_that_everybody_has_is_no_hint(name: str) -> None:
    row = tells("equipment:LAB|X", equipment_instance_identifier=f"{name.split('.', maxsplit=1)[0]}^LAB")
    assert described(world(row, says(ntlm_workstation=name))) == 1


def test_a_host_name_alone_joins_nothing() -> None:
    store = world(says(ntlm_workstation="WS1"), says(ntlm_workstation="WS1", sender="10.0.0.12", at="+2d"))
    assert device_of(store, "10.0.0.11") != device_of(store, "10.0.0.12")


def test_a_key_and_a_host_name_join_a_routed_device_that_moved() -> None:
    rows = []
    for ip, at in (("10.9.0.1", "+0s"), ("10.9.0.2", "+2d")):
        place = {"from": ip, "from_mac": None, "at": at}
        rows.append({"certificate": {"role": "client", "spki_sha256": "aa"}, "side": "initiator", **place})
        rows.append({"attribute": {"ntlm.workstation": "ws1" if at == "+0s" else "WS1"}, **HL7, **place})
    store = world(*rows)
    assert device_of(store, "10.9.0.1") == device_of(store, "10.9.0.2")
