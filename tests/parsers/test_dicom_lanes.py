"""Lanes: however bytes are cut, lost or broken, the facts are the same, fewer, or an anomaly."""

from __future__ import annotations

import random

import pytest
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom.pdu_primitives import AsynchronousOperationsWindowNegotiation

from parsers.core import Anomaly, Side, Verdict
from parsers.dicom.pdu import BOUNDARY_BYTES, begins_message, probe
from parsers.dicom.upper_layer import LOST_MAX, PENDING_MAX
from tests.parsers import _dicom as dicom
from tests.parsers._dicom import comparable, facts

RNG = random.Random(20)


def plain(found):
    return [fact for fact in found if not isinstance(fact, Anomaly)]


def small_object(serial: str = "4711") -> bytes:
    return dicom.encoded(dicom.equipment(DeviceSerialNumber=serial))


def large_object(serial: str = "4711") -> bytes:
    return dicom.encoded(dicom.with_pixels(dicom.equipment(DeviceSerialNumber=serial), 200_000))


def window(invoked: int, performed: int) -> AsynchronousOperationsWindowNegotiation:
    item = AsynchronousOperationsWindowNegotiation()
    item.maximum_number_operations_invoked, item.maximum_number_operations_performed = invoked, performed
    return item


def conversation(*objects: bytes, items=(), **how) -> list[tuple[int, bytes]]:
    turns = [
        (0, dicom.associate(items=items)),
        (1, dicom.associate(answer=True, items=items, contexts=dicom.answered_contexts((0, 0, 3)))),
    ]
    for data in objects:
        turns += [(0, dicom.store(data, **how)), (1, dicom.stored())]
    return [*turns, (0, dicom.release()), (1, dicom.release(answer=True))]


SMALL = conversation(small_object("1"), small_object("2"))
LARGE = conversation(large_object("1"), large_object("2"))


def serials(found) -> list[str]:
    return dicom.attributes(found).get("dicom.device_serial_number", [])


# ---------------------------------------------------------------------- cutting


