"""DICOM samples made by pynetdicom and pydicom, which are encoders independent of ours, and ways to feed them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import build_context, build_role
from pynetdicom import dimse_messages as messages
from pynetdicom.dimse_primitives import (
    C_ECHO,
    C_FIND,
    C_GET,
    C_MOVE,
    C_STORE,
    N_ACTION,
    N_CREATE,
    N_EVENT_REPORT,
    N_GET,
)
from pynetdicom.pdu import (
    A_ABORT_RQ,
    A_ASSOCIATE_AC,
    A_ASSOCIATE_RJ,
    A_ASSOCIATE_RQ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    P_DATA_TF,
)
from pynetdicom.pdu_primitives import (
    A_ABORT,
    A_ASSOCIATE,
    A_RELEASE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)

from parsers.core import Attribute, Fact, Registry, Session
from parsers.dicom import PROTOCOL

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "pcaps" / "dicom"
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
VERIFICATION = "1.2.840.10008.1.1"
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"

PRIMITIVES = {
    "C_STORE": C_STORE, "C_FIND": C_FIND, "C_MOVE": C_MOVE, "C_GET": C_GET, "C_ECHO": C_ECHO,
    "N_GET": N_GET, "N_CREATE": N_CREATE, "N_ACTION": N_ACTION, "N_EVENT_REPORT": N_EVENT_REPORT,
}  # fmt: skip


# ---------------------------------------------------------------------- PDUs


def associate(*, answer=False, items=(), contexts=None, calling="CT01", called="ARCHIVE") -> bytes:
    """A-ASSOCIATE-RQ or -AC; `items` are pynetdicom's user information primitives."""
    primitive = A_ASSOCIATE()
    primitive.application_context_name = APPLICATION_CONTEXT
    primitive.calling_ae_title, primitive.called_ae_title = calling, called
    primitive.user_information = [*user_information(), *items]
    contexts = contexts if contexts is not None else default_contexts()
    if not answer:
        primitive.presentation_context_definition_list = contexts
        pdu = A_ASSOCIATE_RQ()
    else:
        primitive.result, primitive.result_source = 0, 1
        primitive.presentation_context_definition_results_list = contexts
        pdu = A_ASSOCIATE_AC()
    pdu.from_primitive(primitive)
    return pdu.encode()


def user_information() -> list[object]:
    length, uid, name = (
        MaximumLengthNotification(),
        ImplementationClassUIDNotification(),
        ImplementationVersionNameNotification(),
    )
    length.maximum_length_received = 16382
    uid.implementation_class_uid = UID("1.2.3.4.5")
    name.implementation_version_name = "TESTSTACK_1"
    return [length, uid, name]


