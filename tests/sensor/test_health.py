"""What is wrong with a mirror is said once, in words, and once more when it is over."""

from __future__ import annotations

from sensor.health import SILENT_S, Mirror
from sensor.mirror import CONVERSATIONS_MIN, PACKETS_MIN, PLACES_MAX, Tally
from tests.tables import made


def conversations(n, one_sided, unanswered=0, transport="tcp", **place):
    number = hash((transport, *place.values())) & 2**63 - 1
    kind = {"id": number, "transport": transport, **place}
    row = {"kind": number, "n": n, "one_sided_count": one_sided, "unanswered_count": unanswered}
    return {name: [made(name, [one])] for name, one in (("kind", kind), ("fact_conversation", row))}


def traffic(packets, interface="eth1", segment="", **counts):
    row = {"interface": interface, "segment": segment, "packets": packets, **counts}
    return {"fact_traffic": [made("fact_traffic", [row])]}


def test_silence_and_its_end():
    mirror = Mirror(["eth1"], 0)
    assert mirror.look({"packets": 5}, 1) == []
    assert mirror.look({"packets": 5}, SILENT_S) == []
    assert mirror.look({"packets": 5}, SILENT_S + 1) == [
        "eth1: silent for 60 s; is the mirror on, and this the right port?"
    ]
    assert mirror.look({"packets": 5}, SILENT_S + 9) == []
    assert mirror.look({"packets": 6}, SILENT_S + 10) == ["eth1: packets come again"]


def test_losses_are_counted_since_the_last_look():
    mirror = Mirror(["eth1"], 0)
    first = {"packets": 90, "kernel_packets": 100, "kernel_drops": 10}
    (line,) = mirror.look(first, 1)
    assert line.startswith("eth1: 10 of 100 packets were lost")
    assert mirror.look(first | {"packets": 91, "kernel_packets": 101}, 2) == ["eth1: no more packets are lost"]
    (line,) = mirror.look(first | {"packets": 93, "kernel_packets": 103, "interface_drops": 2}, 3)
    assert line.startswith("eth1: 2 of 4 packets were lost")


def test_an_interface_that_is_gone():
    mirror = Mirror(["eth1"], 0)
    assert "is down or gone" in mirror.look({"packets": 1, "interfaces_lost": 1}, 1)[0]
    assert mirror.look({"packets": 2, "interfaces_lost": 0}, 2) == ["eth1: is back"]


def test_of_several_interfaces_the_one_that_is_gone_is_named():
    mirror = Mirror(["eth1", "eth2", "eth3"], 0)
    lost = "is down or gone; nothing can be seen there until it is back"
    assert mirror.look({"packets": 1, "interfaces_lost": 0b110}, 1) == [f"eth2: {lost}", f"eth3: {lost}"]
    assert mirror.look({"packets": 2, "interfaces_lost": 0b100}, 2) == ["eth2: is back"]
    assert [(warning.interface, warning.kind) for warning in mirror.standing] == [("eth3", "lost")]


def test_an_interface_that_was_gone_between_two_looks():
    mirror = Mirror(["eth1", "eth2"], 0)
    moment = "eth1,eth2: was down or gone for a moment; nothing could be seen there meanwhile"
    assert mirror.look({"packets": 1, "interface_losses": 1}, 1) == [moment]
    assert mirror.look({"packets": 2, "interface_losses": 2}, 2) == []
    (line,) = mirror.look({"packets": 3, "interface_losses": 4, "interfaces_lost": 1}, 3)
    assert line.startswith("eth1: is down or gone")
    over = ["eth1,eth2: does not come and go any more"]
    assert mirror.look({"packets": 4, "interface_losses": 4, "interfaces_lost": 1}, 4) == over


def test_one_sided_conversations_but_neither_scans_nor_datagrams():
    mirror = Mirror(["eth1"], 0)
    mirror.count(conversations(1000, 1000, unanswered=1000))
    mirror.count(conversations(1000, 1000, transport="udp"))
    mirror.count({})
    assert mirror.look({"packets": 1}, 1) == []
    mirror.count(conversations(CONVERSATIONS_MIN, CONVERSATIONS_MIN))
    (line,) = mirror.look({"packets": 2}, 2)
    assert line.startswith("eth1: 100% of the TCP conversations show one side only")
    mirror.count(conversations(CONVERSATIONS_MIN, 0))
    assert mirror.look({"packets": 3}, 3) == ["eth1: conversations show both sides again"]


def test_one_bad_vlan_is_named_among_good_ones():
    mirror = Mirror(["eth1"], 0)
    mirror.count(conversations(1000, 0, interface="eth1", segment="vlan 12"))
    mirror.count(conversations(60, 55, interface="eth1", segment="vlan 13"))
    assert mirror.look({"packets": 1}, 1) == [
        "eth1: 92% of the TCP conversations on vlan 13 show one side only; mirror both directions (rx and tx)"
    ]


