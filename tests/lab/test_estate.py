"""The hospital's network: a mirror sees what is routed, and nothing is left of it, whatever happens."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PCAPS

TOOLS = ("ip", "tc", "ethtool", "tcpdump")
MR, SERVER = ("mr", "00:00:5e:00:53:11", "10.21.2.9"), ("server", "00:00:5e:00:53:12", "10.21.1.9")
ECHO_REQUEST, ECHO_REPLY = 8, 0
TYPE_AT = 20  # in an IPv4 packet without options
TAG_AT, PACKET_AT, PROTOCOL_AT = 14, 18, 27  # in a frame with an 802.1Q tag
PCAP_HEADER_BYTES, RECORD_HEADER = 24, struct.Struct("<IIII")
PATIENCE_S = 10


class OnPurposeError(Exception):
    """What goes wrong half-way."""


@pytest.fixture
def estate(monkeypatch: pytest.MonkeyPatch) -> Any:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs root on Linux, to make network namespaces")
    if lacking := [tool for tool in TOOLS if not shutil.which(tool)]:
        pytest.skip(f"there is no {', '.join(lacking)}")
    probe = f"spwprobe{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces cannot be made here")
    subprocess.run(["ip", "netns", "del", probe], check=True)
    monkeypatch.syspath_prepend(PCAPS / "lab")
    return importlib.import_module("_estate")


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def answers(host: Any, ip: str) -> bool:
    """Whether a machine answers another's ping."""
    request = struct.pack(">BBHHH", ECHO_REQUEST, 0, 0, 1, 1)
    request = request[:2] + struct.pack(">H", checksum(request)) + request[4:]
    with host.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.settimeout(PATIENCE_S)
        sock.sendto(request, (ip, 0))
        return sock.recv(1500)[TYPE_AT] == ECHO_REPLY


def lasting(host: Any) -> subprocess.Popen[bytes]:
    """A program in a machine that nobody ends."""
    with host.inside():
        return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])


def pings(capture: Path) -> Iterator[tuple[int, int]]:
    """VLAN and ICMP type of each echo that was recorded."""
    data, at = capture.read_bytes(), PCAP_HEADER_BYTES
    while at < len(data):
        _, _, kept, _ = RECORD_HEADER.unpack_from(data, at)
        frame = data[at + RECORD_HEADER.size : at + RECORD_HEADER.size + kept]
        if frame[PACKET_AT - 2 : PACKET_AT] == b"\x08\x00" and frame[PROTOCOL_AT] == socket.IPPROTO_ICMP:
            yield struct.unpack_from(">H", frame, TAG_AT)[0], frame[PACKET_AT + TYPE_AT]
        at += RECORD_HEADER.size + kept


def left(module: Any, network: Any) -> list[str]:
    """What is left of a network: namespaces, folders, programs."""
    prefix = network.switch.removesuffix("-switch")
    namespaces = [name for name in Path("/run/netns").iterdir() if name.name.startswith(prefix)]
    folders = list(module.ETC.glob(f"{prefix}*"))
    running = [process for process in network._processes if process.poll() is None]
    return [str(thing) for thing in (*namespaces, *folders, *running)]


def half_way(network: Any, capture: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Plug machines in, leave a program running, record a ping, and fail."""
    with network:
        machine, server = network.host(*MR), network.host(*SERVER)
        yield lasting(machine)
        with network.mirrored({"span": capture}):
            assert answers(machine, server.ip)
            raise OnPurposeError


def test_a_mirror_sees_a_ping_in_both_vlans_and_a_failure_leaves_nothing(estate: Any, tmp_path: Path) -> None:
    network, capture = estate.Estate(), tmp_path / "span.pcap"
    playing = half_way(network, capture)
    forgotten = next(playing)
    assert left(estate, network) != []
    with pytest.raises(OnPurposeError):
        next(playing)
    forgotten.wait(timeout=PATIENCE_S)
    assert left(estate, network) == []
    vids, kinds = (estate.SERVERS.vid, estate.IMAGING.vid), (ECHO_REPLY, ECHO_REQUEST)
    assert sorted(pings(capture)) == [(vid, kind) for vid in vids for kind in kinds]


def test_building_that_fails_half_way_leaves_nothing(estate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OnPurposeError

    network = estate.Estate()
    monkeypatch.setattr(network, "_wire_outside", fails)
    with pytest.raises(OnPurposeError), network:
        pass
    assert left(estate, network) == []


def test_a_machine_that_is_taken_away_is_gone_from_the_network(estate: Any) -> None:
    with estate.Estate() as network:
        machine = network.host(*MR)
        forgotten = lasting(machine)
        network.unplug(machine)
        forgotten.wait(timeout=PATIENCE_S)
        assert network.known(machine.name) is None
    assert left(estate, network) == []
