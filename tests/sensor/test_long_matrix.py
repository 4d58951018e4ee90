"""Conversations that last, each whole and each way a mirror may spoil it: all are read to the last turn.

An HL7 feed, a DICOM association of 1,000 C-STOREs and an SMB connection with a late second logon say something in their
last question and in their last answer that was not said before. Whole, from either side alone, with loss, begun in the
middle, and begun in the middle with loss and from one side.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from parsers.core import Attribute, Authentication
from sensor.capture.pcapfile import CaptureFile
from sensor.pipeline import Pipeline
from sensor.sighting import Sighting
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.benchmarks import clinical
from tests.benchmarks.wire import Talk, write
from tests.parsers import _dicom as dicom
from tests.parsers import _smb as smb
from tests.parsers._hl7 import framed, header

TURNS = 1_000
STEP_US = 20_000
LOST_EACH = 97
ENDS = ("10.1.2.3", "10.9.0.1")


class Long(NamedTuple):
    """Frames of a conversation, how many of them the last turn is, and what only its question and its answer say."""

    frames: list[bytes]
    last: int
    asked: str
    answered: str


def _talk(port: int) -> Talk:
    return Talk(ENDS, (50_000, port), port)


def feed() -> Long:
    """Messages one by one, each acknowledged; the last one from and to somebody else."""
    talk = _talk(2575)
    frames = list(talk.open())
    for number in range(TURNS):
        frames += clinical.hl7_message(talk, "MONITOR", number)
    before = len(frames)
    sent = header("LATECOMER", "WARD7", "EMR", "HOSP", "", "", "", "LAST")
    received = header("LATE-EMR", "HOSP", "LATECOMER", "WARD7", "", "", "ACK", "R1") + b"MSA|AA|LAST|\r"
    frames += [*talk.says(0, framed(sent + clinical._observations(6))), *talk.says(1, framed(received))]
    return Long(frames, len(frames) - before, "LATECOMER", "LATE-EMR")


def association() -> Long:
    """Images; the last one is of another machine, and is stored with a warning."""
    talk = _talk(104)
    frames = list(clinical.dicom_open(talk, "CT01"))
    for _ in range(TURNS - 1):
        frames += clinical.dicom_store(talk, 20_000, 1)
    before = len(frames)
    data = dicom.with_pixels(dicom.equipment(DeviceSerialNumber="SN-LATE"), 20_000)
    frames += [*talk.says(0, dicom.store(dicom.encoded(data))), *talk.says(1, dicom.stored(status=0xB000))]
    return Long(frames, len(frames) - before, "SN-LATE", "C-STORE B000")


def share() -> Long:
    """Reads after a logon; then another logon on the same connection, answered by another name of the server."""
    talk = _talk(445)
    frames = list(clinical.smb_open(talk, "svc-first"))
    for number in range(TURNS):
        frames += clinical.smb_read(talk, 4 + number, 4_096)
    before, message = len(frames), 4 + TURNS
    hello = smb.set_up(smb.init([smb.NTLMSSP], smb.ntlm_negotiate()))
    names = smb.ntlm_challenge(names={1: "LATESERVER", 2: "WARD"})
    challenge = smb.set_up_answer(smb.response(1, smb.NTLMSSP, names))
    proof = smb.set_up(smb.response(token=smb.ntlm_authenticate("svc-late")))
    answer = {"session": 9, "answer": True}
    said = (
        (0, smb.smb2(1, hello, message=message)),
        (1, smb.smb2(1, challenge, message=message, status=smb.MORE, **answer)),
        (0, smb.smb2(1, proof, message=message + 1, session=9)),
        (1, smb.smb2(1, smb.set_up_answer(smb.response(0)), message=message + 1, **answer)),
    )
    for lane, data in said:
        frames += talk.says(lane, smb.frame(data))
    return Long(frames, len(frames) - before, "svc-late", "LATESERVER")


def from_initiator(frame: bytes) -> bool:
    return frame[26:30] == bytes((10, 1, 2, 3))


Cut = Callable[[Long], Iterator[bytes]]


def whole(talk: Long) -> Iterator[bytes]:
    yield from talk.frames


def initiator_alone(talk: Long) -> Iterator[bytes]:
    yield from filter(from_initiator, talk.frames)


def responder_alone(talk: Long) -> Iterator[bytes]:
    yield from (frame for frame in talk.frames if not from_initiator(frame))


def with_loss(talk: Long) -> Iterator[bytes]:
    """One frame in 97 is not in the capture, but for the last turn."""
    kept = len(talk.frames) - talk.last
    yield from (frame for number, frame in enumerate(talk.frames) if number >= kept or (number + 1) % LOST_EACH)


def from_the_middle(talk: Long) -> Iterator[bytes]:
    """As cut as it may be: inside a message."""
    yield from talk.frames[len(talk.frames) // 2 + 1 :]


def from_the_middle_with_loss(talk: Long) -> Iterator[bytes]:
    yield from list(with_loss(talk))[len(talk.frames) // 2 + 1 :]


def initiator_from_the_middle(talk: Long) -> Iterator[bytes]:
    yield from filter(from_initiator, from_the_middle(talk))


def responder_from_the_middle(talk: Long) -> Iterator[bytes]:
    yield from (frame for frame in from_the_middle(talk) if not from_initiator(frame))


def initiator_with_loss(talk: Long) -> Iterator[bytes]:
    yield from filter(from_initiator, with_loss(talk))


def responder_with_loss(talk: Long) -> Iterator[bytes]:
    yield from (frame for frame in with_loss(talk) if not from_initiator(frame))


TALKS = (feed, association, share)
CUTS = (
    whole, initiator_alone, responder_alone, with_loss, from_the_middle, from_the_middle_with_loss,
    initiator_from_the_middle, responder_from_the_middle, initiator_with_loss, responder_with_loss,
)  # fmt: skip
made = cache(lambda talk: talk())


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[], Long], Cut], list[Sighting]]:
    folder: Path = tmp_path_factory.mktemp("long")

    @cache
    def read(talk: Callable[[], Long], cut: Cut) -> list[Sighting]:
        path = folder / "long.pcap"
        write(path, cut(made(talk)), STEP_US)
        with CaptureFile(path) as capture:
            return list(Pipeline(capture, Site(), SiteKey.test(), bulkhead=False).sightings())

    return read


def values(sightings: list[Sighting]) -> set[str | None]:
    found: set[str | None] = set()
    for item in sightings:
        if isinstance(item.fact, Attribute):
            found.add(item.fact.value)
        elif isinstance(item.fact, Authentication):
            found.add(item.fact.principal)
    return found


@pytest.mark.parametrize("talk", TALKS)
@pytest.mark.parametrize("cut", CUTS)
def test_the_last_turn_is_read(said, talk: Callable[[], Long], cut: Cut) -> None:
    found = values(said(talk, cut))
    if not cut.__name__.startswith("responder"):
        assert made(talk).asked in found
    if not cut.__name__.startswith("initiator"):
        assert made(talk).answered in found


@pytest.mark.parametrize("talk", TALKS)
@pytest.mark.parametrize("cut", [whole, with_loss, from_the_middle, from_the_middle_with_loss])
def test_the_last_claim_has_its_answer(said, talk: Callable[[], Long], cut: Cut) -> None:
    """What precedes, and what is lost of it, does not make the last outcome another one."""
    claims = [item.fact for item in said(talk, cut) if isinstance(item.fact, Authentication)]
    last = [claim for claim in claims if claim.principal == made(talk).asked]
    assert [claim.outcome.value for claim in last] == ([] if talk is association else ["accepted"])


@pytest.mark.parametrize("talk", [feed, share])
@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut.__name__.startswith(("initiator", "responder"))])
def test_of_one_side_nothing_is_accepted(said, talk: Callable[[], Long], cut: Cut) -> None:
    """An association differs: who sends images was accepted, whether or not that was seen."""
    claims = [item.fact for item in said(talk, cut) if isinstance(item.fact, Authentication)]
    assert {claim.outcome.value for claim in claims} <= {"unknown"}


@pytest.mark.parametrize("talk", TALKS)
def test_what_is_last_is_said_once(said, talk: Callable[[], Long]) -> None:
    """The matrix proves nothing if it is said before: a conversation without its last turn does not say it."""
    long = made(talk)

    def without_the_last(long: Long) -> Iterator[bytes]:
        yield from long.frames[: -long.last]

    found = values(said(talk, without_the_last))
    assert found
    assert long.asked not in found
    assert long.answered not in found


def test_frames_are_told_apart() -> None:
    lanes = {from_initiator(frame): struct.unpack_from(">H", frame, 34) for frame in made(feed).frames}
    assert lanes == {True: (50_000,), False: (2575,)}
