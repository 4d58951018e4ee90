"""A long association is read to its last object, and hardly any of its bytes are copied."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.dimse_messages import C_STORE_RQ, C_STORE_RSP
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import A_ASSOCIATE, ImplementationClassUIDNotification, MaximumLengthNotification

from parsers.core import Registry
from sensor.dispatch import Dispatcher
from sensor.engine import NEED, Engine
from sensor.sighting import Said, Sighting
from sensor.site import Site
from sensor.sitekey import SiteKey

OBJECTS = 1_000
PIXEL_BYTES = 524_288
SEGMENT_BYTES = 1_448
_HEADER = struct.Struct("<IIII")


class Wire:
    """Segments of one TCP connection as records of a pcap file."""

    def __init__(self) -> None:
        self.seq = [1_000, 5_000]
        self.us = 0

    def send(self, lane: int, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), SEGMENT_BYTES):
            yield self.segment(lane, data[at : at + SEGMENT_BYTES], 0x18)

    def segment(self, lane: int, data: bytes, flags: int) -> bytes:
        self.us += 20
        ports = (50_000, 104) if lane == 0 else (104, 50_000)
        ips = (b"\x0a\x14\x04\x0b", b"\x0a\x14\x01\x0a")
        tcp = struct.pack(">HHIIBBHHH", *ports, self.seq[lane], self.seq[1 - lane], 0x50, flags, 65_535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, ips[lane], ips[1 - lane])
        frame = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + tcp + data
        self.seq[lane] = (self.seq[lane] + len(data) + (flags & 2 > 0)) & 0xFFFFFFFF
        return _HEADER.pack(self.us // 1_000_000, self.us % 1_000_000, len(frame), len(frame)) + frame


def association() -> tuple[bytes, bytes]:
    """A-ASSOCIATE-RQ and -AC for CT images, encoded by pynetdicom."""
    ae = AE(ae_title="CT01")
    ae.add_requested_context(CTImageStorage, ImplicitVRLittleEndian)
    request = A_ASSOCIATE()
    request.application_context_name = "1.2.840.10008.3.1.1.1"
    request.calling_ae_title, request.called_ae_title = "CT01", "ARCHIVE"
    contexts = ae.requested_contexts
    contexts[0].context_id = 1
    request.presentation_context_definition_list = contexts
    length, uid = MaximumLengthNotification(), ImplementationClassUIDNotification()
    length.maximum_length_received, uid.implementation_class_uid = 16_384, "1.2.826.0.1.3680043.9.3811.3"
    request.user_information = [length, uid]
    rq = A_ASSOCIATE_RQ()
    rq.from_primitive(request)
    contexts[0].result = 0
    request.presentation_context_definition_results_list = contexts
    request.result = 0
    ac = A_ASSOCIATE_AC()
    ac.from_primitive(request)
    return rq.encode(), ac.encode()


def pdus(message: C_STORE_RQ | C_STORE_RSP, primitive: C_STORE) -> bytes:
    message.primitive_to_message(primitive)
    out = []
    for data in message.encode_msg(1, 16_384):
        pdu = P_DATA_TF()
        pdu.from_primitive(data)
        out.append(pdu.encode())
    return b"".join(out)


def store(number: int) -> tuple[bytes, bytes]:
    """C-STORE-RQ of one object and its answer; every hundredth object is of another machine."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, f"1.2.3.{number}"
    image.Modality, image.Manufacturer, image.ManufacturerModelName = "CT", "INVENTED", "Model"
    image.PatientName = "CANARY^PATIENT"
    image.DeviceSerialNumber = f"SN{number // 100}"
    image.SoftwareVersions = "V1"
    image.StudyInstanceUID = "1.2.3"
    image.Rows, image.Columns, image.SamplesPerPixel, image.PixelRepresentation = 512, 512, 1, 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.PixelData = b"\0" * PIXEL_BYTES
    request = C_STORE()
    request.MessageID, request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = (
        number % 65_535,
        CTImageStorage,
        f"1.2.3.{number}",
    )
    request.Priority = 2
    request.DataSet = io.BytesIO(encode(image, is_implicit_vr=True, is_little_endian=True))
    answer = C_STORE()
    answer.MessageIDBeingRespondedTo, answer.AffectedSOPClassUID = number % 65_535, CTImageStorage
    answer.AffectedSOPInstanceUID, answer.Status = f"1.2.3.{number}", 0
    return pdus(C_STORE_RQ(), request), pdus(C_STORE_RSP(), answer)


def records() -> Iterator[bytes]:
    wire = Wire()
    yield wire.segment(0, b"", 0x02)
    yield wire.segment(1, b"", 0x12)
    request, answer = association()
    yield from wire.send(0, request)
    yield from wire.send(1, answer)
    for number in range(OBJECTS):
        request, answer = store(number)
        yield from wire.send(0, request)
        yield from wire.send(1, answer)


@pytest.fixture(scope="module")
def outcome() -> tuple[list[Sighting], dict[str, int]]:
    """The facts of the association, and the engine's counters."""

    def pump(engine: Engine, step: Callable[[], int]) -> Iterator[int]:
        engine.pcap(False, False, 1)
        for record in records():
            engine.load(bytearray(record), 0, len(record))
            while (event := step()) != NEED:
                yield event
        engine.finish()
        while (event := step()) != NEED:
            yield event

    engine = Engine()
    heard: list[Said] = []
    dispatcher = Dispatcher(engine, Registry.installed(), Site(), SiteKey.test(), heard.append, bulkhead=False)
    for _ in dispatcher.run(pump):
        pass
    return [sighting for said in heard for sighting in said.sightings("test", Site().scope_names)], engine.counters()


def test_every_machine_is_seen(outcome: tuple[list[Sighting], dict[str, int]]) -> None:
    values = [
        getattr(item.fact, "value", None)
        for item in outcome[0]
        if getattr(item.fact, "name", "") == "dicom.device_serial_number"
    ]
    assert set(values) == {f"SN{number}" for number in range(OBJECTS // 100)}


def test_the_last_command_is_read(outcome: tuple[list[Sighting], dict[str, int]]) -> None:
    last = max(item.frame for item in outcome[0] if getattr(item.fact, "name", "") == "dicom.status")
    counted = outcome[1]["packets"]
    assert last == counted


def test_hardly_anything_is_copied(outcome: tuple[list[Sighting], dict[str, int]]) -> None:
    counters = outcome[1]
    assert counters["bytes_copied"] < 0.03 * counters["bytes"], f"{counters['bytes_copied'] / counters['bytes']:.1%}"