def test_copies_are_said_with_their_vlan_until_they_end():
    mirror = Mirror(["eth1"], 0)
    mirror.count(traffic(PACKETS_MIN, segment="vlan 12"))
    mirror.count(traffic(PACKETS_MIN, segment="vlan 14", duplicates=PACKETS_MIN))
    (line,) = mirror.look({"packets": 1}, 1)
    assert line.startswith("eth1: 50% of the packets come twice on vlan 14; ")
    assert [(warning.interface, warning.kind) for warning in mirror.standing] == [("eth1", "duplicated")]
    mirror.count(traffic(PACKETS_MIN - 1))
    assert mirror.look({"packets": 2}, 2) == []
    mirror.count(traffic(1))
    assert mirror.look({"packets": 3}, 3) == ["eth1: packets come once again"]
    assert mirror.standing == []


def test_interfaces_are_judged_apart():
    mirror = Mirror(["eth1", "eth2"], 0)
    mirror.count(traffic(PACKETS_MIN, "eth1", group_packets=PACKETS_MIN))
    mirror.count(traffic(PACKETS_MIN, "eth2", truncated=PACKETS_MIN))
    said = mirror.look({"packets": 1}, 1)
    assert [line.partition(" of the packets ")[0] for line in said] == ["eth1: 100%", "eth2: 100%"]
    assert "this is no mirror" in said[0]
    assert "are cut off" in said[1]


def test_what_stands_is_told_as_it_is_now():
    mirror = Mirror(["eth1"], 0)
    mirror.look({"packets": 5}, 1)
    mirror.look({"packets": 5}, SILENT_S + 1)
    assert mirror.look({"packets": 5}, SILENT_S + 100) == []
    assert mirror.standing[0].words.startswith("silent for 159 s")


def test_a_clock_that_is_set_back_is_said():
    mirror = Mirror(["eth1"], 0)
    (line,) = mirror.look({"packets": 5, "clock_jumps": 2}, 1)
    assert line.startswith("eth1: the clock went back by more than a second, 2 times")
    assert mirror.look({"packets": 6, "clock_jumps": 2}, 2) == ["eth1: the clock goes forward again"]


def test_directions_out_of_order_are_said():
    mirror = Mirror(["eth1"], 0)
    (line,) = mirror.look({"packets": 900, "tcp_segments": 900, "early_turns": 60}, 1)
    assert line.startswith("eth1: 60 times an answer came before what it answers")
    over = mirror.look({"packets": 100_900, "tcp_segments": 100_900, "early_turns": 120}, 2)
    assert over == ["eth1: answers come after what they answer again"]


def test_what_there_is_no_room_for_is_said():
    mirror = Mirror(["eth1"], 0)
    assert mirror.look({"packets": 5, "evicted_flows": 0}, 1) == []
    (line,) = mirror.look({"packets": 6, "evicted_flows": 2_000, "evicted_sessions": 30, "evicted_facts": 4}, 2)
    assert line.startswith("eth1: no room: 2,000 conversations were forgotten, 30 read on as if")
    assert "4 facts are not stated again" in line
    mirror.look({"packets": 7, "evicted_flows": 2_000, "evicted_sessions": 30, "evicted_facts": 4}, 3)
    assert mirror.standing == []


def test_what_a_worker_claims_is_bounded():
    """It may have been taken over: any number of places, and nothing where numbers should be."""
    tally = Tally()
    rows = [{"interface": f"{number}", "packets": 1} for number in range(PLACES_MAX + 10)] + [{"packets": None}]
    tally.add({"fact_traffic": [made("fact_traffic", rows)]})
    assert len(tally.traffic) == PLACES_MAX + 1
    assert tally.packets == PLACES_MAX + 10


def test_shedding_is_said_level_by_level_and_so_is_its_end():
    mirror = Mirror(["eth1"], 0)
    assert mirror.look({"packets": 1}, 1) == []
    raised = {"packets": 2, "shed_level": 2, "shed_to_1": 1, "shed_to_2": 1}
    first, second = mirror.look(raised, 2)
    assert first.startswith("eth1: falls behind: of long conversations only a part is read")
    assert second.startswith("eth1: falls further behind: less is read of each turn")
    assert mirror.look(raised | {"packets": 3, "shed_level": 1}, 3) == ["eth1: turns are read as usual again"]
    assert mirror.look(raised | {"packets": 4, "shed_level": 0}, 4) == ["eth1: long conversations are read again"]


def test_shedding_that_was_over_before_anybody_looked_is_said_too():
    mirror = Mirror(["eth1"], 0)
    (line,) = mirror.look({"packets": 2, "shed_level": 0, "shed_to_1": 1}, 1)
    assert "falls behind" in line
    assert mirror.look({"packets": 3, "shed_level": 0, "shed_to_1": 1}, 2) == [
        "eth1: long conversations are read again"
    ]