def default_contexts(results: Sequence[int] = (0, 0, 0)) -> list[object]:
    contexts = []
    for at, (uid, result) in enumerate(zip((VERIFICATION, CT, MR), results, strict=True)):
        context = build_context(uid, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
        context.context_id, context.result = 2 * at + 1, result
        contexts.append(context)
    return contexts


def answered_contexts(results: Sequence[int] = (0, 0, 0)) -> list[object]:
    contexts = default_contexts(results)
    for context in contexts:
        context.transfer_syntax = [ExplicitVRLittleEndian]
    return contexts


def role(uid: str, *, scu: bool, scp: bool) -> object:
    return build_role(uid, scu_role=scu, scp_role=scp)


def reject(result: int, source: int, reason: int) -> bytes:
    primitive = A_ASSOCIATE()
    primitive.result, primitive.result_source, primitive.diagnostic = result, source, reason
    pdu = A_ASSOCIATE_RJ()
    pdu.from_primitive(primitive)
    return pdu.encode()


def release(*, answer: bool = False) -> bytes:
    primitive = A_RELEASE()
    if answer:
        primitive.result = "affirmative"
    pdu = A_RELEASE_RP() if answer else A_RELEASE_RQ()
    pdu.from_primitive(primitive)
    return pdu.encode()


def abort() -> bytes:
    primitive = A_ABORT()
    primitive.abort_source = 0
    pdu = A_ABORT_RQ()
    pdu.from_primitive(primitive)
    return pdu.encode()


def message(kind: str, context: int = 1, *, data: bytes | None = None, max_pdu: int = 16382, **values: object) -> bytes:
    """A DIMSE message as P-DATA-TF PDUs. `kind` is pynetdicom's class name, `C_STORE_RQ`; `data` the data set."""
    return b"".join(pdus(kind, context, data=data, max_pdu=max_pdu, **values))


def pdus(kind, context=1, *, data=None, max_pdu=16382, **values) -> Iterator[bytes]:
    operation, suffix = kind.rsplit("_", 1)
    primitive = PRIMITIVES[operation]()
    setattr(primitive, "MessageID" if suffix == "RQ" else "MessageIDBeingRespondedTo", 7)
    for name, value in values.items():
        setattr(primitive, name, value)
    if data is not None:
        name = {
            "C_STORE": "DataSet", "N_CREATE": "AttributeList", "N_GET": "AttributeList",
            "N_ACTION": "ActionInformation", "N_EVENT_REPORT": "EventInformation",
        }.get(operation, "Identifier")  # fmt: skip
        setattr(primitive, name, BytesIO(data))
    made = getattr(messages, kind)()
    made.primitive_to_message(primitive)
    for item in made.encode_msg(context, max_pdu):
        pdu = P_DATA_TF()
        pdu.from_primitive(item)
        yield pdu.encode()


def store(data: bytes, context: int = 3, *, sop_class: str = CT, max_pdu: int = 16382, **values: object) -> bytes:
    return message(
        "C_STORE_RQ", context, data=data, max_pdu=max_pdu, AffectedSOPClassUID=sop_class,
        AffectedSOPInstanceUID="1.2.3.9", Priority=2, **values,
    )  # fmt: skip


def stored(context: int = 3, status: int = 0) -> bytes:
    return message("C_STORE_RSP", context, AffectedSOPClassUID=CT, AffectedSOPInstanceUID="1.2.3.9", Status=status)


# ---------------------------------------------------------------------- data sets


def encoded(data_set: Dataset, *, implicit: bool = False, big: bool = False) -> bytes:
    out = DicomBytesIO()
    out.is_implicit_VR, out.is_little_endian = implicit, not big
    write_dataset(out, data_set)
    return out.getvalue()


def equipment(**more: object) -> Dataset:
    data_set = Dataset()
    values = {
        "SOPClassUID": CT, "Modality": "CT", "Manufacturer": "SIEMENS", "InstitutionName": "General Hospital",
        "StationName": "CTAWP1", "ManufacturerModelName": "SOMATOM", "DeviceSerialNumber": "4711",
        "SoftwareVersions": ["VB20A", "VB20A-SP1"], "PatientName": "CANARY^NAME", "PatientID": "CANARYID",
    }  # fmt: skip
    for name, value in (values | more).items():
        if value is not None:
            setattr(data_set, name, value)
    return data_set


def with_pixels(data_set: Dataset, n: int) -> Dataset:
    data_set.add_new(0x7FE00010, "OW", b"\x55\xaa" * (n // 2))
    return data_set


# ---------------------------------------------------------------------- feeding


def session(*, midstream: bool = False) -> Session:
    return Session(Registry([PROTOCOL]), "tcp", midstream=midstream)


def facts(*turns: tuple[int, bytes], midstream: bool = False, step: int = 0) -> list[Fact]:
    """Facts of `turns`: (lane, bytes) in order, each a turn of its lane; `step` bytes at a time, all at once if 0."""
    talk = session(midstream=midstream)
    found: list[Fact] = []
    numbers = [0, 0]
    for lane, data in turns:
        numbers[lane] += 1
        for piece in pieces(data, step):
            found += talk.feed(lane, piece, numbers[lane])
    return found + talk.end()


def pieces(data: bytes, step: int) -> Iterator[bytes]:
    step = step or max(1, len(data))
    return (data[at : at + step] for at in range(0, len(data), step))


def attributes(found: Iterable[Fact]) -> dict[str, list[str]]:
    """Values by attribute name, in the order in which they were stated."""
    values: dict[str, list[str]] = {}
    for fact in found:
        if isinstance(fact, Attribute):
            values.setdefault(fact.name, []).append(fact.value)
    return values


def described(found: Iterable[Fact]) -> dict[str, dict[str, list[str]]]:
    """Attributes of described subjects, by subject key."""
    subjects: dict[str, list[Fact]] = {}
    for fact in found:
        if fact.subject.about != "side":
            subjects.setdefault(fact.subject.about, []).append(fact)
    return {key: attributes(about) for key, about in subjects.items()}


def comparable(found: Iterable[Fact]) -> list[str]:
    """Facts in a form that can be sorted and compared; secrets by what they hide."""
    return sorted(
        repr(fact) + repr(secret.reveal() if (secret := getattr(fact, "secret", None)) else "") for fact in found
    )
