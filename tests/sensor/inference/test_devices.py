"""Entity resolution and its pitfalls: what is one device, what is not, and why."""

from __future__ import annotations

import json

import pytest

from tests.sensor.inference.world import CT, DCMTK_UID, DICOM, SIEMENS_UID, device_of, devices, stores, world

MAC_A, MAC_B, MAC_R = "8c:ec:4b:00:00:0a", "8c:ec:4b:00:00:0b", "8c:ec:4b:00:00:ff"


def talk(ip: str, mac: str | None = MAC_A, **row) -> dict:
    return {"conversation": {}, "from": ip, "from_mac": mac, "to": "10.0.0.2", **row}


def test_a_new_lease_is_the_same_device() -> None:
    store = world(talk("10.0.0.11"), talk("10.0.0.12", at="+2d"))
    assert device_of(store, "10.0.0.11") == device_of(store, "10.0.0.12")


def test_an_address_that_moves_is_two_devices() -> None:
    store = world(talk("10.0.0.11"), talk("10.0.0.11", MAC_B, at="+2d"))
    found = store.execute("SELECT DISTINCT device_id FROM device_endpoint WHERE ip = '10.0.0.11'").fetchall()
    assert len(found) == 2


def test_a_router_is_not_its_hosts() -> None:
    store = world(*(talk(f"10.0.{net}.11", MAC_R) for net in range(4, 9)))
    assert len({device_of(store, f"10.0.{net}.11") for net in range(4, 9)}) == 5


@pytest.mark.parametrize(("count", "expected"), [(3, 1), (4, 4)])
def test_many_addresses_of_one_network_are_a_router(count: int, expected: int) -> None:
    store = world(*(talk(f"10.0.4.{host}", MAC_R) for host in range(11, 11 + count)))
    assert len({device_of(store, f"10.0.4.{host}") for host in range(11, 11 + count)}) == expected


def test_two_networks_behind_one_address_on_one_day_are_a_router() -> None:
    store = world(talk("10.0.4.11", MAC_R), talk("10.0.5.11", MAC_R))
    assert device_of(store, "10.0.4.11") != device_of(store, "10.0.5.11")
    reasons = [
        row[0] for row in store.execute("SELECT reason FROM device_endpoint WHERE mac = $m", {"m": MAC_R}).fetchall()
    ]
    assert all("a router's" in reason for reason in reasons)


def test_a_router_seen_from_both_sides_is_a_device_of_its_own_and_none_of_its_hosts() -> None:
    sides = [talk(ip, mac) for ip, own in (("10.0.4.11", MAC_A), ("10.0.4.12", MAC_B)) for mac in (own, MAC_R)]
    assert {
        frozenset({MAC_R}),
        frozenset({f"{MAC_A} 10.0.4.11", f"{MAC_R} 10.0.4.11"}),
        frozenset({f"{MAC_B} 10.0.4.12", f"{MAC_R} 10.0.4.12"}),
    } <= devices(world(*sides))


def test_addresses_that_move_on_are_no_rivals() -> None:
    moved = [talk("10.0.4.11", MAC_A), talk("10.0.4.12", MAC_B)]
    store = world(*moved, talk("10.0.4.11", MAC_R, at="+2h"), talk("10.0.4.12", MAC_R, at="+3h"))
    assert frozenset({f"{MAC_R} 10.0.4.11", f"{MAC_R} 10.0.4.12"}) in devices(store)


def test_a_spare_that_holds_the_addresses_of_one_machine_is_no_router() -> None:
    pair = [talk(ip, mac) for ip in ("10.0.4.11", "10.0.4.12") for mac in (MAC_A, MAC_R)]
    assert frozenset({f"{MAC_R} 10.0.4.11", f"{MAC_R} 10.0.4.12"}) in devices(world(*pair))


