"""Data sets: what is read of them in each encoding, about which subject, and that no patient is ever among it."""

from __future__ import annotations

import zlib

import pytest
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from parsers.core import Anomaly, LimitExceeded, Malformed
from parsers.dicom import elements
from parsers.dicom.charset import codec_of, text_of
from parsers.dicom.dataset import DEPTH_MAX, DataSet
from parsers.dicom.elements import MPPS, STORE, WORKLIST
from tests.parsers import _dicom as dicom

EQUIPMENT = {
    "dicom.via": ["C-STORE"],
    "dicom.sop_class_uid": [dicom.CT],
    "dicom.modality": ["CT"],
    "dicom.manufacturer": ["SIEMENS"],
    "dicom.institution_name": ["General Hospital"],
    "dicom.station_name": ["CTAWP1"],
    "dicom.model_name": ["SOMATOM"],
    "dicom.device_serial_number": ["4711"],
    "dicom.software_versions": ["VB20A", "VB20A-SP1"],
}
ENCODINGS = {
    "explicit": dicom.encoded,
    "implicit": lambda data_set: dicom.encoded(data_set, implicit=True),
    "big-endian": lambda data_set: dicom.encoded(data_set, big=True),
    "deflated": lambda data_set: deflated(dicom.encoded(data_set)),
}
# Every way in which the fragments of a message may lie in PDUs.
SIZES = [16382, 4096, 64, 8]


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def read(data: bytes, **values: object) -> dict[str, dict[str, list[str]]]:
    return dicom.described(dicom.facts((0, dicom.store(data, **values)), midstream=True))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("max_pdu", SIZES)
def test_equipment_is_read_in_every_encoding_and_fragmentation(encoding, max_pdu):
    data = ENCODINGS[encoding](dicom.equipment())
    extra = {"dicom.dataset_encoding": ["deflated"]} if encoding == "deflated" else {}
    assert read(data, max_pdu=max_pdu) == {"serial:SIEMENS|4711": EQUIPMENT | extra}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bulk_is_left_out(encoding):
    data = ENCODINGS[encoding](dicom.with_pixels(dicom.equipment(), 300_000))
    (told,) = read(data).values()
    assert told["dicom.device_serial_number"] == ["4711"]


def undefined(data_set: Dataset) -> Dataset:
    for element in data_set:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                undefined(item)
    return data_set


def nested(depth: int) -> Dataset:
    item = Dataset()
    item.DeviceSerialNumber, item.Manufacturer, item.PatientName = "CANARY-INNER", "CANARY-INNER", "CANARY"
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([item])
        item = outer
    return item


@pytest.mark.parametrize("encoding", ["explicit", "implicit", "big-endian"])
@pytest.mark.parametrize("define", [lambda data_set: data_set, undefined])
def test_sequences_are_walked_over(encoding, define):
    data_set = dicom.equipment()
    data_set.ReferencedImageSequence = nested(3).ReferencedImageSequence
    data_set.UDISequence = Sequence([Dataset(), Dataset()])
    for item, udi in zip(data_set.UDISequence, ("(01)00012345678905", "(01)9"), strict=True):
        item.UniqueDeviceIdentifier = udi
        item.DeviceDescription = "CANARY"
    (told,) = read(ENCODINGS[encoding](define(data_set))).values()
    assert told == EQUIPMENT | {"dicom.udi": ["(01)00012345678905", "(01)9"]}


def test_sequence_as_unknown_of_undefined_length_is_implicit_inside():
    inner = bytes.fromhex("080070000a000000") + b"CANARYMAKE"
    items = (
        bytes.fromhex("feff00e0ffffffff")
        + inner
        + bytes.fromhex("feff0de000000000")
        + bytes.fromhex("feffdde000000000")
    )
    unknown = bytes.fromhex("09001110") + b"UN\0\0" + b"\xff\xff\xff\xff" + items
    data = dicom.encoded(dicom.equipment())
    at = data.index(bytes.fromhex("10001000"))  # before (0010,0010)
    assert read(data[:at] + unknown + data[at:]) == {"serial:SIEMENS|4711": EQUIPMENT}


