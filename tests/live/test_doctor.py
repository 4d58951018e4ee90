"""`spanward doctor` on a mirror of our own: what is wrong with it is found, and what is not wrong is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from sensor.commands.doctor import doctor
from sensor.commands.formats import SummaryFormat
from sensor.doctor import Verdict, card, listening
from sensor.settings import Settings
from tests.live.mirror import ip
from tests.sensor.engine.builder import pcap
from tests.sensor.test_mirror import duplicated, healthy, no_mirror, one_sided


@contextmanager
def playing(mirror, wire, folder, *ways):
    """The capture comes again and again."""
    path, over = folder / "played.pcap", threading.Event()
    path.write_bytes(pcap(wire.frames))

    def play():
        while not over.is_set():
            mirror.send(path, *ways)

    player = threading.Thread(target=play)
    player.start()
    try:
        yield
    finally:
        over.set()
        player.join()


def listened(mirror, wire, folder):
    with playing(mirror, wire, folder):
        return {(check.name, check.says.partition(" ")[0]): check for check in listening.examine([mirror.name], 2)}


def looked_at(mirror):
    return {check.name.removeprefix(mirror.name).strip(): check for check in card.examine(mirror.name)}


@pytest.mark.parametrize(
    ("defect", "says", "verdict"),
    [
        (one_sided, "conversations on vlan 13 show one side only", Verdict.WARNING),
        (duplicated, "of the packets come twice on vlan 14", Verdict.WARNING),
        (no_mirror, "100% of the packets are broadcast or multicast", Verdict.PROBLEM),
    ],
)
def test_a_defect_is_heard(mirror, tmp_path, defect, says, verdict):
    found = [check for check in listened(mirror, defect(), tmp_path).values() if says in check.says]
    assert [check.verdict for check in found] == [verdict]
    assert found[0].remedy


def test_a_good_mirror_is_good(mirror, tmp_path):
    found = listened(mirror, healthy(), tmp_path).values()
    said = {check.name: check for check in found}
    assert said["mirror mirror"].verdict is Verdict.OK
    assert said["mirror traffic"].says.endswith("; vlan 12")


def test_a_tap_that_has_an_interface_for_each_direction_is_good(mirror, tmp_path):
    mirror.tap()
    with playing(mirror, healthy(), tmp_path, "source", "source2"):
        found = list(listening.examine([mirror.name, mirror.second], 2))
    assert [check.name for check in found if check.verdict is not Verdict.OK] == ["mirror,second conversations"]
    names = ["mirror traffic", "second traffic", "mirror,second conversations", "mirror,second mirror"]
    assert [check.name for check in found] == names
    assert not any(check.says.startswith("0 packets/s") for check in found)


def test_of_two_interfaces_the_silent_one_is_named(mirror, tmp_path):
    mirror.tap()
    with playing(mirror, healthy(), tmp_path):
        found = list(listening.examine([mirror.name, mirror.second], 1))
    assert [check.name for check in found if check.verdict is Verdict.PROBLEM] == ["second mirror"]


def test_silence_is_a_problem_and_the_exit_status_says_so(mirror, tmp_path, capfdbinary):
    assert doctor([mirror.name], 0.5, tmp_path / "s.duckdb", SummaryFormat.JSON, Settings(ring_mib=8)) == 1
    report = json.loads(capfdbinary.readouterr().out)
    (silent,) = (check for check in report["checks"] if check["says"].startswith("silent"))
    assert (silent["name"], silent["verdict"]) == ("mirror mirror", "problem")
    assert report["problems"] == 1


def test_a_good_card_is_good(mirror):
    found = looked_at(mirror)
    assert {name: check.verdict for name, check in found.items() if name != "offloads"} == {
        "link": Verdict.OK,
        "promiscuous": Verdict.OK,
        "addresses": Verdict.OK,
        "drops": Verdict.OK,
    }


def test_a_link_that_is_down_or_has_nothing_at_its_end(mirror):
    mirror.switch("down")
    assert (looked_at(mirror)["link"].verdict, looked_at(mirror)["link"].remedy) == (
        Verdict.PROBLEM,
        "ip link set dev mirror up",
    )
    mirror.switch("up")
    ip("link", "set", "source", "down", namespace=mirror.sender)
    assert looked_at(mirror)["link"].says == "is up, but has no carrier"


def test_an_address_on_a_mirror_port_is_named(mirror):
    ip("address", "add", "192.0.2.7/24", "dev", mirror.name, namespace=mirror.receiver)
    check = looked_at(mirror)["addresses"]
    assert (check.verdict, check.says.partition(":")[0]) == (Verdict.WARNING, "192.0.2.7")


def test_offloads_are_what_ethtool_says(mirror):
    """A virtual interface merges nothing until it is told to."""
    before = looked_at(mirror)["offloads"]
    card_gro(mirror.name, on=not card._ethtool(mirror.name, card._GET_GRO))
    after = looked_at(mirror)["offloads"]
    assert {before.verdict, after.verdict} == {Verdict.OK, Verdict.WARNING}
    (merging,) = (check for check in (before, after) if check.verdict is Verdict.WARNING)
    assert merging.remedy == "ethtool -K mirror gro off"


def card_gro(name, *, on):
    """ETHTOOL_SGRO."""
    import ctypes
    import fcntl
    import socket
    import struct

    words = (ctypes.c_uint32 * 2)(0x2C, int(on))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8946, struct.pack("@16sP16x", name.encode(), ctypes.addressof(words)))


def test_an_interface_that_is_not_there(mirror):
    (check,) = card.examine("nothing0")
    assert check.verdict is Verdict.PROBLEM
    assert mirror.name in check.remedy


def test_without_rights_it_says_how_to_get_them(mirror, tmp_path):
    code = "import sys; from sensor import sandbox; sandbox._drop_capabilities(); from sensor.cli import run; "
    code += f"sys.exit(run(['doctor', '-i', '{mirror.name}', '--format', 'json']))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=dict(os.environ), cwd=tmp_path
    )
    checks = {check["name"]: check for check in json.loads(said.stdout)["checks"]}
    assert (said.returncode, checks["rights"]["verdict"]) == (1, "problem")
    assert "CAP_NET_RAW" in checks["rights"]["remedy"]
    assert checks["mirror promiscuous"]["says"] == "was not tried, for want of rights"
    assert "mirror traffic" not in checks
