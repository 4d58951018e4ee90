"""What is usual in a feed is read quickly: the facts are those of reading it byte by byte."""

from __future__ import annotations

import pytest

from parsers.core import Anomaly, Fact
from parsers.hl7.grammar import Grammar
from parsers.hl7.header import _parsed
from tests.parsers._hl7 import acknowledgment, claims, framed, header, read, values

HEART_RATE = "147842^MDC_ECG_HEART_RATE^MDC"
MONITOR = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"
EUI64 = "A^^0009FBFFFF9B42B3^EUI-64"
OTHER_EUI64 = "B^^0009FBFFFF9B42B4^EUI-64"
PUMP = "69985^MDC_DEV_PUMP_INFUS_VMD^MDC"
GROUP = f"OBR|1||{EUI64}"
PERSONAL = "720897^MDC_IDC_DEV_TYPE^MDC"


def message(
    number: int, *segments: str, application: str = "MONITOR", delimiters: str = "|^~\\&", **more: str
) -> bytes:
    fields = [application, "WARD7", "EMR", "HOSP", f"2026112510{number:04}", "", "", f"C{number}", "P", "2.6"]
    fields += [*[""] * 5, more["character_set"]] if more else []
    lines = "".join(f"{segment}\r" for segment in segments).replace("|", delimiters[0])
    return header(*fields, delimiters=delimiters) + lines.encode(more.get("codec", "latin-1"))


def observation(what: str = HEART_RATE, value: str = "60", method: str = "", instance: str = "") -> str:
    tail = "|" * 12 + f"{method}|{instance}" if method or instance else "|||||F"
    return f"OBX|1|NM|{what}|1.6.1.1|{value}{tail}"


USUAL = ("PID|1||4711||DOE^JANE", "OBR|1|||182777000^monitoring^SCT", observation())
MONITORED = message(5, *USUAL[:2], observation(MONITOR, instance=EUI64))
UNUSUAL = {
    "another value": [message(5, *USUAL[:2], observation(value="97"))],
    "another code": [message(5, *USUAL[:2], observation("1^OTHER^MDC"))],
    "a monitor": [message(n, *USUAL[:2], observation(MONITOR, instance=EUI64), observation()) for n in (5, 6)],
    "a method": [message(n, *USUAL[:2], observation(MONITOR, method="AMEAS", instance=EUI64)) for n in (5, 6)],
    "two monitors": [
        message(n, *USUAL[:2], observation(MONITOR, instance=EUI64.replace("B3", f"B{n}"))) for n in (5, 6)
    ],
    "an order of a monitor": [message(n, USUAL[0], f"OBR|1||{EUI64}", observation(MONITOR)) for n in (5, 6, 7)],
    "an order, escaped": [message(5, USUAL[0], "OBR|1||A^^0009FBFFFF9B42B3^EUI-\\X3634\\", observation(MONITOR))],
    "a person's device": [
        message(n, *USUAL, observation(PERSONAL), observation(MONITOR, instance=EUI64)) for n in (5, 6)
    ],
    "an answer in a report": [message(5, "MSA|AA|C1", *USUAL), message(6, "SFT|Maker|1.0|Gate|7", "MSA|AE|C2", *USUAL)],
    "a monitor of a known code": [message(5, *USUAL[:2], observation(instance=EUI64))],
    "a known code in a group": [message(5, *USUAL[:2], observation(MONITOR)), message(6, GROUP, observation(MONITOR))],
    "another monitor in a group": [
        message(5, GROUP, observation(MONITOR)),
        message(6, GROUP, observation(MONITOR, instance=OTHER_EUI64)),
    ],
    "the end of a group": [message(5, "PID|1", GROUP, observation(MONITOR), USUAL[1], observation(PUMP))],
    "orders of monitors, numbered": [
        message(n, USUAL[0], f"OBR|1||{n}^PCD^{eui}^EUI-64", observation(MONITOR))
        for n, eui in ((5, "0009FBFFFF9B42B3"), (6, "0009FBFFFF9B42B4"), (7, "0009FBFFFF9B42B3"))
    ],
    "fields elsewhere": [
        message(n, "PID|1" + "|x" * n, "OBR|1||7" + "|y" * (20 - n), observation(MONITOR, instance=EUI64))
        for n in (5, 6, 7)
    ],
    "other delimiters of repetitions": [
        message(n, *USUAL, observation(MONITOR, instance=f"{EUI64}~{EUI64}"), delimiters=delimiters)
        for n, delimiters in ((5, "|^~\\&"), (6, "|^!\\&"), (7, "|^~\\&"))
    ],
    "lines of a text": [message(n, USUAL[0], "a text", "OB", *USUAL[1:], f"OBX {n}", "end") for n in (5, 6, 7)],
    "a name that is none": [message(n, "abc|1", "MSA|AA|C1", *USUAL) for n in (5, 6)],
    "a header of others inside": [message(n, *USUAL) + b"MSH#^~\\&#A#B\rPID|1\r" for n in (5, 6)],
    "a blank line": [message(n, USUAL[0], "", *USUAL[1:]) for n in (5, 6)],
    "an answer inside": [message(n, "PID|1", "MSA|AA|C1", *USUAL[1:]) for n in (5, 6)],
    "an answer of no code": [message(n, "MSA|XX|C1", *USUAL) for n in (5, 6)],
    "participants": [
        message(n, *USUAL, f"PRT|1|AD||X^EQUIP|DOE^JANE|||||A^^0009FBFFFF9B42B{n}^EUI-64||||||UDI{n}")
        for n in (5, 6, 5)
    ],
    "answers in reports": [
        message(5, "MSA|AA|C1", *USUAL),
        message(6, "MSA|AA|C1", *USUAL),
        message(7, "SFT|Maker|1.0|Gate|7", "MSA|AA|C1", *USUAL),
    ],
    "software of others": [message(n, f"SFT|Maker {n}|1.0|Gate|7", *USUAL) for n in (5, 6, 7)],
    "a header that is none": [message(5, *USUAL, "MSH|bad"), message(6, *USUAL) + message(7, *USUAL)],
    "a segment with other delimiters": [
        message(5, GROUP, observation(MONITOR), delimiters="$^~\\&"),
        message(6, GROUP, "OBR;1", observation(PUMP), delimiters="$^~\\&").replace(b"OBR;", b"OBR|"),
    ],
    "one line of others": [MONITORED.replace(b"\rOBX", b"\nOBX")],
    "a line of two ends": [MONITORED.replace(b"\rOBX", b"\r\nOBX")],
    "a frame in a frame": [MONITORED.replace(b"\rOBX", b"\r\x0bOBX"), MONITORED.replace(b"\rOBX", b"\x0bOBX")],
    "another type": [message(5, *USUAL).replace(b"ORU^R01", b"ADT^A01")],
    "a long control id": [message(5, *USUAL).replace(b"|C5|", b"|C" + b"5" * 5000 + b"|")],
    "an answer too late": [message(5, "PID|1", "MSA|AR|C1")],
    "software": [message(n, "SFT|Maker|1.0|Gate|7", *USUAL) for n in (5, 6)],
    "nothing but a header": [message(5), message(6)],
    "empty segments": [message(5, "", *USUAL, "", "PID")],
    "another application": [message(n, *USUAL, application=f"OTHER{n & 1}") for n in range(5, 9)],
    "a secret": [message(5, *USUAL).replace(b"0005||", b"0005|letmein|")],
    "other delimiters": [message(n, *USUAL, delimiters="$@~\\&") for n in (5, 6)] + [message(7, *USUAL, "OBX$x$y$z")],
    "a segment of others": [message(5, "MSA$AA$C1", "OBX^1^2^3", *USUAL)],
    "Latin-1": [message(n, *USUAL[:2], observation("1^M\xe4rz^L", value="\xe4")) for n in (5, 6)],
    "Latin-1 elsewhere": [message(5, *USUAL[:2], observation(value="\xe4"))],
    "GB 18030": [
        message(n, *USUAL[:2], observation("1^\u4e85^L"), character_set="GB 18030-2000", codec="gb18030")
        for n in (5, 6)
    ],
    "lines of others": [message(5, *USUAL).replace(b"\r", b"\n"), message(6, *USUAL).replace(b"\r", b"\r\n")],
    "no last line end": [message(5, *USUAL).removesuffix(b"\r")],
    "a header inside": [message(5, *USUAL) + message(6, *USUAL), message(7, *USUAL)],
    "a batch inside": [message(5, *USUAL) + b"BHS|^~\\&|BATCH\r" + message(6, *USUAL)],
    "a long segment": [message(5, *USUAL, "OBX|1|ED|" + "x" * 5000, "SFT|" + "x" * 5000)],
    "too many segments": [message(5, *["NTE|1"] * 600, "SFT|Late|1.0|Gate|7")],
    "too much of them": [message(5, *[observation()] * 400, "SFT|Late|1.0|Gate|7")],
    "a blank before it": [b" " + message(5, *USUAL)],
    "no message": [b"nonsense\r", message(5, *USUAL)],
}