def test_a_device_is_not_called_by_the_address_of_nobody() -> None:
    asks = {"conversation": {}, "from": "0.0.0.0", "from_mac": MAC_A, "to": "255.255.255.255"}
    store = world(asks, talk("10.0.4.11", MAC_A))
    assert ("10.0.4.11",) in store.execute("SELECT label FROM device").fetchall()
    store = world({**asks, "from_mac": MAC_B})
    assert (MAC_B,) in store.execute("SELECT label FROM device").fetchall()


def test_an_off_site_address_shows_the_router() -> None:
    store = world(talk("192.0.2.7", MAC_R), talk("10.0.0.12", MAC_R))
    assert device_of(store, "192.0.2.7") != device_of(store, "10.0.0.12")


def test_a_routed_host_is_found_again_on_its_own_link() -> None:
    behind = [talk(f"10.0.{net}.11", MAC_R) for net in range(4, 9)]
    store = world(*behind, talk("10.0.4.11", MAC_A, at="+1h"))
    assert frozenset({f"{MAC_R} 10.0.4.11", f"{MAC_A} 10.0.4.11"}) in devices(store)


@pytest.mark.parametrize(
    ("mac", "why"),
    [
        ("00:00:5e:00:01:0a", "VRRP"),
        ("00:00:0c:07:ac:01", "HSRP"),
        ("00:00:0c:9f:f0:01", "HSRP"),
        ("02:bf:0a:00:00:01", "load balancing"),
        ("da:a1:19:00:00:01", "random"),
    ],
)
def test_addresses_that_are_no_ones_own(mac: str, why: str) -> None:
    store = world(talk("10.0.0.11", mac), talk("10.0.0.12", mac))
    assert device_of(store, "10.0.0.11") != device_of(store, "10.0.0.12")
    reasons = store.execute("SELECT DISTINCT reason FROM device_endpoint WHERE mac = $m", {"m": mac}).fetchall()
    assert reasons
    assert all(why in reason for (reason,) in reasons)


def test_a_virtual_machines_fixed_address_is_its_own() -> None:
    store = world(talk("10.0.0.11", "52:54:00:12:34:56"), talk("10.0.0.12", "52:54:00:12:34:56", at="+2d"))
    assert device_of(store, "10.0.0.11") == device_of(store, "10.0.0.12")


def test_groups_and_broadcasts_are_no_devices() -> None:
    store = world(
        talk("10.0.0.11", to="255.255.255.255", to_mac="ff:ff:ff:ff:ff:ff"),
        talk("10.0.0.11", to="224.0.0.251", to_mac="01:00:5e:00:00:fb"),
        talk("10.0.0.11", to="10.0.0.255", to_mac="ff:ff:ff:ff:ff:ff"),
    )
    assert devices(store) == {frozenset({f"{MAC_A} 10.0.0.11"})}


@pytest.mark.parametrize("mac", [None, "00:00:00:00:00:00"])
@pytest.mark.parametrize("ip", ["127.0.0.1", "fe80::1", "169.254.3.4"])
def test_a_capture_of_a_loopback_interface_has_a_device(ip: str, mac: str | None) -> None:
    store = world({"conversation": {}, "from": ip, "to": ip, "from_mac": mac, "to_mac": mac})
    assert device_of(store, ip)


def test_one_address_in_two_scopes_is_two_devices() -> None:
    store = world(talk("10.0.0.11", MAC_A, scope="north"), talk("10.0.0.11", MAC_B, scope="south"))
    assert device_of(store, "10.0.0.11", "north") != device_of(store, "10.0.0.11", "south")


def test_an_ipv6_address_shows_the_mac_inside() -> None:
    store = world(
        talk("10.0.0.11", "8c:ec:4b:00:00:0a"),
        talk("fd00::8eec:4bff:fe00:a", MAC_R),
        *(talk(f"10.0.{net}.9", MAC_R) for net in range(4, 9)),
    )
    assert device_of(store, "fd00::8eec:4bff:fe00:a") == device_of(store, "10.0.0.11")