def test_nesting_is_bounded():
    data_set = dicom.equipment()
    data_set.ReferencedImageSequence = nested(DEPTH_MAX + 4).ReferencedImageSequence
    found = dicom.facts((0, dicom.store(dicom.encoded(undefined(data_set)))), midstream=True)
    assert [fact.code for fact in found if isinstance(fact, Anomaly)] == ["data_set_limit_exceeded"]
    assert "CANARY" not in repr(found)


def fed(data: bytes, plan=STORE, step: int = 100) -> DataSet:
    data_set = DataSet(plan.wanted)
    for piece in dicom.pieces(data, step):
        data_set.feed(piece)
    data_set.end()
    return data_set


def test_elements_and_bytes_are_bounded():
    many = b"".join(b"\x08\x00\x05\x00CS\x02\x00AB" for _ in range(5_000))
    assert isinstance(fed(many).problem, LimitExceeded)
    bomb = fed(
        deflated(dicom.encoded(dicom.equipment())[:60] + b"\x08\x00\x81\x00UT\0\0\xff\xff\xff\x0f" + bytes(1 << 24))
    )
    assert isinstance(bomb.problem, LimitExceeded)


def test_what_follows_a_deflated_stream_is_left_out():
    data_set = Dataset()
    data_set.Manufacturer = "SIEMENS"
    found = fed(deflated(dicom.encoded(data_set)) + bytes(100_000), step=50_000)
    assert (found.done, found.problem, found.found) == (True, None, {0x00080070: [b"SIEMENS "]})
    assert not found._inflate.unused_data[50_000:]


def test_elements_out_of_order_end_the_reading():
    data = dicom.encoded(dicom.equipment())
    at = data.index(bytes.fromhex("10001000"))
    broken = data[:at] + b"\x08\x00\x70\x00LO\x06\x00CANARY" + data[at:]
    assert isinstance(fed(broken).problem, Malformed)
    assert "CANARY" not in repr(fed(broken).found)


@pytest.mark.parametrize("junk", [b"\x1f\x8b\x08\0\0\0\0\0\0\0", bytes(64), b"\xff" * 64, b"DICMDICMDICMDICM" * 4])
def test_what_is_no_data_set_is_an_anomaly(junk):
    found = dicom.facts((0, dicom.store(junk)), midstream=True)
    assert [fact.code[:9] for fact in found if isinstance(fact, Anomaly)] == ["data_set_"]
    assert not dicom.described(found)


def test_deflated_that_cannot_be_read_is_said_so():
    context = dicom.build_context(dicom.CT, ["1.2.840.10008.1.2.1.99"])
    context.context_id, context.result = 3, 0
    found = dicom.facts(
        (0, dicom.associate(contexts=[context])),
        (1, dicom.associate(answer=True, contexts=[context])),
        (0, dicom.store(b"\x07" * 40)),
    )
    assert dicom.attributes(found)["dicom.dataset_encoding"] == ["deflated"]


# ---------------------------------------------------------------------- of whom it speaks


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"DeviceUID": "1.2.3"}, "device-uid:1.2.3"),
        ({}, "serial:SIEMENS|4711"),
        ({"DeviceSerialNumber": None}, "station:CTAWP1"),
        ({"DeviceSerialNumber": "", "StationName": None, "StationAETitle": "CT01"}, "ae-title:CT01"),
        ({"DeviceSerialNumber": None, "StationName": None}, "model:SIEMENS|SOMATOM"),
        ({"DeviceSerialNumber": "0"}, "serial:SIEMENS|0"),
    ],
)
def test_key_is_the_strongest_name(changes, key):
    assert list(read(dicom.encoded(dicom.equipment(**changes)))) == [key]


def test_modality_is_the_last_resort_and_nothing_is_nobody():
    data_set = Dataset()
    data_set.PatientName, data_set.Modality = "CANARY", "US"
    assert list(read(dicom.encoded(data_set))) == ["modality:US"]
    del data_set.Modality
    assert read(dicom.encoded(data_set)) == {}