def feed(messages: list[bytes]) -> list[bytes]:
    """Three usual messages, then these, each answered."""
    said = [message(number, *USUAL) for number in (1, 2, 3)] + messages
    return [
        part for number, text in enumerate(said) for part in (framed(text), framed(acknowledgment(f"C{number + 1}")))
    ]


@pytest.mark.parametrize("name", UNUSUAL)
@pytest.mark.parametrize("piece", [0, 400])
def test_the_facts_are_those_of_reading_byte_by_byte(name: str, piece: int) -> None:
    said = feed([*UNUSUAL[name], message(8, *USUAL), message(9, *USUAL)])
    assert shown(read(*said, piece=piece)) == shown(read(*said, piece=1))


def test_a_feed_says_all_again_after_a_while() -> None:
    said = feed([message(number, *USUAL) for number in range(5, 300)])
    facts = read(*said)
    assert shown(facts) == shown(read(*said, piece=1))
    assert values(facts, "segment").count("OBX") == 2


def shown(facts: list[Fact]) -> list[str]:
    """What differs in anomalies is how much of a segment that is too long was there when it was left out."""
    return [repr(fact) for fact in facts if not isinstance(fact, Anomaly)]


def test_what_is_known_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    original = Grammar.fields
    _parsed.cache_clear()
    monkeypatch.setattr(Grammar, "fields", lambda grammar, data: decoded.append(data) or original(grammar, data))
    read(*feed([]))
    once = list(decoded)
    decoded.clear()
    _parsed.cache_clear()
    facts = read(*feed([message(number, *USUAL[:2], observation(value=str(number))) for number in range(5, 50)]))
    assert decoded == once
    assert len(claims(facts)) == 48
    assert values(facts, "segment").count("OBX") == 1