def test_without_mac_addresses_ip_addresses_stand() -> None:
    store = world(talk("10.0.0.11", None), talk("10.0.0.12", None))
    assert device_of(store, "10.0.0.11") != device_of(store, "10.0.0.12")


def test_a_shared_key_is_a_finding_and_no_merge() -> None:
    key = {"certificate": {"spki_sha256": "aa"}}
    store = world({**key, "to": "10.0.0.2"}, {**key, "to": "10.0.0.3"})
    assert device_of(store, "10.0.0.2") != device_of(store, "10.0.0.3")


def proofs(ip: str, *, at: str = "+0s", mac: str | None = None, title: str = "CT01") -> list[dict]:
    place = {"from": ip, "from_mac": mac, "at": at}
    return [
        {"certificate": {"role": "client", "spki_sha256": "aa"}, "side": "initiator", **place},
        {"attribute": {"dicom.calling_ae_title": title}, **place, **DICOM},
    ]


def test_key_and_title_join_a_routed_device_that_changed_its_address() -> None:
    store = world(*proofs("10.9.0.1"), *proofs("10.9.0.2", at="+2d"))
    assert device_of(store, "10.9.0.1") == device_of(store, "10.9.0.2")
    (why,) = store.execute(
        "SELECT why FROM device WHERE device_id = $d", {"d": device_of(store, "10.9.0.1")}
    ).fetchone()
    assert "never in use at the same time" in why


def test_key_and_title_at_the_same_time_are_a_copy() -> None:
    store = world(*proofs("10.9.0.1"), *proofs("10.9.0.2"))
    assert device_of(store, "10.9.0.1") != device_of(store, "10.9.0.2")


def test_key_and_a_default_title_prove_too_little() -> None:
    store = world(*proofs("10.9.0.1", title="STORESCU"), *proofs("10.9.0.2", at="+2d", title="STORESCU"))
    assert device_of(store, "10.9.0.1") != device_of(store, "10.9.0.2")


def test_key_and_title_do_not_join_two_network_cards() -> None:
    store = world(*proofs("10.0.0.11", mac=MAC_A), *proofs("10.0.0.12", mac=MAC_B, at="+2d"))
    assert device_of(store, "10.0.0.11") != device_of(store, "10.0.0.12")


def test_key_and_serial_join_two_network_cards_of_one_modality() -> None:
    rows = [row for ip in ("10.0.0.11", "10.0.0.12") for row in stores(ip, uid=SIEMENS_UID)]
    rows += [
        {"certificate": {"role": "client", "spki_sha256": "aa"}, "side": "initiator", "from": ip}
        for ip in ("10.0.0.11", "10.0.0.12")
    ]
    store = world(*rows)
    assert device_of(store, "10.0.0.11") == device_of(store, "10.0.0.12")


# --- whose identity is it? ---


def described(store) -> set[str]:
    return {row[0] for row in store.execute("SELECT serial FROM device WHERE described").fetchall()}


def serial_of(store, ip: str) -> str | None:
    return store.execute("SELECT serial FROM device WHERE device_id = $d", {"d": device_of(store, ip)}).fetchone()[0]


def test_a_stack_of_the_same_maker_speaks_of_itself() -> None:
    store = world(*stores("10.0.0.11", uid=SIEMENS_UID))
    assert serial_of(store, "10.0.0.11") == "INV73019"
    assert described(store) == set()


def test_a_serial_that_two_claim_is_neithers() -> None:
    store = world(*stores("10.0.0.11", uid=SIEMENS_UID), *stores("10.0.0.12", uid=SIEMENS_UID))
    assert device_of(store, "10.0.0.11") != device_of(store, "10.0.0.12")
    assert described(store) == {"INV73019"}