@pytest.mark.parametrize("turns", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("step", [1, 2, 3, 7, 1_448])
def test_pieces_make_no_difference(turns, step):
    whole = comparable(facts(*turns))
    assert comparable(facts(*turns, step=step)) == whole
    assert serials(facts(*turns)) == ["1", "2"]


def test_every_split_in_two_makes_no_difference():
    lanes = [(lane, b"".join(data for of, data in SMALL if of == lane)) for lane in (0, 1)]
    whole = comparable(facts(*lanes))
    for lane, data in lanes:
        for at in range(1, len(data)):
            talk = dicom.session()
            found = talk.feed(lane, data[:at]) + talk.feed(lane, data[at:])
            found += talk.feed(1 - lane, lanes[1 - lane][1]) + talk.end()
            assert comparable(found) == whole, f"lane {lane} split at {at}"


def test_truncation_tells_nothing_else():
    turns = SMALL
    whole = {repr((fact.subject, fact.name, fact.value)) for fact in facts(*turns) if hasattr(fact, "name")}
    for number, (lane, data) in enumerate(turns):
        for at in range(0, len(data), 3):
            found = plain(facts(*turns[:number], (lane, data[:at])))
            told = {repr((fact.subject, fact.name, fact.value)) for fact in found if hasattr(fact, "name")}
            assert told <= whole


def test_junk_after_the_end_adds_an_anomaly_at_most():
    whole = comparable(plain(facts(*SMALL)))
    for junk in (b"\0" * 40, b"\xff" * 40, RNG.randbytes(200)):
        found = facts(*SMALL, (0, junk), (1, junk))
        assert comparable(plain(found)) == whole


def test_flipped_bits_never_raise():
    for number, (lane, data) in enumerate(SMALL):
        for bit in range(0, 8 * len(data), 5):
            broken = bytearray(data)
            broken[bit // 8] ^= 1 << bit % 8
            facts(*SMALL[:number], (lane, bytes(broken)), *SMALL[number + 1 :])


def test_random_bytes_never_raise():
    for length in (1, 6, 12, 100, 5_000):
        for head in (b"", b"\x04\0\0\0", b"\x01\0\0\0", b"\x02\0\0\0"):
            facts((0, head + RNG.randbytes(length)), (1, head + RNG.randbytes(length)))


# ---------------------------------------------------------------------- one lane, the middle, loss


@pytest.mark.parametrize("lane", [0, 1])
def test_one_lane_alone_tells_less_and_nothing_else(lane):
    whole = {(fact.name, fact.value) for fact in facts(*LARGE) if hasattr(fact, "name")}
    found = facts(*(turn for turn in LARGE if turn[0] == lane))
    told = {(fact.name, fact.value) for fact in found if hasattr(fact, "name")}
    assert told < whole
    assert serials(found) == (["1", "2"] if lane == 0 else [])


@pytest.mark.parametrize("implicit", [False, True])
def test_started_in_the_middle(implicit):
    data = dicom.encoded(dicom.with_pixels(dicom.equipment(), 200_000), implicit=implicit)
    turns = [(0, dicom.store(data)), (1, dicom.stored()), (0, dicom.store(data)), (1, dicom.stored())]
    found = facts(*turns, midstream=True)
    assert serials(found) == ["4711", "4711"]
    assert dicom.attributes(found)["dicom.status"] == ["C-STORE 0000"] * 2


def test_started_within_an_object():
    first, *rest = dicom.pdus(
        "C_STORE_RQ", 3, data=large_object("1"), AffectedSOPClassUID=dicom.CT, AffectedSOPInstanceUID="1.2", Priority=2
    )
    assert len(rest) > 10
    talk = dicom.session(midstream=True)
    found = (
        talk.feed(0, b"".join(rest[3:]))
        + talk.feed(1, dicom.stored())
        + talk.feed(0, dicom.store(large_object("2")), 2)
    )
    assert serials(found + talk.end()) == ["2"]
    assert first


def test_resumed_after_loss_at_a_message():
    talk = dicom.session()
    found = talk.feed(0, dicom.associate()) + talk.feed(0, dicom.store(large_object("1"))[:300])
    found += (
        talk.gap(0) + talk.feed(0, b"\x55\xaa" * 500, 2) + talk.gap(0) + talk.feed(0, dicom.store(small_object("2")), 3)
    )
    found += talk.end()
    assert serials(found) == ["2"]
    assert talk.failed_candidates == 1
    assert not [fact for fact in found if isinstance(fact, Anomaly)]


def test_turns_that_begin_within_an_object_are_given_up():
    """A sender that pauses within an object begins a turn in the middle of pixels."""
    data = dicom.store(large_object("1"))
    talk = dicom.session(midstream=True)
    found, turn = [], 0
    for at in range(0, len(data), 30_000):
        turn += 1
        found += talk.feed(0, data[at : at + 30_000], turn)
    found += talk.feed(0, dicom.store(small_object("2")), turn + 1)
    assert turn > 3
    assert serials(found) == ["1", "2"]
    assert not [fact for fact in found if isinstance(fact, Anomaly)]


def test_lost_turns_are_bounded():
    talk = dicom.session(midstream=True)
    talk.feed(0, dicom.store(large_object("1")), 1)
    for turn in range(2, LOST_MAX + 2):
        assert not talk.closed(0)
        talk.feed(0, b"\x55\xaa" * 50, turn)
    assert talk.closed(0)


# ---------------------------------------------------------------------- messages


def test_pipelined_objects_are_followed_by_length():
    """With more than one operation under way the next object may begin in the same turn."""
    turns = conversation(items=[window(5, 5)])[:2]
    objects = b"".join(dicom.store(large_object(serial)) for serial in "123")
    assert serials(facts(*turns, (0, objects))) == ["1", "2", "3"]
    assert serials(facts(*conversation()[:2], (0, objects))) == ["1"]


def test_window_must_be_agreed_by_both():
    request, answer = conversation(items=[window(5, 5)])[0], conversation()[1]
    objects = b"".join(dicom.store(large_object(serial)) for serial in "12")
    assert serials(facts(request, answer, (0, objects))) == ["1"]
    assert serials(facts(request, (0, objects))) == ["1", "2"]


def fragments(kind: str, context: int, data: bytes) -> list[bytes]:
    """Presentation data values, without the PDUs around them."""
    values = {"AffectedSOPClassUID": dicom.CT, "AffectedSOPInstanceUID": "1.2", "Priority": 2}
    return [pdu[6:] for pdu in dicom.pdus(kind, context, data=data, max_pdu=64, **values)]


def p_data(values: bytes) -> bytes:
    return b"\x04\0" + len(values).to_bytes(4, "big") + values


def test_contexts_may_take_turns():
    one, two = fragments("C_STORE_RQ", 3, small_object("1")), fragments("C_STORE_RQ", 5, small_object("2"))
    mixed = [value for pair in zip(one, two, strict=True) for value in pair]
    assert len(mixed) > 6
    turns = conversation(items=[window(2, 2)])[:2]
    assert sorted(serials(facts(*turns, (0, p_data(b"".join(mixed)))))) == ["1", "2"]
    assert sorted(serials(facts(*turns, (0, b"".join(p_data(value) for value in mixed))))) == ["1", "2"]


def test_several_messages_in_one_pdu():
    echo = dicom.message("C_ECHO_RQ", AffectedSOPClassUID=dicom.VERIFICATION)[6:]
    found = facts((0, p_data(echo * 3)), midstream=True)
    assert dicom.attributes(found)["dicom.operation"] == ["C-ECHO"] * 3


def test_objects_sent_by_the_acceptor():
    """C-GET: the acceptor stores to the requestor within the same association."""
    request = dicom.message(
        "C_GET_RQ", data=dicom.encoded(dicom.equipment()), Priority=2, AffectedSOPClassUID="1.2.840.10008.5.1.4.1.2.2.3"
    )
    found = facts(
        *conversation()[:2], (0, request), (1, dicom.store(large_object("1"))), (0, dicom.stored()),
        (1, dicom.store(large_object("2"))), (0, dicom.stored()),
    )  # fmt: skip
    told = [
        (fact.subject.side, fact.value) for fact in found if getattr(fact, "name", "") == "dicom.device_serial_number"
    ]
    assert told == [(Side.RESPONDER, "1"), (Side.RESPONDER, "2")]
    operations = [(fact.subject.side, fact.value) for fact in found if getattr(fact, "name", "") == "dicom.operation"]
    assert operations == [(Side.INITIATOR, "C-GET"), (Side.RESPONDER, "C-STORE"), (Side.RESPONDER, "C-STORE")]


def answers(count: int) -> bytes:
    found = dicom.message("C_FIND_RSP", data=small_object(), Status=0xFF00, AffectedSOPClassUID=dicom.CT) * count
    return found + dicom.message("C_FIND_RSP", Status=0, AffectedSOPClassUID=dicom.CT)


def test_short_lists_of_answers_are_read_to_their_end():
    told = dicom.attributes(facts((1, answers(PENDING_MAX)), midstream=True))
    assert told["dicom.status"] == ["C-FIND FF00"] * PENDING_MAX + ["C-FIND 0000"]


def test_long_lists_of_answers_are_given_up_for_their_turn():
    told = dicom.attributes(facts((1, answers(1_000)), (1, answers(0)), midstream=True))
    assert told["dicom.status"] == ["C-FIND FF00"] * (PENDING_MAX + 1) + ["C-FIND 0000"]


def test_storage_commitment():
    action = dicom.message(
        "N_ACTION_RQ", data=small_object(), RequestedSOPClassUID="1.2.840.10008.1.20.1",
        RequestedSOPInstanceUID="1.2.840.10008.1.20.1.1", ActionTypeID=1,
    )  # fmt: skip
    report = dicom.message(
        "N_EVENT_REPORT_RQ", data=small_object(), AffectedSOPClassUID="1.2.840.10008.1.20.1",
        AffectedSOPInstanceUID="1.2.840.10008.1.20.1.1", EventTypeID=2,
    )  # fmt: skip
    told = dicom.attributes(facts((0, action), (1, report), midstream=True))
    assert told == {
        "dicom.operation": ["N-ACTION", "N-EVENT-REPORT"],
        "dicom.operation_sop_class": ["N-ACTION 1.2.840.10008.1.20.1", "N-EVENT-REPORT 1.2.840.10008.1.20.1"],
        "dicom.action_type": ["1"],
        "dicom.event_type": ["2"],
    }


def test_every_object_of_a_long_association_is_told():
    *first, release, released = conversation()
    one, answer = dicom.store(small_object("SERIAL")), dicom.stored()
    objects = [one.replace(b"SERIAL", b"%06d" % number) for number in range(1_000)]
    turns = [turn for data in objects for turn in ((0, data), (1, answer))]
    found = facts(*first, *turns, release, released)
    assert serials(found) == [f"{number:06}" for number in range(1_000)]
    assert dicom.attributes(found)["dicom.operation"] == ["C-STORE"] * 1_000


# ---------------------------------------------------------------------- anomalies


@pytest.mark.parametrize(
    "broken",
    [
        b"\x09\0\0\0\0\x04\0\0\0\0",  # no such type
        b"\x05\0\0\0\0\x05\0\0\0\0\0",  # a release of five bytes
        p_data(b"\0\0\0\xff\x01\x03" + bytes(40)),  # a PDV longer than its PDU
        p_data(b"\0\0\0\x08\x02\x03" + bytes(6)),  # an even context
        p_data(b"\0\0\0\x0a\x01\x03" + b"\x08\0\0\0\0\0\0\0"),  # a command set of another group
    ],
)
def test_contradictions_end_the_lane(broken):
    found = facts(*conversation()[:2], (0, broken), (0, dicom.message("C_ECHO_RQ", AffectedSOPClassUID="1.2")))
    (anomaly,) = [fact for fact in found if isinstance(fact, Anomaly)]
    assert (anomaly.code, anomaly.subject.side) == ("malformed", Side.INITIATOR)
    assert "dicom.operation" not in dicom.attributes(found)


def test_endless_command_is_bounded():
    endless = p_data(b"\0\0\x10\x02\x01\x01" + bytes(4_096)) * 4
    found = facts(*conversation()[:2], (0, endless))
    assert [fact.code for fact in found if isinstance(fact, Anomaly)] == ["limit_exceeded"]


# ---------------------------------------------------------------------- probe


FIRST = {
    Side.INITIATOR: [dicom.associate(), dicom.store(small_object()), dicom.release(), dicom.abort()],
    Side.RESPONDER: [
        dicom.associate(answer=True, contexts=dicom.answered_contexts()), dicom.reject(1, 1, 3), dicom.stored(),
        dicom.release(answer=True), dicom.abort(),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("side", "data"), [(side, data) for side, samples in FIRST.items() for data in samples])
def test_probe_never_refuses_a_prefix(side, data):
    verdicts = [probe(data[:at], side) for at in range(1, len(data) + 1)]
    assert Verdict.NO not in verdicts
    assert verdicts[-1] is Verdict.LIKELY
    assert verdicts == sorted(verdicts)


@pytest.mark.parametrize(
    "other",
    [
        b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"\x04\x01\0\x50\x0a\0\0\x01\0",
        b"\x05\x01\0", b"\x01\0\0\0\0\x10" + bytes(100), b"\x01\0\0\0\x01\x00\0\x01" + b"\0\0" + b"\\" * 100,
        b"\x02\0\0\0\0\x04\0\0\0\0", b"\x04\0\0\0\0\x10\0\0\0\x0c\x02\x03" + bytes(20), b"\x07\0\0\0\0\x04\0\0\x09\0",
    ],
)  # fmt: skip
def test_probe_refuses_what_is_no_dicom(other):
    assert probe(other, Side.INITIATOR) is Verdict.NO


def test_association_is_probed_for_its_own_side_only():
    assert probe(FIRST[Side.INITIATOR][0], Side.RESPONDER) is Verdict.NO
    assert probe(FIRST[Side.RESPONDER][0], Side.INITIATOR) is Verdict.NO


def test_pixels_are_no_boundary():
    assert begins_message(dicom.stored()[:BOUNDARY_BYTES])
    assert begins_message(dicom.release())
    first, second = list(dicom.pdus("C_STORE_RQ", 3, data=small_object(), AffectedSOPClassUID=dicom.CT))
    assert begins_message(first[:BOUNDARY_BYTES])
    assert not begins_message(second[:BOUNDARY_BYTES])
    assert not begins_message(bytes(BOUNDARY_BYTES))


def test_implicit_is_told_from_explicit_without_the_answer():
    contexts = dicom.default_contexts()
    for context in contexts:
        context.transfer_syntax = [ImplicitVRLittleEndian]
    data = dicom.encoded(dicom.equipment(), implicit=True)
    assert serials(facts((0, dicom.associate(contexts=contexts)), (0, dicom.store(data)))) == ["4711"]