def test_object_that_was_moved_says_so():
    told = read(
        dicom.encoded(dicom.equipment()), MoveOriginatorApplicationEntityTitle="VIEW3", MoveOriginatorMessageID=4
    )
    assert told["serial:SIEMENS|4711"]["dicom.via"] == ["C-STORE moved"]


def test_frame_grabber_is_a_thing_of_its_own():
    changes = {
        "SecondaryCaptureDeviceManufacturer": "GRAB", "SecondaryCaptureDeviceManufacturerModelName": "G1",
        "SecondaryCaptureDeviceSoftwareVersions": ["1", "2"],
    }  # fmt: skip
    told = read(dicom.encoded(dicom.equipment(**changes)))
    assert told["serial:SIEMENS|4711"] == EQUIPMENT
    assert told["secondary-capture:GRAB|G1"] == {
        "dicom.secondary_capture_manufacturer": ["GRAB"],
        "dicom.secondary_capture_model_name": ["G1"],
        "dicom.secondary_capture_software_versions": ["1", "2"],
    }


def test_contributing_equipment_is_never_merged():
    data_set = dicom.equipment()
    item = dicom.equipment(Manufacturer="ROUTERMAKER", DeviceSerialNumber="999")
    data_set.ContributingEquipmentSequence = Sequence([item])
    assert read(dicom.encoded(data_set)) == {"serial:SIEMENS|4711": EQUIPMENT}


def test_implants_are_not_read():
    assert read(dicom.encoded(dicom.equipment()), sop_class="1.2.840.10008.5.1.4.43.1") == {}


# ---------------------------------------------------------------------- other operations


def performed_step() -> Dataset:
    data_set = dicom.equipment(Manufacturer=None, DeviceSerialNumber=None, StationName=None, SOPClassUID=None)
    del data_set.SoftwareVersions, data_set.InstitutionName, data_set.ManufacturerModelName
    data_set.PerformedStationAETitle, data_set.PerformedStationName = "MR01", "MRAWP"
    data_set.PerformedLocation, data_set.PerformedProcedureStepDescription = "ROOM 2", "CANARY"
    data_set.PerformedProcedureStepStartDate = "20260102"
    data_set.ScheduledStepAttributesSequence = Sequence([nested(2)])
    return data_set


def test_performed_procedure_step_names_its_station():
    data = dicom.message(
        "N_CREATE_RQ", data=dicom.encoded(performed_step()), AffectedSOPClassUID="1.2.840.10008.3.1.2.3.3",
        AffectedSOPInstanceUID="1.2.3",
    )  # fmt: skip
    found = dicom.facts((0, data), midstream=True)
    assert dicom.described(found) == {
        "station:MRAWP": {
            "dicom.via": ["MPPS"],
            "dicom.modality": ["CT"],
            "dicom.performed_station_ae_title": ["MR01"],
            "dicom.performed_station_name": ["MRAWP"],
            "dicom.performed_station_location": ["ROOM 2"],
        }
    }
    assert "CANARY" not in repr(found)


def worklist_query(**step: str) -> bytes:
    data_set, item = Dataset(), Dataset()
    data_set.PatientName, data_set.AccessionNumber, data_set.Manufacturer = "CANARY*", "CANARY", "CANARY"
    for name, value in step.items():
        setattr(item, name, value)
    item.ScheduledPerformingPhysicianName = "CANARY"
    data_set.ScheduledProcedureStepSequence = Sequence([item])
    return dicom.message(
        "C_FIND_RQ",
        data=dicom.encoded(data_set, implicit=True),
        Priority=2,
        AffectedSOPClassUID="1.2.840.10008.5.1.4.31",
    )


def test_worklist_query_names_the_station_that_asks():
    found = dicom.facts((0, worklist_query(ScheduledStationAETitle="CT01", Modality="CT")), midstream=True)
    assert dicom.described(found) == {
        "ae-title:CT01": {
            "dicom.via": ["worklist"],
            "dicom.scheduled_station_ae_title": ["CT01"],
            "dicom.modality": ["CT"],
        }
    }
    assert "CANARY" not in repr(found)


