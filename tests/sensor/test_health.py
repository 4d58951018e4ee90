"""What is wrong with a mirror is said once, in words, and once more when it is over."""

from __future__ import annotations

import pyarrow as pa

from sensor.health import CONVERSATIONS_MIN, SILENT_S, Mirror
from sensor.rows import SCHEMAS


def conversations(n, one_sided, unanswered=0, transport="tcp"):
    row = {"transport": transport, "n": n, "one_sided_count": one_sided, "unanswered_count": unanswered}
    return {"fact_conversation": pa.Table.from_pylist([row], schema=SCHEMAS["fact_conversation"])}


def test_silence_and_its_end():
    mirror = Mirror("eth1", 0)
    assert mirror.look({"packets": 5}, 1) == []
    assert mirror.look({"packets": 5}, SILENT_S) == []
    assert mirror.look({"packets": 5}, SILENT_S + 1) == [
        "eth1: silent for 60 s; is the mirror on, and this the right port?"
    ]
    assert mirror.look({"packets": 5}, SILENT_S + 9) == []
    assert mirror.look({"packets": 6}, SILENT_S + 10) == ["eth1: packets come again"]


def test_losses_are_counted_since_the_last_look():
    mirror = Mirror("eth1", 0)
    first = {"packets": 90, "kernel_packets": 100, "kernel_drops": 10}
    (line,) = mirror.look(first, 1)
    assert line.startswith("eth1: 10 of 100 packets were lost")
    assert mirror.look(first | {"packets": 91, "kernel_packets": 101}, 2) == ["eth1: no more packets are lost"]
    (line,) = mirror.look(first | {"packets": 93, "kernel_packets": 103, "interface_drops": 2}, 3)
    assert line.startswith("eth1: 2 of 4 packets were lost")


def test_an_interface_that_is_gone():
    mirror = Mirror("eth1", 0)
    assert "is down or gone" in mirror.look({"packets": 1, "interfaces_lost": 1}, 1)[0]
    assert mirror.look({"packets": 2, "interfaces_lost": 0}, 2) == ["eth1: is back"]


def test_one_sided_conversations_but_neither_scans_nor_datagrams():
    mirror = Mirror("eth1", 0)
    mirror.count(conversations(1000, 1000, unanswered=1000))
    mirror.count(conversations(1000, 1000, transport="udp"))
    mirror.count({})
    assert mirror.look({"packets": 1}, 1) == []
    mirror.count(conversations(CONVERSATIONS_MIN, CONVERSATIONS_MIN))
    (line,) = mirror.look({"packets": 2}, 2)
    assert line.startswith("eth1: 100% of the TCP conversations show one side only")
    mirror.count(conversations(CONVERSATIONS_MIN, 0))
    assert mirror.look({"packets": 3}, 3) == ["eth1: conversations show both sides again"]


def test_shedding_is_said_level_by_level_and_so_is_its_end():
    mirror = Mirror("eth1", 0)
    assert mirror.look({"packets": 1}, 1) == []
    raised = {"packets": 2, "shed_level": 2, "shed_to_1": 1, "shed_to_2": 1}
    first, second = mirror.look(raised, 2)
    assert first.startswith("eth1: falls behind: of long conversations only a part is read")
    assert second.startswith("eth1: falls further behind: less is read of each turn")
    assert mirror.look(raised | {"packets": 3, "shed_level": 1}, 3) == ["eth1: turns are read as usual again"]
    assert mirror.look(raised | {"packets": 4, "shed_level": 0}, 4) == ["eth1: long conversations are read again"]


def test_shedding_that_was_over_before_anybody_looked_is_said_too():
    mirror = Mirror("eth1", 0)
    (line,) = mirror.look({"packets": 2, "shed_level": 0, "shed_to_1": 1}, 1)
    assert "falls behind" in line
    assert mirror.look({"packets": 3, "shed_level": 0, "shed_to_1": 1}, 2) == [
        "eth1: long conversations are read again"
    ]
