"""Commands and data sets that are like the last ones are not read again, and tell what they would tell if they were."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from parsers.core import Fact
from parsers.dicom.alike import Known
from parsers.dicom.command import RECENT_MAX, SIZES_MAX, _recent, parse
from parsers.dicom.dataset import DataSet
from tests.parsers import _dicom as dicom

BEGIN = [(0, dicom.associate()), (1, dicom.associate(answer=True, contexts=dicom.answered_contexts()))]
VALUES: dict[str, list[object]] = {
    "Modality": ["MR", "OT"],
    "Manufacturer": ["PHILIPS", "S"],
    "StationName": ["CTAWP2", ""],
    "DeviceSerialNumber": ["4712", "471200", ""],
    "SoftwareVersions": ["VB20B", ["A", "B"]],
    "SpecificCharacterSet": ["ISO_IR 100", "ISO_IR 192"],
    "DetectorID": ["D1"],
    "PatientName": ["OTHER^NAME", "A^LONGER^NAME"],
    "StudyDate": ["20261125"],
}


def series(*sent: bytes) -> list[Fact]:
    turns = [turn for data in sent for turn in ((0, data), (1, dicom.stored()))]
    return dicom.facts(*BEGIN, *turns)


def alone(*sent: bytes) -> list[str]:
    """What each tells in an association of its own."""
    return sorted({text for data in sent for text in dicom.comparable(series(data))})


def image(number: int = 1, *, how: dict[str, bool] | None = None, **more: object) -> bytes:
    values = {"SOPInstanceUID": f"1.2.3.{number}", "StudyDate": f"2026112{number % 10}"}
    data_set = dicom.with_pixels(dicom.equipment(**(values | more)), 4_000)
    return dicom.store(dicom.encoded(data_set, **(how or {})))


@pytest.mark.parametrize("how", [{}, {"implicit": True}, {"big": True}], ids=["explicit", "implicit", "big"])
@pytest.mark.parametrize("name", VALUES)
def test_whatever_differs_is_told(name: str, how: dict[str, bool]) -> None:
    others = [image(2, how=how, **{name: value}) for value in VALUES[name]]
    sent = [image(1, how=how), image(2, how=how), *others, image(3, how=how)]
    assert sorted(set(dicom.comparable(series(*sent)))) == alone(*sent)


def test_any_byte_may_differ() -> None:
    """Also those by which elements are told apart."""
    chance, first = random.Random(4), image()
    begin = first.index(b"\x08\x00")
    for _ in range(300):
        changed = bytearray(first)
        changed[chance.randrange(begin - 100, begin + 300)] ^= 1 << chance.randrange(8)
        told = {text for text in dicom.comparable(series(first, bytes(changed))) if "Anomaly" not in text}
        assert told <= set(alone(first, bytes(changed)))
        assert {text for text in alone(bytes(changed)) if "Attribute" in text} <= told


def test_what_is_alike_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[bytes] = []
    feed = DataSet.feed

    def counted(data_set: DataSet, data: bytes) -> None:
        fed.append(data)
        feed(data_set, data)

    monkeypatch.setattr(DataSet, "feed", counted)
    found = dicom.attributes(series(*[image(number) for number in range(1, 9)]))
    assert len(fed) == 1
    assert found["dicom.device_serial_number"] == ["4711"] * 8


def test_a_class_of_its_own_is_told() -> None:
    sent = [image(1), dicom.store(dicom.encoded(dicom.equipment()), sop_class=dicom.MR), image(2)]
    assert sorted(set(dicom.comparable(series(*sent)))) == alone(*sent)


@pytest.mark.parametrize("size", [1, 4, 7, 8, 9])
def test_a_data_set_is_not_known_by_a_beginning_that_says_nothing(size: int) -> None:
    sent = [in_two(dicom.encoded(dicom.equipment(DeviceSerialNumber=serial)), size) for serial in ("1", "2", "3")]
    assert dicom.attributes(series(*sent))["dicom.device_serial_number"] == ["1", "2", "3"]


def in_two(data: bytes, size: int) -> bytes:
    """A C-STORE whose data set comes in two fragments."""
    fragments = ((0, data[:size]), (2, data[size:]))
    pdvs = [len(part) + 2 for _, part in fragments]
    return dicom.store(b"") + b"".join(
        b"\x04\x00" + (count + 4).to_bytes(4) + count.to_bytes(4) + bytes((3, last)) + part
        for count, (last, part) in zip(pdvs, fragments, strict=True)
    )


@pytest.mark.parametrize("size", range(1, 14))
def test_a_data_set_in_small_fragments_is_not_known_by_its_first(size: int) -> None:
    sent = [
        dicom.store(dicom.encoded(dicom.equipment(DeviceSerialNumber=serial)), max_pdu=size + 6)
        for serial in ("1", "2", "3")
    ]
    assert dicom.attributes(series(*sent))["dicom.device_serial_number"] == ["1", "2", "3"]


def test_sequences_that_are_wanted_are_read_each_time() -> None:
    def item(identifier: str) -> Sequence:
        inside = Dataset()
        inside.UniqueDeviceIdentifier = identifier
        return Sequence([inside])

    sent = [image(1, UDISequence=item(identifier)) for identifier in ("A", "B")]
    assert sorted(set(dicom.comparable(series(*sent)))) == alone(*sent)


def test_nothing_is_kept_but_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[Known[object]] = []
    make = Known.__init__

    def noted(one: Known[object], *told: Any) -> None:
        known.append(one)
        make(one, *told)

    monkeypatch.setattr(Known, "__init__", noted)
    _recent.cache_clear()
    series(image(1), image(2))
    kept = repr([one._picked for one in known])
    assert "4711" in kept
    assert not [word for word in ("CANARY", "1.2.3.", "20261121") if word in kept]


def test_commands_that_differ_in_identifiers_are_the_same_one() -> None:
    one, other, longer, rejected = (
        b"".join(
            element(number, value)
            for number, value in (
                (0x0002, dicom.CT.encode() + b"\0"),
                (0x0100, b"\x01\x80"),
                (0x0120, message),
                (0x0800, b"\x01\x01"),
                (0x0900, status),
                (0x1000, uid),
            )
        )
        for message, status, uid in (
            (b"\1\0", b"\0\0", b"1.2.3.4\0"),
            (b"\2\0", b"\0\0", b"1.2.3.5\0"),
            (b"\2\0", b"\0\0", b"1.2.3.10"),
            (b"\2\0", b"\0\1", b"1.2.3.10"),
        )
    )
    first = parse(one, 0)
    assert parse(other, 0) is parse(longer, 0) is first
    assert parse(rejected, 0).told.status == 0x0100
    assert parse(one, 0) is first


def test_a_command_with_more_is_another_one() -> None:
    one = element(0x0100, b"\x01\0") + element(0x0800, b"\0\0")
    assert not parse(one, 0).told.move_originator
    assert parse(one + element(0x1030, b"PACS"), 0).told.move_originator == "PACS"
    assert not parse(one, 0).told.move_originator


def test_the_commands_that_are_known_are_bounded() -> None:
    kept: set[int] = set()
    for number in range(2 * SIZES_MAX * RECENT_MAX):
        size = number // (2 * RECENT_MAX)
        one = element(0x0100, b"\x01\0") + element(0x0900, number.to_bytes(2)) + element(0x1000, bytes(size))
        parse(one, 0)
        kept.add(len(_recent(len(one))))
    assert max(kept) == RECENT_MAX
    assert _recent.cache_info().currsize == SIZES_MAX


def element(number: int, value: bytes) -> bytes:
    return b"\0\0" + number.to_bytes(2, "little") + len(value).to_bytes(4, "little") + value