@pytest.mark.parametrize("title", ["*", "CT0?", "CT01\\CT02", ""])
def test_wild_cards_name_no_station(title):
    found = dicom.facts((0, worklist_query(ScheduledStationAETitle=title)), midstream=True)
    assert dicom.described(found) == {}


@pytest.mark.parametrize("operation", ["C_FIND", "C_GET", "C_MOVE"])
def test_query_tells_its_level_only(operation):
    data_set = Dataset()
    data_set.QueryRetrieveLevel, data_set.PatientID, data_set.StudyInstanceUID = "STUDY", "CANARY", "1.2.3.99"
    more = {"MoveDestination": "VIEW3"} if operation == "C_MOVE" else {}
    data = dicom.message(
        f"{operation}_RQ", data=dicom.encoded(data_set), Priority=2, AffectedSOPClassUID="1.2.840.10008.5.1.4.1.2.2.1",
        **more,
    )  # fmt: skip
    found = dicom.facts((0, data), midstream=True)
    told = dicom.attributes(found)
    assert told["dicom.query_level"] == ["STUDY"]
    assert told.get("dicom.move_destination", ["VIEW3"]) == ["VIEW3"]
    assert "CANARY" not in repr(found)
    assert "1.2.3.99" not in repr(found)


def test_level_that_is_none_is_not_told():
    data_set = Dataset()
    data_set.add_new(0x00080052, "CS", "CANARY")
    data = dicom.message("C_FIND_RQ", data=dicom.encoded(data_set), Priority=2, AffectedSOPClassUID=dicom.CT)
    assert "dicom.query_level" not in dicom.attributes(dicom.facts((0, data), midstream=True))


def test_answers_to_queries_are_not_read():
    answer = dicom.message(
        "C_FIND_RSP", data=dicom.encoded(dicom.equipment()), Status=0xFF00, AffectedSOPClassUID="1.2.840.10008.5.1.4.31"
    )
    last = dicom.message("C_FIND_RSP", Status=0, AffectedSOPClassUID="1.2.840.10008.5.1.4.31")
    found = dicom.facts((1, answer * 3 + last), midstream=True)
    assert dicom.attributes(found) == {"dicom.status": ["C-FIND FF00"] * 3 + ["C-FIND 0000"]}


def test_printer_answers_for_itself():
    data = dicom.message(
        "N_GET_RSP", data=dicom.encoded(dicom.equipment(SOPClassUID=None)), Status=0,
        AffectedSOPClassUID="1.2.840.10008.5.1.1.16", AffectedSOPInstanceUID="1.2.840.10008.5.1.1.17",
    )  # fmt: skip
    (told,) = dicom.described(dicom.facts((1, data), midstream=True)).values()
    assert (told["dicom.via"], told["dicom.manufacturer"]) == (["printer"], ["SIEMENS"])


# ---------------------------------------------------------------------- character sets


@pytest.mark.parametrize(
    ("character_set", "text", "codec"),
    [
        ("ISO_IR 100", "Müller Gerät", "latin_1"),
        ("ISO_IR 192", "東京 医療", "utf_8"),
        ("\\ISO 2022 IR 87", "東京", "iso2022_jp"),
        ("ISO_IR 144", "Москва", "iso8859_5"),
        ("GB18030", "北京", "gb18030"),
    ],
)
def test_texts_are_in_their_character_set(character_set, text, codec):
    data_set = Dataset()
    data_set.add_new(0x00080005, "CS", character_set.split("\\"))
    data_set.add_new(0x00080060, "CS", "CT")
    data_set.add_new(0x00080070, "UN", text.encode(codec))
    (told,) = read(dicom.encoded(data_set)).values()
    assert told["dicom.manufacturer"] == [text]


def test_korean_and_unknown_sets_never_fail():
    assert text_of(b"\x1b$)C\xb1\xe8", codec_of(b"\\ISO 2022 IR 149")) == "김"
    assert text_of(b"GE \xff", codec_of(b"NO SUCH SET")) == "GE \N{REPLACEMENT CHARACTER}"


# ---------------------------------------------------------------------- no patient


