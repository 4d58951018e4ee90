"""Messages about files pass by their headers, and nothing else does."""

from __future__ import annotations

import pytest

from parsers.core import Conversation, Reader, Side
from parsers.smb.files import Files
from parsers.smb.session import Connection
from parsers.smb.smb2 import ABOUT_FILES
from tests.parsers import _smb as smb
from tests.parsers._smb import INITIATOR, RESPONDER, frame, smb2

READ = 8
BODY = bytes(48)


class Lane:
    """What a lane of SMB has, without its generator."""

    def __init__(self, side: Side = INITIATOR) -> None:
        self.talk = Conversation()
        self.connection = Connection()
        self.files = Files(side, self.talk)
        self.files.belong_to(self.connection)
        self.r = Reader()

    def passes(self, data: bytes) -> bool:
        self.r.feed(data, 1)
        return self.files.passes(self.r)


def asked(command: int = READ, body: bytes = BODY, **said: int) -> bytes:
    return frame(smb2(command, body, **{"session": 5, **said}))


@pytest.mark.parametrize("command", sorted(ABOUT_FILES))
def test_what_is_about_files_passes(command: int) -> None:
    lane = Lane()
    assert lane.passes(asked(command) + asked(command))
    assert (lane.r.held, lane.r.offset) == (0, 2 * len(asked()))


def test_what_has_not_come_yet_is_left_out_as_it_comes() -> None:
    lane, data = Lane(), asked(body=bytes(60_000))
    assert lane.passes(data[:100])
    assert lane.r.demand.count == len(data) - 100
    lane.r.feed(data[100:] + asked()[:2], 1)
    assert lane.r.seen(9) == asked()[:2]
    assert lane.passes(asked()[2:])


@pytest.mark.parametrize(
    "data",
    [
        *(asked(command) for command in range(20) if command not in ABOUT_FILES),
        asked(0xFFFF),
        asked(0x1000 + READ),
        asked(session=0),
        asked(session=0xFFFFFFFFFFFFFFFF),
        asked(answer=True),
        frame(smb2(READ, BODY, session=5, following=112), smb2(READ, BODY, session=5)),
        asked(flags=4),
        asked()[:67],
        asked()[:4],
        b"\x85" + asked()[1:],
        asked().replace(b"\xfeSMB\x40", b"\xfeSMB\x41"),
        b"\0\0\0\x3f" + asked()[4:],
        frame(smb.transform(5)),
    ],
)
def test_all_else_is_read(data: bytes) -> None:
    lane = Lane()
    assert not lane.passes(asked() + data)
    assert lane.r.seen(len(data) + 1) == data


def test_the_answers_are_the_responders() -> None:
    assert Lane(RESPONDER).passes(asked(answer=True))
    assert not Lane(RESPONDER).passes(asked())


def test_nothing_passes_before_the_lane_is_confirmed() -> None:
    files, r = Files(INITIATOR, Conversation()), Reader()
    r.feed(asked(), 1)
    assert not files.passes(r)


def test_a_session_that_ended_is_used_anew() -> None:
    lane = Lane()
    assert lane.passes(asked())
    assert lane.connection.in_clear == 5
    lane.connection.ended(5, lane.talk)
    assert lane.connection.in_clear is None
    assert lane.passes(asked(session=1 << 63))
    assert lane.connection.in_clear == 1 << 63
