"""Equipment that messages describe: whose it is, its EUI-64 and MAC address, and whose is not told."""

from __future__ import annotations

import pytest

from parsers.core import Attribute
from parsers.hl7.equipment import mac_of
from tests.parsers._hl7 import framed, header, read, subjects, values

MONITOR = "0009FBFFFF9B42B3"


def obx(code: str = "150456^MDC_PULS_OXIM_SAT_O2^MDC", instance: str = "", method: str = "", value: str = "98") -> str:
    return (
        f"OBX|1|NM|{code}|1.0.0.1|{value}|262688^MDC_DIM_PERCENT^MDC|||||R|||20261125||X^NURSE|{method}|{instance}|\r"
    )


def message(*segments: str, kind: str = "ORU^R01", profile: str = "") -> bytes:
    head = header("GW", "WARD", "EMR", "HOSP", "", "", kind)
    if profile:
        head = head[:-1] + b"|" * 9 + profile.encode() + b"\r"
    return head + "".join(segments).encode()


@pytest.mark.parametrize(
    ("instance", "key", "text"),
    [
        (f"{MONITOR}^^^EUI-64", "eui64:0009fbffff9b42b3", f"{MONITOR}^^^EUI-64"),
        (f"MON1^PIC^{MONITOR}^EUI-64", "eui64:0009fbffff9b42b3", None),
        (f"{MONITOR}^EUI-64", "eui64:0009fbffff9b42b3", None),
        ("00-09-FB-FF-FF-9B-42-B3^^^EUI-64", "eui64:0009fbffff9b42b3", None),
        ("080019FFFE1A2B3CXYZ^B40_GE", "eui64:080019fffe1a2b3c", None),
        ("080019FFFE1A2B3CXYZ^B40_GE^080019FFFE1A2B3C^EUI-64", "eui64:080019fffe1a2b3c", None),
        (f"{MONITOR}", f"equipment:|{MONITOR}", None),
        ("4711^LAB^1.2.3^ISO", "equipment:LAB|4711", None),
        ("^^1.2.3^ISO", "equipment:1.2.3|1.2.3", None),
        ("^Module A1^^700231", "equipment:Module A1|700231", None),
        ("a0c1-IntelliVue MX500 - 866064", "equipment:|a0c1-IntelliVue MX500 - 866064", None),
        (r"A\T\B^N\S\S", "equipment:N^S|A&B", r"A&B^N^S"),
    ],
)
def test_obx_18(instance: str, key: str, text: str | None) -> None:
    facts = read(framed(message(obx(instance=instance))))
    assert subjects(facts) == [key]
    assert values(facts, "equipment_instance_identifier", key) == [text or instance]


@pytest.mark.parametrize(
    ("eui64", "mac"),
    [
        ("0009fbffff9b42b3", "00:09:fb:9b:42:b3"),
        ("080019fffe1a2b3c", "08:00:19:1a:2b:3c"),
        ("0009fb12349b42b3", ""),
        ("0109fbfffe9b42b3", ""),  # a group address is no card's
        ("000000fffe000000", ""),
    ],
)
def test_both_fillers(eui64: str, mac: str) -> None:
    assert mac_of(eui64) == mac
    facts = read(framed(message(obx(instance=f"{eui64.upper()}^^^EUI-64"))))
    assert values(facts, "eui64") == [eui64]
    assert values(facts, "mac_address") == ([mac] if mac else [])


def test_repeated_instances_are_things_of_their_own() -> None:
    facts = read(framed(message(obx("69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC", f"{MONITOR}^^^EUI-64~RACK^LAB"))))
    assert subjects(facts) == ["equipment:LAB|RACK", "eui64:0009fbffff9b42b3"]
    assert values(facts, "device_code", "eui64:0009fbffff9b42b3") == ["69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS"]


def test_a_bare_text_beside_an_eui64_names_the_same_monitor() -> None:
    text = "a0c1-IntelliVue MX500 - 866064"
    facts = read(framed(message(obx(instance=f"{text}~{MONITOR}^^^EUI-64"))))
    assert subjects(facts) == ["eui64:0009fbffff9b42b3"]
    assert values(facts, "equipment_instance_identifier") == [text, f"{MONITOR}^^^EUI-64"]


