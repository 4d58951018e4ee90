"""What `spanward doctor` says of a computer, from what the computer says of itself."""

from __future__ import annotations

import json
import os

import pytest

from sensor.cli import run
from sensor.doctor import Verdict, machine
from sensor.doctor.machine import disk, kernel, memory, rights

MIB = 1 << 20


def test_capabilities_are_read_from_their_bits(tmp_path):
    status = tmp_path / "status"
    for bits, has in (("0000000000002000", True), ("0000000000001fff", False), ("000001ffffffffff", True)):
        status.write_text(f"Name:\tpython\nCapInh:\t0000000000002000\nCapEff:\t{bits}\n")
        assert machine.has_net_raw(status) is has


def test_rights_matter_to_those_who_capture(monkeypatch):
    monkeypatch.setattr(machine, "has_net_raw", lambda: False)
    assert (rights(needed=True).verdict, rights(needed=False).verdict) == (Verdict.PROBLEM, Verdict.WARNING)
    assert "AmbientCapabilities=CAP_NET_RAW" in rights(needed=True).remedy


@pytest.mark.parametrize(
    ("release", "verdict"),
    [("6.1.0-13-amd64", Verdict.OK), ("3.2", Verdict.OK), ("3.1.10-1", Verdict.PROBLEM), ("odd", Verdict.PROBLEM)],
)
def test_a_kernel_without_tpacket_3_is_a_problem(monkeypatch, release, verdict):
    monkeypatch.setattr(machine.platform, "release", lambda: release)
    assert kernel().verdict is verdict


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(64 * MIB - 1, "problem"), (128 * MIB, "warning"), (256 * MIB, "warning"), (1024 * MIB, "ok"), (576 * MIB, "ok")],
)
def test_rings_and_a_worker_have_to_fit_into_memory(free, verdict):
    assert memory(64 * MIB, 512 * MIB, free).verdict == verdict


def test_a_control_group_may_have_less_than_the_machine(tmp_path):
    (tmp_path / "memory.max").write_text(f"{100 * MIB}\n")
    (tmp_path / "memory.current").write_text(f"{30 * MIB}\n")
    assert machine._cgroup(tmp_path) == 70 * MIB
    (tmp_path / "memory.max").write_text("max\n")
    assert machine._cgroup(tmp_path) is None


@pytest.mark.parametrize(
    ("state", "verdict"),
    [((0, 0, 12_000), "ok"), ((5, 0x40, 16_000_000), "warning"), ((0, 0x40, 1), "warning"), (None, "ok")],
)
def test_a_clock_that_nobody_keeps_is_named(monkeypatch, state, verdict):
    monkeypatch.setattr(machine, "_adjtimex", lambda: state)
    assert machine.clock().verdict == verdict


def test_the_disk_has_to_have_room_for_the_store(tmp_path, monkeypatch):
    assert disk(tmp_path / "nowhere" / "s.duckdb").verdict is Verdict.PROBLEM
    for free, verdict in ((10 * MIB, "problem"), (500 * MIB, "warning"), (9000 * MIB, "ok")):
        usage = type("Usage", (), {"free": free})()
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda _, usage=usage: usage)
        assert disk(tmp_path / "s.duckdb").verdict == verdict


def test_an_interpreted_engine_is_too_slow_for_a_mirror(monkeypatch):
    monkeypatch.setattr(machine, "COMPILED", False)
    assert machine.engine().verdict is Verdict.PROBLEM


def test_a_missing_tshark_hurts_nobody(monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda _: None)
    assert (machine.tshark().verdict, machine.tshark().remedy) == (Verdict.OK, "apt install tshark")


def test_the_command_writes_json_and_a_table(tmp_path, capfdbinary):
    store = str(tmp_path / "s.duckdb")
    status = run(["doctor", "--store", store, "--format", "json"])
    report = json.loads(capfdbinary.readouterr().out)
    assert status == (1 if report["problems"] else 0)
    assert {check["name"] for check in report["checks"]} >= {"rights", "kernel", "memory", "clock", "disk", "engine"}
    run(["doctor", "--store", store])
    assert b"so it is" in capfdbinary.readouterr().out


def test_names_need_not_be_text(tmp_path, capfdbinary):
    store = tmp_path / os.fsdecode(b"ger\xe4t.duckdb")
    assert run(["doctor", "--store", str(store), "-i", os.fsdecode(b"eth\xe4"), "--format", "json"]) == 1
    said = [check["says"] for check in json.loads(capfdbinary.readouterr().out)["checks"]]
    assert "there is no interface eth?" in said
    assert any(str(tmp_path / "ger?t.duckdb") in line for line in said)


def test_an_interface_that_is_not_there_is_a_problem(tmp_path, capfdbinary):
    assert run(["doctor", "-i", "nothing0", "--store", str(tmp_path / "s.duckdb"), "--format", "json"]) == 1
    checks = json.loads(capfdbinary.readouterr().out)["checks"]
    assert checks[-1]["says"] == "there is no interface nothing0"
