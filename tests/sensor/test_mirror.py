"""Captures with planted defects: what is wrong with the mirror is said in words, by segment, and only when it is so."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest

from sensor.commands.formats import SummaryFormat
from sensor.commands.summary import summarise
from sensor.mirror import Tally, judged
from sensor.reading import read_captures
from sensor.sitekey import SiteKey
from tests.conftest import PCAPS
from tests.sensor.engine.builder import SECOND, Frame, Tcp, Wire, ethernet, ip, mac, pcap, tcp, udp


def talks(wire: Wire, count: int, vlan: int, *, sides=(0, 1), snap=None, first=0) -> None:
    """Conversations on a VLAN, of which only some sides reach the mirror."""
    for number in range(first, first + count):
        everything = Wire(wire.now_us)
        talk = Tcp(everything, ports=(10_000 + number, 443), vlans=(vlan,) if vlan else ()).open()
        for lane in (0, 1, 0, 1):
            talk.segment(lane, talk.sent[lane], bytes([number & 255]) * 40, ack=talk.sent[1 - lane], snap=snap)
            talk.sent[lane] += 40
        talk.close()
        senders = {mac(10 + side) for side in sides}
        wire.frames += [frame for frame in everything.frames if frame.data[6:12] in senders]
        wire.now_us = everything.now_us


def healthy() -> Wire:
    wire = Wire()
    talks(wire, 60, 12)
    return wire


def one_sided() -> Wire:
    wire = healthy()
    talks(wire, 60, 13, sides=(0,), first=100)
    return wire


def no_mirror() -> Wire:
    wire = Wire()
    for number in range(300):
        payload = ip("10.0.0.9", "10.0.0.255", 17, udp(137, 137, bytes([number & 255])), ident=number + 1)
        wire.put(b"\xff" * 6 + ethernet(payload)[6:])
    return wire


def duplicated() -> Wire:
    wire = Wire()
    for number in range(200):
        packet = ip("10.0.0.1", "10.0.0.2", 6, tcp(5000, 443, number, 1, 16, b"x"), ident=number + 1)
        wire.put(ethernet(packet, vlans=(12,)))
        wire.put(ethernet(packet, vlans=(14,)))
    return wire


def truncated() -> Wire:
    wire = Wire()
    talks(wire, 60, 0, snap=10)
    return wire


def clock() -> Wire:
    wire = healthy()
    wire.now_us -= 3600 * SECOND
    talks(wire, 2, 12, first=200)
    return wire


def disordered():
    """A card with queues for each direction: what the responder says comes first."""
    wire = Wire()
    for port in range(50_000, 50_060):
        talk = Tcp(wire, ports=(port, 104)).open()
        talk.send(0, b"question")
        talk.send(1, b"answer")
        wire.frames[-2:] = wire.frames[-1:] + wire.frames[-2:-1]
        talk.close()
    return wire


@pytest.fixture
def read(store, tmp_path):
    key = tmp_path / "site.key"
    SiteKey.test().save(key)

    def into(frames: list[Frame], name="defect.pcap"):
        path = tmp_path / name
        path.write_bytes(pcap(frames))
        read_captures([path], store, None, key)
        return dict(store.query(f"SELECT kind, words FROM mirror_warnings WHERE source = '{name}'"))

    return into


@pytest.mark.parametrize(
    ("defect", "kind", "says"),
    [
        (one_sided, "one-sided", "100% of the TCP conversations on vlan 13 show one side only"),
        (no_mirror, "no-mirror", "100% of the packets are broadcast or multicast"),
        (duplicated, "duplicated", "50% of the packets come twice on vlan 14; "),
        (truncated, "truncated", "of the packets are cut off; capture them whole"),
        (clock, "clock", "the clock went back by more than a second, once"),
        (disordered, "disordered", "60 times an answer came before what it answers"),
    ],
)
def test_a_defect_is_said_and_nothing_else(read, store, defect, kind, says):
    found = read(defect().frames)
    assert list(found) == [kind]
    assert says in found[kind]
    out = io.StringIO()
    with redirect_stdout(out):
        summarise(store, SummaryFormat.TABLE)
    assert "defect.pcap: " in out.getvalue()
    assert says[:40] in " ".join(out.getvalue().split())


def test_a_good_mirror_has_no_complaint(read):
    assert read(healthy().frames) == {}


def test_our_own_captures_have_no_complaint(store, tmp_path):
    key = tmp_path / "site.key"
    SiteKey.test().save(key)
    read_captures([PCAPS / "mixed" / "morning.pcap"], store, None, key)
    assert store.query("SELECT * FROM mirror_warnings") == []


def test_numbers_by_segment_are_true(read, store):
    read(one_sided().frames)
    (good, bad) = store.query(
        "SELECT segment, packets, tcp_conversations, one_sided, conversations, understood"
        " FROM segments ORDER BY segment"
    )
    assert good == ("vlan 12", 60 * 10, 60, 0, 60, 0)
    assert bad == ("vlan 13", 60 * 6, 60, 60, 60, 0)


def test_reading_again_changes_nothing_and_forgetting_takes_all(read, store):
    """Once more under another name, which is the same capture."""
    frames = one_sided().frames
    read(frames)
    before = [store.query(f"SELECT * FROM {name} ORDER BY ALL") for name in ("traffic", "segments", "mirror_warnings")]
    read(frames)
    assert before == [
        store.query(f"SELECT * FROM {name} ORDER BY ALL") for name in ("traffic", "segments", "mirror_warnings")
    ]
    assert all(before)


def test_a_table_that_is_too_small_is_said():
    (warning,) = judged(Tally(), {"evicted_flows": 1_234})
    assert warning.kind == "crowded"
    assert "1,234 conversations were forgotten" in warning.words
    assert judged(Tally(), {"evicted_flows": 0}) == []