def test_a_type_that_is_only_written_out() -> None:
    segment = PRT.format(device=f"{MONITOR}^^^EUI-64", udi="", serial="", kind="^^^^^^^^BeneVision N22")
    assert values(read(framed(message(segment))), "device_type") == ["BeneVision N22"]


@pytest.mark.parametrize(
    "code", ["70666^MDC_DEV_ECG_VMD^MDC", "69986^MDC_DEV_PUMP_INFUS_VMD", "1^MDC_DEV_PUMP_CHAN^MDC"]
)
def test_codes_of_devices(code: str) -> None:
    facts = read(framed(message(obx(code, "A^B", "AUTO^Automatic^99X"))))
    assert values(facts, "device_code") == ["^".join(code.split("^")[:2])]
    assert values(facts, "observation_method") == ["AUTO^Automatic^99X"]


@pytest.mark.parametrize("code", ["8867-4^Heart rate^LN", "GLU^Glucose MDS^L", "150456^MDC_PULS_OXIM_SAT_O2^MDC"])
def test_other_codes_are_not_told(code: str) -> None:
    assert values(read(framed(message(obx(code, "A^B")))), "device_code") == []


def test_obr_3_only_as_eui64() -> None:
    device = "OBR|1|ORDER1|080019FFFE3ED02D20110602045842^B40_GE^080019FFFE3ED02D^EUI-64|X\r"
    order = "OBR|1|ORDER1|CANARY123^LAB|X\r"
    told = read(framed(message(device, obx("69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"))))
    assert subjects(told) == ["eui64:080019fffe3ed02d"]
    assert values(told, "device_code") == ["69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS"]
    assert values(told, "equipment_instance_identifier") == []
    assert subjects(read(framed(message(order, obx())))) == []


def test_a_request_ends_what_the_last_one_named() -> None:
    device, order = f"OBR|1||{MONITOR}^^^EUI-64|X\r", "OBR|2||A^LAB|X\r"
    facts = read(framed(message(device, order, obx("69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"))))
    assert values(facts, "device_code") == []


PRT = "PRT|1|UC||EQUIP|CANARY^NURSE^^^^^^L|||||{device}||||||{udi}|2026|2030|LOT7|{serial}|CANARYDONATION|{kind}\r"


@pytest.mark.parametrize(
    ("device", "udi", "serial", "key"),
    [
        ("DEV1^PUMPS", "00844588003288^GS1", "SN123", "serial:|SN123"),
        (f"{MONITOR}^^^EUI-64", "00844588003288", "", "eui64:0009fbffff9b42b3"),
        ("DEV1^PUMPS", "00844588003288", "", "udi:00844588003288"),
        ("DEV1^PUMPS", "", "", "equipment:PUMPS|DEV1"),
        ("", "", "SN123", "serial:|SN123"),
    ],
)
def test_participating_devices(device: str, udi: str, serial: str, key: str) -> None:
    segment = PRT.format(device=device, udi=udi, serial=serial, kind="INFPUMP^Pump^99B")
    facts = read(framed(message(segment, kind="RGV^O15")))
    assert subjects(facts) == [key]
    assert values(facts, "device_type", key) == ["INFPUMP^Pump^99B"]
    assert values(facts, "device_lot_number", key) == ["LOT7"]
    assert values(facts, "device_serial_number", key) == ([serial] if serial else [])
    assert values(facts, "udi_device_identifier", key) == ([udi.partition("^")[0]] if udi else [])


def test_participating_persons_are_nobody() -> None:
    facts = read(framed(message("PRT|1|UC||AP|CANARY^NURSE||||||||||||||||||\r")))
    assert subjects(facts) == []


