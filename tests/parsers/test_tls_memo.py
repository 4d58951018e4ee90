"""Hellos of one program are worked out once: what makes them equal, and that it changes no fact."""

from __future__ import annotations

import struct
from random import Random

import pytest

from parsers.core import Malformed
from parsers.tls import _fingerprint, _hello
from parsers.tls._handshake import MEMO_MAX, _chosen, _offered, offered_memo

GREASE = [0x0A0A + 0x1010 * n for n in range(16)]


def vector(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width) + data


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def hello(seed: int, *, name: str = "pacs.example", alpn: tuple[bytes, ...] = (b"h2",)) -> bytes:
    """A browser's hello: GREASE, session id, key share and ticket differ with the seed."""
    random = Random(seed)
    grease = random.choice(GREASE)
    extensions = [
        (random.choice(GREASE), b""),
        (_hello.SERVER_NAME, vector(b"\0" + vector(name.encode(), 2), 2)),
        (_hello.GROUPS, vector(numbers(grease, 29, 23), 2)),
        (_hello.ALPN, vector(b"".join(vector(protocol, 1) for protocol in alpn), 2)),
        (_hello.SUPPORTED_VERSIONS, vector(numbers(random.choice(GREASE), 0x0304, 0x0303), 1)),
        (_hello.KEY_SHARE, vector(numbers(grease, 1) + b"\0" + numbers(29, 32) + random.randbytes(32), 2)),
        (35, random.randbytes(random.randrange(200))),
        (_hello.SIGNATURE_ALGORITHMS, vector(numbers(0x0403, 0x0804), 2)),
    ]
    written = b"".join(numbers(kind) + vector(value, 2) for kind, value in extensions)
    return (
        numbers(0x0303) + random.randbytes(32) + vector(random.randbytes(32), 1)
        + vector(numbers(random.choice(GREASE), 0x1301, 0xC02F), 2) + b"\1\0" + vector(written, 2)
    )  # fmt: skip


def test_hellos_of_one_program_have_one_outline() -> None:
    assert len({_hello.outline(hello(seed))[0] for seed in range(50)}) == 1


def test_the_server_s_name_is_no_part_of_it() -> None:
    shared, own = _hello.outline(hello(1, name="a.example"))
    other, others_own = _hello.outline(hello(2, name="b.example"))
    assert shared == other
    assert (own.server_name, others_own.server_name) == ("a.example", "b.example")
    assert own.session_id != others_own.session_id


@pytest.mark.parametrize("alpn", [(b"http/1.1",), (), (b"h2", b"dicom")])
def test_what_is_stated_is_part_of_it(alpn: tuple[bytes, ...]) -> None:
    assert _hello.outline(hello(1))[0] != _hello.outline(hello(1, alpn=alpn))[0]


def test_fingerprints_are_those_of_the_bytes() -> None:
    """JA3 leaves GREASE out by itself, so it can be worked out of numbers that nobody has touched."""
    known = {_fingerprint.ja3(_hello.client_hello(hello(seed))) for seed in range(20)}
    extensions = f"{_hello.SERVER_NAME}-{_hello.GROUPS}-{_hello.ALPN}-43-51-35-13"
    plain = _hello.ClientHello(
        0x0303, (0x1301, 0xC02F), b"\0", b"", tuple(map(int, extensions.split("-"))), groups=(29, 23)
    )
    assert known == {_fingerprint.ja3(plain)}


def test_a_broken_server_name_is_told_of_in_its_place() -> None:
    body = hello(1).replace(vector(b"\0" + vector(b"pacs.example", 2), 2), vector(b"\0" + b"\0\x63pacs.example", 2))
    broken = _hello.client_hello(body)
    assert broken.malformed == (_hello.SERVER_NAME,)
    assert broken.server_name is None
    assert _hello.client_hello(hello(1)).malformed == ()


def test_a_hello_cut_short_is_still_refused() -> None:
    body = hello(1)
    before_extensions = body.index(b"\1\0", 75) + 2  # where a hello may end
    for end in set(range(len(body))) - {before_extensions}:
        with pytest.raises(Malformed):
            _hello.client_hello(body[:end])


def test_the_memo_counts_its_hits_and_is_bounded() -> None:
    _offered.cache_clear()
    for seed in range(20):
        _offered(_hello.outline(hello(seed))[0], "t")
    assert offered_memo() == (19, 1)
    assert _offered.cache_parameters()["maxsize"] == MEMO_MAX


def answer(seed: int, *, group: int = 29, version: int = 0x0304, retry: bool = False) -> bytes:
    """A server's hello: random, session id, key share and ticket differ with the seed."""
    random = Random(seed)
    extensions = [
        (_hello.SUPPORTED_VERSIONS, numbers(version)),
        (_hello.KEY_SHARE, numbers(group, 32) + random.randbytes(32)),
        (35, random.randbytes(random.randrange(9))),
    ]
    written = b"".join(numbers(kind) + vector(value, 2) for kind, value in extensions)
    return (
        numbers(0x0303) + (_hello.RETRY_RANDOM if retry else random.randbytes(32)) + vector(random.randbytes(32), 1)
        + numbers(0x1301) + b"\0" + vector(written, 2)
    )  # fmt: skip


def test_answers_of_one_server_are_one_choice() -> None:
    made = [_hello.choice(answer(seed)) for seed in range(20)]
    assert len({shared for shared, _ in made}) == 1
    assert len({session_id for _, session_id in made}) == 20


@pytest.mark.parametrize("other", [answer(1, group=23), answer(1, version=0x0303), answer(1, retry=True)])
def test_what_is_chosen_is_part_of_a_choice(other: bytes) -> None:
    assert _hello.choice(answer(1))[0] != _hello.choice(other)[0]


def test_a_choice_is_read_as_the_bytes_are() -> None:
    hello = _hello.server_hello(answer(1, group=24))
    assert (hello.version, hello.group, hello.suite, hello.malformed) == (0x0304, 24, 0x1301, ())
    assert hello.session_id == _hello.choice(answer(1, group=24))[1]
    cut = answer(1).replace(
        numbers(_hello.SUPPORTED_VERSIONS, 2, 0x0304), numbers(_hello.SUPPORTED_VERSIONS, 1) + b"\3"
    )
    cut = cut.replace(numbers(0x1301) + b"\0" + cut[70:72], numbers(0x1301) + b"\0" + numbers(len(cut) - 72))
    assert _hello.server_hello(cut).malformed == (_hello.SUPPORTED_VERSIONS,)


def test_the_memo_of_choices_is_bounded() -> None:
    assert _chosen.cache_parameters()["maxsize"] == MEMO_MAX