# Written down a second time on purpose: a tag that is added to the parser's lists has to be added here too.
ALLOWED = {
    0x00080005, 0x00080055, 0x00080060, 0x00080070, 0x00080080, 0x00081010, 0x00081040, 0x00081090,
    0x00181000, 0x00181002, 0x00181003, 0x00181005, 0x00181008, 0x0018100B, 0x00181016, 0x00181018, 0x00181019,
    0x00181020, 0x00181200, 0x0018700A, 0x0018700C,
}  # fmt: skip
TEXT_VRS = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}


def canary_of(tag: int, vr: str) -> str:
    if vr in {"DS", "IS"}:
        return f"{910_000_000 + tag % 9_999_999}"
    if vr == "UI":
        return f"1.9.9.9.{tag}"
    return {"DA": "17770102", "TM": "131313", "DT": "17770102131313", "AS": "097Y"}.get(vr, f"CANARY{tag:08X}")


def everything() -> tuple[Dataset, set[str]]:
    """Every text element of the dictionary up to group 0040 with a canary, but for those that are read."""
    data_set, canaries = dicom.equipment(PatientName=None, PatientID=None), set()
    for tag, (vr, *_) in DicomDictionary.items():
        if vr not in TEXT_VRS or tag in ALLOWED or tag in data_set or not 0x00080000 < tag < 0x00420000:
            continue
        data_set.add_new(tag, "UN", canary_of(tag, vr).encode())
        canaries.add(canary_of(tag, vr))
    for tag in (0x00091001, 0x00111001, 0x00191010, 0x00211010):
        data_set.add_new(tag, "LO", f"CANARYPRIVATE{tag:08X}")
    return data_set, canaries | {"CANARY"}


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("plan", [STORE, MPPS, WORKLIST])
def test_no_other_element_of_the_dictionary_is_ever_copied(plan, implicit):
    data_set, canaries = everything()
    for tag in (0x00400241, 0x00400242, 0x00400243):
        del data_set[tag]  # MPPS reads these three
    assert len(canaries) > 500
    data_set.ReferencedImageSequence = Sequence([everything()[0]])
    found = fed(dicom.encoded(undefined(data_set), implicit=implicit), plan)
    kept = repr(found.found)
    assert found.problem is None
    assert [canary for canary in canaries if canary in kept] == []
    assert plan is WORKLIST or "4711" in kept


def test_images_of_one_series_are_worked_out_once():
    elements._facts_of.cache_clear()
    said = [
        (0, dicom.store(dicom.encoded(dicom.equipment(SOPInstanceUID=f"1.2.{n}", PatientName=f"DOE^{n}"))))
        for n in range(9)
    ]
    facts = dicom.facts(*said, midstream=True)
    assert elements._facts_of.cache_info().misses == 1
    serials = [fact for fact in facts if getattr(fact, "name", "") == "dicom.device_serial_number"]
    assert len(serials) == 9
    assert len({id(fact) for fact in serials}) == 1


@pytest.mark.parametrize("other", [{"StationName": "CTAWP2"}, {"SoftwareVersions": "VC10"}, {"Modality": "PT"}])
def test_images_of_another_machine_are_not_taken_for_the_same(other):
    said = [(0, dicom.store(dicom.encoded(dicom.equipment(**values)))) for values in ({}, other, {})]
    together = dicom.facts(*said, midstream=True)
    elements._facts_of.cache_clear()
    apart = [fact for one in said for fact in dicom.facts(one, midstream=True)]
    assert about_equipment(together) == about_equipment(apart)
    assert elements._facts_of.cache_info().misses == 2


def about_equipment(facts):
    return [fact for fact in facts if fact.subject.about != "side"]


def test_what_is_kept_of_data_sets_is_bounded():
    elements._facts_of.cache_clear()
    long = {
        "SoftwareVersions": ["x" * 63] * 15,
        "SecondaryCaptureDeviceSoftwareVersions": ["y" * 63] * 15,
        "DateOfLastCalibration": ["20260101"] * 100,
    }
    assert len(read(dicom.encoded(dicom.equipment(**long)))) == 1
    assert elements._facts_of.cache_info().currsize == 0
    assert elements._facts_of.cache_parameters()["maxsize"] == elements.MEMO_MAX