def test_two_serials_under_ones_own_title_bind_neither() -> None:
    title = {"attribute": {"dicom.calling_ae_title": "CT01"}, "from": "10.0.0.11", **DICOM}
    own = [
        {
            "attribute": {"dicom.station_ae_title": "CT01"},
            "about": f"serial:SIEMENS|{serial}",
            "at": at,
            **title_place(),
        }
        for serial, at in (("OLD1", "+0s"), ("NEW1", "+9d"))
    ]
    store = world(
        title, *stores("10.0.0.11", "serial:SIEMENS|OLD1"), *stores("10.0.0.11", "serial:SIEMENS|NEW1", at="+9d"), *own
    )
    assert described(store) == {"OLD1", "NEW1"}


def title_place() -> dict:
    return {"from": "10.0.0.11", **DICOM}


def test_a_toolkits_stack_does_not() -> None:
    store = world(*stores("10.0.0.11", uid=DCMTK_UID))
    assert serial_of(store, "10.0.0.11") is None
    assert described(store) == {"INV73019"}


def test_its_own_station_title_is_enough() -> None:
    store = world(
        *stores("10.0.0.11"),
        {"attribute": {"dicom.calling_ae_title": "CT01"}, "from": "10.0.0.11", **DICOM},
        {"attribute": {"dicom.performed_station_ae_title": "CT01"}, "about": CT, "from": "10.0.0.11", **DICOM},
    )
    assert serial_of(store, "10.0.0.11") == "INV73019"


def test_a_gateway_is_none_of_the_devices_it_sends_for() -> None:
    rows = [
        row for n in range(3) for row in stores("10.0.0.11", f"serial:SIEMENS|INV{n}00", uid=SIEMENS_UID, at=f"+{n}h")
    ]
    store = world(*rows)
    assert serial_of(store, "10.0.0.11") is None
    assert described(store) == {"INV000", "INV100", "INV200"}
    why = json.loads(
        store.execute("SELECT why FROM device WHERE NOT described AND why LIKE '%forwards%'").fetchone()[0]
    )
    assert "3 serial numbers" in why["forwards"]


def test_a_new_serial_after_a_day_is_no_gateway_but_binds_neither() -> None:
    store = world(
        *stores("10.0.0.11", "serial:SIEMENS|OLD1", uid=SIEMENS_UID),
        *stores("10.0.0.11", "serial:SIEMENS|NEW1", uid=SIEMENS_UID, at="+9d"),
    )
    assert serial_of(store, "10.0.0.11") is None
    assert described(store) == {"OLD1", "NEW1"}


def test_what_is_sent_on_behalf_of_others_never_binds() -> None:
    store = world(*stores("10.0.0.11", uid=SIEMENS_UID, via="C-STORE moved"))
    assert serial_of(store, "10.0.0.11") is None


@pytest.mark.parametrize(("title", "bound"), [("CT01", True), ("CT02", False)])
def test_who_asks_for_its_own_worklist(title: str, bound: bool) -> None:
    asked = {
        "attribute": {"dicom.scheduled_station_ae_title": title, "dicom.via": "worklist"},
        "about": f"ae-title:{title}",
    }
    store = world(
        {**asked, "from": "10.0.0.11", **DICOM},
        {"attribute": {"dicom.calling_ae_title": "CT01"}, "from": "10.0.0.11", **DICOM},
    )
    assert (store.execute("SELECT count(*) FROM device WHERE described").fetchone()[0] == 0) is bound


def test_a_device_uid_and_the_serial_told_with_it_are_one_device() -> None:
    uid = "device-uid:1.2.3"
    store = world(*stores("10.0.0.30"), *stores("10.0.0.30", uid))
    assert described(store) == {"INV73019"}
    assert store.execute("SELECT count(*) FROM device WHERE described").fetchone()[0] == 1


def test_a_device_uid_with_two_serials_joins_nothing() -> None:
    rows = [stores("10.0.0.30", "serial:SIEMENS|A11"), stores("10.0.0.31", "serial:SIEMENS|B22")]
    told = [{"dicom.manufacturer": "SIEMENS", "dicom.device_serial_number": serial} for serial in ("A11", "B22")]
    uids = [
        {"attribute": said, "about": "device-uid:1.2.3", "from": f"10.0.0.3{n}", **DICOM} for n, said in enumerate(told)
    ]
    store = world(*(row for part in rows for row in part), *uids)
    assert store.execute("SELECT count(*) FROM device WHERE described").fetchone()[0] == 3