def test_laboratory_automation() -> None:
    equ = "EQU|ANALYZER1^LAB|20261125101010|OP^Operating^HL70365|R|N\r"
    inv = "INV|GLU^Glucose|OK|RC|1|2||10||||||20270101||||REAGENT MAKER^x^y|\r"
    facts = read(framed(message(equ, inv.replace("||||REAGENT", "||REAGENT"), kind="INU^U05")))
    key = "equipment:LAB|ANALYZER1"
    assert subjects(facts) == [key]
    assert values(facts, "equipment_state", key) == ["OP^Operating^HL70365"]
    facts = read(framed(message(equ, "INV" + "|" * 17 + "REAGENT MAKER^x\r", kind="INU^U05")))
    assert values(facts, "reagent_manufacturer", key) == ["REAGENT MAKER^x"]


def test_the_senders_own_eui64() -> None:
    facts = read(framed(header(f"MINDRAY_^{MONITOR}^EUI-64", "MINDRAY", "", "", "", "", "QBP^Q22")))
    assert subjects(facts) == ["eui64:0009fbffff9b42b3"]
    assert values(facts, "mac_address") == ["00:09:fb:9b:42:b3"]
    assert values(facts, "sending_application", "side") == [f"MINDRAY_^{MONITOR}^EUI-64"]


def test_software() -> None:
    sft = "SFT|ACME Corp^L^^^^X|4.2.1|WardLink|B77|CANARY|20260101\r"
    facts = read(framed(message(sft, kind="ADT^A01")))
    assert values(facts, "software_vendor_organization", "side") == ["ACME Corp"]
    assert values(facts, "software_version", "side") == ["4.2.1"]
    assert values(facts, "software_product_name", "side") == ["WardLink"]
    assert values(facts, "software_binary_id", "side") == ["B77"]


EVERYTHING = (
    f"OBR|1||{MONITOR}^^^EUI-64|X\r",
    obx("69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC", f"{MONITOR}^^^EUI-64"),
    PRT.format(device="DEV^P", udi="0084", serial="SN1", kind="K"),
    "EQU|A^L|20261125|OP\r",
)


@pytest.mark.parametrize("kind", ["ADT^A01", "ORM^O01", "SIU^S12", "MDM^T02", "VXU^V04", "BAR^P01", "ACK"])
def test_messages_about_patients_describe_nothing(kind: str) -> None:
    """An implant's serial number is the patient's."""
    assert subjects(read(framed(message(*EVERYTHING, kind=kind)))) == []


@pytest.mark.parametrize("profile", ["IHE_PCD_IDCO_001^IHE PCD", "X^Y^1.3.6.1.4.1.19376.1.6.1.9.1^ISO"])
def test_implants_by_profile(profile: str) -> None:
    assert subjects(read(framed(message(*EVERYTHING, profile=profile)))) == []


@pytest.mark.parametrize(
    "code",
    [
        "720897^MDC_IDC_DEV_TYPE^MDC",
        "MDC_IDC_DEV_SERIAL_NUMBER",
        "720900",
        "528388^MDC_DEV_SPEC_PROFILE_PULS_OXIM^MDC",
        "531981^MDC_MOC_VMS_MDS_AHD^MDC",
    ],
)
def test_implants_and_devices_at_home_by_code(code: str) -> None:
    facts = read(framed(message(obx(code, "IMPLANT1^ACME"), *EVERYTHING[1:])))
    assert subjects(facts) == []
    again = framed(message(obx(code, "IMPLANT1^ACME"), *EVERYTHING[1:]))
    assert subjects(read(again + again)) == []


def test_the_next_message_describes_again() -> None:
    personal = framed(message(obx("720897^MDC_IDC_DEV_TYPE^MDC", "IMPLANT1^ACME")))
    assert subjects(read(personal + framed(message(obx(instance="A^B"))))) == ["equipment:B|A"]


def test_names_of_segments() -> None:
    facts = read(
        framed(message("PID|1\r", "ZPI|CANARY\r", "ZQQ|2\r", "XYZ|3\r", "PV1\r", "not a segment\r", "pid|1\r"))
    )
    assert sorted(values(facts, "segment")) == ["PID", "PV1", "Z"]


def test_what_repeats_is_told_once() -> None:
    facts = read(framed(message(*[obx(instance=f"{MONITOR}^^^EUI-64")] * 40)) * 20)
    told = [fact for fact in facts if isinstance(fact, Attribute)]
    assert len(told) == len(set(told))
