"""Long connections through the packet engine: bulk is left out, and what comes after it is seen."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from parsers.core import Authentication, Channel, Fact
from tests.captures import items, rows
from tests.parsers import _smb as smb
from tests.parsers._smb import INITIATOR, MORE, RESPONDER, frame, smb2

SEGMENT_BYTES = 1_448
READS = 40
READ_BYTES = 65_536
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)

Said = tuple[int, bytes]


def segments(said: Iterable[Said]) -> Iterator[bytes]:
    """Packets of one TCP connection, each with a millisecond of its own."""
    seq, ms = [1_000, 5_000], 10
    for lane, data in said:
        for at in range(0, len(data), SEGMENT_BYTES):
            part = data[at : at + SEGMENT_BYTES]
            yield packet(lane, seq[lane], seq[1 - lane], 0x18, ms, part)
            seq[lane], ms = seq[lane] + len(part), ms + 1


def record_of(flags: int, lane: int) -> bytes:
    """SYN, or SYN and ACK, before what `segments` gives."""
    return packet(lane, (999, 4_999)[lane], (4_999, 1_000)[lane], flags, lane, b"")


def packet(lane: int, seq: int, ack: int, flags: int, ms: int, data: bytes) -> bytes:
    ports = (50_000, 445) if lane == INITIATOR else (445, 50_000)
    ips = [b"\x0a\x14\x02\x36", b"\x0a\x14\x01\x32"]
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 0x50, flags, 65_535, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, ips[lane], ips[1 - lane])
    whole = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + tcp + data
    return struct.pack("<IIII", ms // 1000, ms % 1000 * 1000, len(whole), len(whole)) + whole


def read(path: Path, said: Iterable[Said]) -> tuple[list[Fact], dict[str, Any]]:
    path.write_bytes(PCAP + b"".join(segments(said)))
    (day,) = rows(path)["fact_conversation"]
    return [item.fact for item in items(path)], day


def negotiation() -> list[Said]:
    return [
        (INITIATOR, frame(smb2(0, smb.offer([0x0300])))),
        (RESPONDER, frame(smb2(0, smb.agreed(0x0300), answer=True))),
    ]


def logon(user: str, message: int, session: int, status: int = 0) -> list[Said]:
    first, second = smb.init([smb.NTLMSSP], smb.ntlm_negotiate()), smb.response(None, b"", smb.ntlm_authenticate(user))
    challenge = smb.set_up_answer(smb.response(1, smb.NTLMSSP, smb.ntlm_challenge()))
    done = smb.ERROR if status else smb.set_up_answer(smb.response(0))
    return [
        (INITIATOR, frame(smb2(1, smb.set_up(first), message=message))),
        (RESPONDER, frame(smb2(1, challenge, message=message, session=session, status=MORE, answer=True))),
        (INITIATOR, frame(smb2(1, smb.set_up(second), message=message + 1, session=session))),
        (RESPONDER, frame(smb2(1, done, message=message + 1, session=session, status=status, answer=True))),
    ]


def contents(number: int) -> bytes:
    """Of a file that looks like messages of its own."""
    return (frame(smb2(1, smb.set_up(smb.ntlm_authenticate("nobody-at-all")), message=number)) * 400)[:READ_BYTES]


def reads(pipelined: int) -> list[Said]:
    """Requests by turns or several at once, and as many answers with the contents of a file."""
    said: list[Said] = []
    for begin in range(0, READS, pipelined):
        numbers = range(100 + begin, 100 + begin + pipelined)
        said += [(INITIATOR, b"".join(frame(smb2(8, bytes(49), message=n, session=5)) for n in numbers))]
        answers = [frame(smb2(8, bytes(16) + contents(n), message=n, session=5, answer=True)) for n in numbers]
        said += [(RESPONDER, b"".join(answers))]
    return said


def logons(facts: list[Fact]) -> list[tuple[str | None, str]]:
    return [(fact.principal, fact.outcome.value) for fact in facts if isinstance(fact, Authentication)]


@pytest.mark.parametrize("pipelined", [1, 8])
def test_a_session_that_is_set_up_after_megabytes(tmp_path: Path, pipelined: int) -> None:
    late = logon("svc-late", 900, 6, smb.LOGON_FAILURE)
    facts, day = read(tmp_path / "late.pcap", [*negotiation(), *logon("svc-ct", 1, 5), *reads(pipelined), *late])
    assert logons(facts) == [("svc-ct", "accepted"), ("svc-late", "rejected")]
    assert [fact.encrypted for fact in facts if isinstance(fact, Channel)] == [False]
    assert day["responder_bytes"] > READS * READ_BYTES
    assert day["copied_bytes"] < (day["initiator_bytes"] + day["responder_bytes"]) / 10
    assert not day["lost_bytes"]


def test_what_is_encrypted_is_left_out(tmp_path: Path) -> None:
    bulk = [(side, frame(smb.transform(5, 60_000))) for _ in range(READS) for side in (INITIATOR, RESPONDER)]
    late = logon("svc-late", 900, 6)
    facts, day = read(tmp_path / "encrypted.pcap", [*negotiation(), *logon("svc-ct", 1, 5), *bulk, *late])
    assert logons(facts) == [("svc-ct", "accepted"), ("svc-late", "accepted")]
    assert [fact.encrypted for fact in facts if isinstance(fact, Channel)] == [True, False]
    assert day["copied_bytes"] < (day["initiator_bytes"] + day["responder_bytes"]) / 10


def test_begun_in_the_middle_of_a_file(tmp_path: Path) -> None:
    said = [*reads(1), *logon("svc-late", 900, 6)]
    cut = (RESPONDER, said[1][1][30_000:])
    facts, _ = read(tmp_path / "middle.pcap", [cut, *said[2:]])
    assert ("svc-late", "accepted") in logons(facts)


def test_begun_while_files_are_on_their_way(tmp_path: Path) -> None:
    """Requests go on while answers are on their way: the answering lane comes to be known in the middle of one."""
    ahead = reads(READS)
    requests, answers = ahead[0][1], ahead[1][1]
    size = len(requests) // READS
    said: list[Said] = [(INITIATOR, requests[:size])]
    for number in range(1, READS):
        begin = 30_000 + (number - 1) * READ_BYTES
        said += [(RESPONDER, answers[begin : begin + READ_BYTES])]
        said += [(INITIATOR, requests[number * size : (number + 1) * size])]
    said += [(RESPONDER, answers[30_000 + (READS - 1) * READ_BYTES :]), *logon("svc-late", 900, 6)]
    facts, _ = read(tmp_path / "middle.pcap", said)
    assert logons(facts) == [("svc-late", "accepted")]


def test_a_lost_header_among_files(tmp_path: Path) -> None:
    """After a loss no turn of the answering lane begins with a message, until the files have come."""
    said = [*negotiation(), *logon("svc-ct", 1, 5)]
    ahead = reads(READS)
    requests, answers = ahead[0][1], ahead[1][1]
    size = len(requests) // READS
    for number in range(READS):
        said += [(INITIATOR, requests[number * size : (number + 1) * size])]
        said += [(RESPONDER, answers[number * READ_BYTES : (number + 1) * READ_BYTES])]
    said += [(RESPONDER, answers[READS * READ_BYTES :]), *logon("svc-late", 900, 6)]
    records = list(segments(said))
    first_answer = next(i for i, record in enumerate(records) if len(record) > 1_400)
    del records[first_answer]
    path = tmp_path / "lost.pcap"
    path.write_bytes(PCAP + b"".join(records))
    facts = [item.fact for item in items(path)]
    assert logons(facts) == [("svc-ct", "accepted"), ("svc-late", "accepted")]


def test_the_first_segment_of_an_answer_is_lost(tmp_path: Path) -> None:
    """The answering lane comes to be known in the middle of its first message, after a loss."""
    long_token = smb.init([smb.NTLMSSP] * 150, hints=True)
    said = [*negotiation()[:1], (RESPONDER, frame(smb2(0, smb.agreed(0x0300, token=long_token), answer=True)))]
    records = list(segments([*said, *logon("svc-ct", 1, 5), *reads(1), *logon("svc-late", 900, 6)]))
    opening = [record_of(flags, lane) for flags, lane in ((0x02, INITIATOR), (0x12, RESPONDER))]
    assert len(records[1]) > 1_400
    path = tmp_path / "lost.pcap"
    path.write_bytes(PCAP + b"".join([*opening, records[0], *records[2:]]))
    facts = [item.fact for item in items(path)]
    assert logons(facts) == [("svc-ct", "accepted"), ("svc-late", "accepted")]
