"""Canaries in every place where a patient, a person or a secret may stand: none comes out, whatever is cut."""

from __future__ import annotations

import pytest

from parsers.core import Session
from parsers.hl7.framing import segments
from tests.parsers._hl7 import REGISTRY, framed, read

C = "CANARY"
DEVICE = "0009FBFFFF9B42B3^^^EUI-64"


def filled(name: str, fields: int, **allowed: str) -> str:
    """A segment whose every field is a canary, but those that are given (by number: _3=...)."""
    values = [allowed.get(f"_{number}", f"{C}^{C}&{C}~{C}") for number in range(1, fields + 1)]
    return f"{name}|" + "|".join(values) + "\r"


READ = {"MSH", "FHS", "BHS", "MSA", "SFT", "OBR", "OBX", "PRT", "EQU", "INV"}
FREE = sorted({*segments().values(), "ZPI", "ZZZ", "XYZ", "CAN"} - READ)
SEGMENTS = [
    *(filled(name, 30) for name in FREE),
    filled("OBR", 50, _3=f"{C}^LAB"),
    filled("OBR", 50, _3=f"{C}^{C}^0009FBFFFF9B42B3^EUI-64"),
    filled("OBX", 26, _3="150456^MDC_PULS_OXIM_SAT_O2^MDC", _17="AUTO", _18=DEVICE),
    filled("OBX", 26, _3=f"8867-4^{C}^LN", _17="AUTO", _18=DEVICE),
    filled("OBX", 26, _3=f"{C}", _17="", _18=""),
    filled("PRT", 22, _10=DEVICE, _16="0084", _19="LOT", _20="SN1", _22="PUMP"),
    filled("EQU", 5, _1="A^L", _3="OP"),
    filled("INV", 20, _17="MAKER"),
    filled("SFT", 6, _1="ACME", _2="1.0", _3="LINK", _4="B1"),
]
HEADER = rf"MSH|^~\&|APP|FAC|EMR|HOSP|{C}|{C}|{{kind}}|{C}1|P|2.6|{C}|{C}|||||||||||" + "\r"
KINDS = ["ORU^R01", "ADT^A01", "OUL^R22", "RGV^O15", "ESU^U01", "ORM^O01", "MDM^T02", "ACK", "RSP^K22"]


def message(kind: str, *, before: str = "") -> bytes:
    return (HEADER.format(kind=kind) + before + "".join(SEGMENTS)).encode()


def comes_out(facts: list[object]) -> bool:
    text = repr(facts)
    return any(form in text for form in (C, C.lower(), C.encode().hex()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("frame", [True, False])
def test_every_segment(kind: str, end: str, frame: bool) -> None:
    data = message(kind).replace(b"\r", end.encode())
    data = framed(data) if frame else data
    facts = read(data * 2, framed(message("ACK", before=f"MSA|AA|{C}1|{C}|{C}|{C}|{C}\r")))
    assert len(facts) > 20
    assert not comes_out(facts)


@pytest.mark.parametrize("kind", KINDS[:2])
def test_other_delimiters(kind: str) -> None:
    data = message(kind).decode().translate(str.maketrans("|^~\\&", "#@!$%")).encode()
    assert not comes_out(read(framed(data)))


def test_torn_anywhere() -> None:
    data = framed(message("ORU^R01")) * 2
    for at in range(2, len(data), 41):
        session = Session(REGISTRY, "tcp", midstream=bool(at & 1))
        facts = session.feed(0, data[: at // 2], 1) + session.gap(0) + session.feed(0, data[at:], 1) + session.end()
        assert not comes_out(facts), at


def test_in_pieces() -> None:
    data = framed(message("ORU^R01"))
    for piece in (1, 3, 64, 1_000):
        assert not comes_out(read(data, piece=piece))


def test_no_error_tells_what_was_read() -> None:
    for bad in (b"MSH|^~\\&|||||||||CANARY\r", b"\x0bMSH|^~\\&|CANARY\r", b"\x0b\x1c\rCANARY\r"):
        assert not comes_out(read(bad + b"CANARY\r" * 2_000))