def test_a_printer_describes_itself() -> None:
    store = world(*stores("10.0.0.11", via="printer"))
    assert serial_of(store, "10.0.0.11") == "INV73019"


@pytest.mark.parametrize("serial", ["0000", "1", "UNKNOWN", "NotSpecified", "123456789", "000-000"])
def test_junk_serials_join_nothing(serial: str) -> None:
    about = f"serial:SIEMENS|{serial}"
    store = world(*stores("10.0.0.11", about), *stores("10.0.0.12", about))
    assert store.execute("SELECT count(*) FROM device WHERE described").fetchone()[0] == 2


def test_one_serial_by_two_spellings_of_the_maker_is_one_device() -> None:
    store = world(
        *stores("10.0.0.11", "serial:SIEMENS|INV73019"), *stores("10.0.0.12", "serial:Siemens Healthineers|INV73019")
    )
    assert store.execute("SELECT count(*) FROM device WHERE described").fetchone()[0] == 1


def test_a_card_of_the_same_maker_counts_unless_it_keeps_objects() -> None:
    card = {"from_mac": "88:4b:39:10:20:31"}
    assert serial_of(world(*stores("10.0.0.11", **card)), "10.0.0.11") == "INV73019"
    keeps = {"attribute": {"dicom.operation": "C-STORE"}, "from": "10.0.0.30", "to": "10.0.0.11", **DICOM}
    store = world(*stores("10.0.0.11", **card), {**keeps, "to_mac": card["from_mac"]})
    assert serial_of(store, "10.0.0.11") is None


# --- what it is ---


def said(store, ip: str, name: str) -> dict[str, bool]:
    return dict(
        store.execute(
            "SELECT value, chosen FROM device_attribute WHERE device_id = $d AND name = $n",
            {"d": device_of(store, ip), "n": name},
        ).fetchall()
    )


def test_conflicting_evidence_is_kept_and_the_verdict_says_why() -> None:
    store = world(*stores("10.0.0.11", uid="1.2.840.113619.6.284"), *stores("10.0.0.11", via="printer"))
    assert said(store, "10.0.0.11", "vendor") == {
        "Siemens Healthineers": True,
        "GE HealthCare": False,
        "Dell Inc.": False,
    }
    why = json.loads(store.execute("SELECT why FROM device WHERE serial IS NOT NULL").fetchone()[0])
    assert why["vendor"]["source"] == "dicom.manufacturer"
    assert {rival["value"] for rival in why["vendor"]["against"]} == {"GE HealthCare", "Dell Inc."}


def test_a_virtual_machine_has_a_platform_and_no_maker() -> None:
    store = world({"conversation": {}, "from_mac": "00:50:56:00:00:01"})
    assert said(store, "10.0.0.11", "platform") == {"VMware virtual machine": True}
    assert said(store, "10.0.0.11", "vendor") == {}


def test_a_certificate_names_its_device_unless_others_show_it() -> None:
    store = world({"certificate": {"common_name": "ct1.hospital.example", "organization": "Siemens Healthcare GmbH"}})
    assert said(store, "10.0.0.2", "name") == {"ct1.hospital.example": True}
    assert said(store, "10.0.0.2", "vendor")["Siemens Healthineers"] is True
    row = {"certificate": {"common_name": "ct1.hospital.example"}}
    assert said(world(row, {**row, "to": "10.0.0.3"}), "10.0.0.2", "name") == {}


def test_who_told_of_a_described_device_is_kept() -> None:
    store = world(*stores("10.0.0.30"))
    via = store.execute("SELECT value FROM device_attribute WHERE name = 'seen_via'").fetchall()
    assert via == [(device_of(store, "10.0.0.30"),)]
