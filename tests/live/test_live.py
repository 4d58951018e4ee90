"""Live capture over a pair of virtual interfaces: what is seen equals the file, and what goes wrong is said."""

from __future__ import annotations

import os
import signal
import threading
from ctypes.util import find_library

import msgspec
import pytest

from sensor.capture.errors import CaptureError, CaptureUnreadable
from sensor.live import NICE, Live, LiveJob
from sensor.reading import read_captures
from sensor.recorder import WORKER
from sensor.sitekey import SiteKey
from sensor.store import Store, StoreFull
from tests.api.stores import client_of
from tests.captures import own_captures
from tests.conftest import PCAPS
from tests.live.tagged import tagged
from tests.sensor.engine.builder import pcap
from tests.sensor.test_mirror import duplicated

MORNING = PCAPS / "mixed" / "morning.pcap"
PATIENCE_S = 60
NO_LIBPCAP = pytest.mark.skipif(not find_library("pcap"), reason="needs libpcap")
WAYS = ["afpacket", pytest.param("libpcap", marks=NO_LIBPCAP)]
# All that depends on when, how often and in which order; `day` and `id`, a hash of the key with the day in it, too.
VOLATILE = ("capture", "day", "id", "first_ts", "last_ts", "n", "hours", "frame")
FIRST_SIGHT = ("community_id",)  # evidence: the first conversation, in each of two workers another one
FACTS = ("attributes", "channels", "certificate_sightings", "authentications", "anomalies", "conversations")


class Watched(Live):
    """A `Live` whose lines can be waited for."""

    def __init__(self, store, job, command=WORKER):
        self.lines, self.news = [], threading.Condition()
        self.failed = threading.Event()
        super().__init__(store, job, infer=lambda: None, say=self._hear, fail=self.failed.set, command=command)

    def _hear(self, line):
        with self.news:
            self.lines.append(line)
            self.news.notify_all()

    def _begin(self, talk):
        self._hear(f"worker {talk.pid}")
        super()._begin(talk)

    def wait_for(self, text, count=1):
        with self.news:
            heard = self.news.wait_for(lambda: self.count(text) >= count, PATIENCE_S)
        assert heard, f"{text!r} was not said, but {self.lines}"

    def wait_for_workers(self, count):
        with self.news:
            heard = self.news.wait_for(lambda: len(self.pids()) >= count, PATIENCE_S)
        assert heard, f"{count} workers were not started, but {self.lines}"

    def count(self, text):
        return sum(text in line for line in self.lines)

    def pids(self):
        return [int(line.split()[1]) for line in self.lines if line.startswith("worker ")]


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "site.key"
    SiteKey.test().save(path)
    return path


@pytest.fixture
def live(mirror, store, key):
    """Starts live captures, and ends those that the test has not ended."""
    made = []

    def start(workers=1, way="afpacket", names=(mirror.name,), command=WORKER):
        job = LiveJob(names, workers, None, key, cut_s=0.2, ring_bytes=8 << 20, way=way)
        made.append(Watched(store, job, command))
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.stop()


def facts(store, more=()):
    left_out = [*VOLATILE, *more, "interface"]  # an interface is nothing that a file knows
    columns = f"COLUMNS(lambda name: name NOT IN {tuple(left_out)})"
    return {name: sorted(map(repr, set(store.query(f"SELECT {columns} FROM {name}")))) for name in FACTS}


def from_file(path, key, folder, more=()):
    with Store.open(folder / "file.duckdb") as store:
        read_captures([path], store, None, key)
        return facts(store, more)


def counters(store):
    found = store.query("SELECT counters FROM capture")
    total = {}
    for (text,) in found:
        for name, count in msgspec.json.decode(text).items():
            total[name] = total.get(name, 0) + count
    return total


@pytest.mark.parametrize("way", WAYS)
def test_facts_are_those_of_the_file(mirror, live, store, key, tmp_path, way):
    running = live(way=way)
    mirror.send(MORNING)
    running.stop()
    said = counters(store)
    assert (said["packets"], said["kernel_packets"], said["kernel_drops"]) == (1331, 1331, 0)
    assert facts(store) == from_file(MORNING, key, tmp_path)
    assert store.query("SELECT name, complete, damaged FROM capture") == [(mirror.name, True, None)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_tap_that_has_an_interface_for_each_direction_is_read_in_order(mirror, live, store, key, tmp_path, workers):
    mirror.tap()
    running = live(workers, names=(mirror.name, mirror.second))
    mirror.send(MORNING, "source", "source2")
    running.stop()
    assert counters(store)["packets"] == 1331
    carried = dict(store.query("SELECT interface, sum(packets) FROM traffic GROUP BY interface"))
    assert sum(carried.values()) == 1331
    assert min(carried[mirror.name], carried[mirror.second]) > 400
    assert facts(store, FIRST_SIGHT) == from_file(MORNING, key, tmp_path, FIRST_SIGHT)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tags", [[(0x8100, 12)], [(0x88A8, 7), (0x8100, 12)]], ids=["802.1Q", "QinQ"])
def test_vlan_tags_that_the_kernel_took_out_are_seen(mirror, live, store, key, tmp_path, tags, way):
    capture = tmp_path / "tagged.pcap"
    capture.write_bytes(tagged((PCAPS / "dicom" / "echo.pcap").read_bytes(), tags))
    running = live(way=way)
    mirror.send(capture)
    running.stop()
    assert counters(store)["vlan_packets"] == counters(store)["packets"] > 0
    assert facts(store) == from_file(capture, key, tmp_path)


def test_two_workers_share_the_conversations(mirror, live, store, key, tmp_path):
    running = live(workers=2)
    mirror.send(MORNING)
    running.stop()
    shares = [packets for (packets,) in store.query("SELECT packets FROM capture")]
    assert len(shares) == 2
    assert sum(shares) == 1331
    assert min(shares) > 0
    names = FACTS[:-1]  # sums of conversations are each worker's own
    seen, read = facts(store, FIRST_SIGHT), from_file(MORNING, key, tmp_path, FIRST_SIGHT)
    assert {name: seen[name] for name in names} == {name: read[name] for name in names}


def test_a_batch_is_committed_part_by_part(mirror, live, store, key, tmp_path, monkeypatch):
    monkeypatch.setattr("sensor.live.PART_BYTES", 1)
    running = live()
    mirror.send(MORNING)
    running.stop()
    assert facts(store) == from_file(MORNING, key, tmp_path)
    assert store.query("SELECT count(*) FROM batch")[0][0] >= len(FACTS)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_goes_wrong_while_rows_are_written_ends_it_and_is_said(mirror, live, monkeypatch):
    def broken(_reading, _word):
        raise RuntimeError("broken")

    running = live()
    monkeypatch.setattr("sensor.live._Reading.commit", broken)
    mirror.send(MORNING)
    assert running.failed.wait(PATIENCE_S)
    running.stop()
    assert "rows could not be written" in str(running.failure)


@pytest.fixture
def disk(monkeypatch):
    """Is full where it is set."""
    full = threading.Event()

    def expect(store, _size_bytes=0):
        if full.is_set():
            raise StoreFull(f"{store.path}: only 1 MiB is free", "make room")

    monkeypatch.setattr("sensor.store.store.Store.expect", expect)
    monkeypatch.setattr("sensor.store.patience.ROOM_S", 0.05)
    return full


def test_while_the_disk_is_full_rows_wait_and_nothing_is_lost(mirror, live, store, key, tmp_path, disk):
    disk.set()
    running = live()
    mirror.send(MORNING)
    running.wait_for("only 1 MiB is free; it goes on when there is room")
    assert store.query("SELECT count(*) FROM fact_conversation") == [(0,)]
    disk.clear()
    running.wait_for("there is room on the disk of the store again")
    running.stop()
    assert facts(store) == from_file(MORNING, key, tmp_path)
    assert (running.failure, running.count("only 1 MiB")) == (None, 1)


def test_a_disk_that_is_full_to_the_end_does_not_keep_it_waiting(mirror, live, disk):
    disk.set()
    running = live()
    mirror.send(MORNING)
    running.wait_for("only 1 MiB is free")
    running.stop()
    assert isinstance(running.failure, StoreFull)


def test_workers_come_before_the_thread_that_writes(live):
    running = live()
    writer = next(thread for thread in threading.enumerate() if thread.name == "writer")
    ours, its, workers = (os.getpriority(os.PRIO_PROCESS, task) for task in (0, writer.native_id, running.pids()[0]))
    assert (its, workers) == (ours + NICE, ours)


def test_a_worker_that_is_killed_has_a_successor(mirror, live, store):
    running = live()
    (first,) = running.pids()
    os.kill(first, signal.SIGKILL)
    running.wait_for("was ended by signal 9")
    running.wait_for_workers(2)
    assert running.pids()[-1] != first
    mirror.send(MORNING)
    running.stop()
    assert counters(store)["packets"] == 1331
    assert any("was ended by signal 9" in line and "another is started" in line for line in running.lines)


def test_a_worker_that_is_stuck_has_a_successor(mirror, live, store, monkeypatch):
    running = live()
    monkeypatch.setattr("sensor.live.SILENT_S", 2.0)
    os.kill(running.pids()[0], signal.SIGSTOP)
    running.wait_for("the worker said nothing for 2 s, and was ended; another is started")
    monkeypatch.undo()
    running.wait_for_workers(2)
    mirror.send(MORNING)
    running.stop()
    assert counters(store)["packets"] == 1331


def test_a_worker_that_is_stuck_does_not_keep_the_end_waiting(live, monkeypatch):
    running = live()
    os.kill(running.pids()[0], signal.SIGSTOP)
    monkeypatch.setattr("sensor.live.SILENT_S", 2.0)
    running.stop()
    assert len(running.pids()) == 1


def test_a_worker_that_cannot_be_started_is_tried_again(mirror, live, store, tmp_path):
    program, away = tmp_path / "worker", tmp_path / "away"
    program.write_text(f"#!/bin/sh\nexec {' '.join(WORKER)}\n")
    program.chmod(0o755)
    running = live(command=[str(program)])
    program.rename(away)
    os.kill(running.pids()[0], signal.SIGKILL)
    running.wait_for(f"{mirror.name}: there is no worker for it: No such file or directory")
    away.rename(program)
    running.wait_for_workers(2)
    mirror.send(MORNING)
    running.stop()
    assert counters(store)["packets"] == 1331


def test_where_no_worker_can_be_started_that_is_said(mirror, store, key):
    job = LiveJob([mirror.name], 2, None, key)
    with pytest.raises(CaptureError, match="there is no worker for it: No such file or directory"):
        Watched(store, job, ["/nowhere/worker"]).start()


@pytest.mark.parametrize(
    ("way", "workers"), [("afpacket", 1), ("afpacket", 2), pytest.param("libpcap", 1, marks=NO_LIBPCAP)]
)
def test_an_interface_that_goes_down_and_up_is_said_and_seen_again(mirror, live, store, way, workers):
    """By the same workers: their sockets are bound to it all the time."""
    running = live(workers, way)
    mirror.switch("down")
    running.wait_for("is down or gone", workers)
    mirror.switch("up")
    running.wait_for("mirror: is back", workers)
    mirror.send(MORNING)
    running.stop()
    assert len(running.pids()) == workers
    assert counters(store)["packets"] == 1331
    assert counters(store)["interface_losses"] == counters(store)["interface_returns"] == workers


def test_of_several_interfaces_the_one_that_goes_down_is_named(mirror, live):
    mirror.switch("up", "lo")
    running = live(names=("lo", mirror.name))
    mirror.switch("down")
    running.wait_for(f"{mirror.name}: is down or gone")
    running.stop()
    assert [line for line in running.lines if line.startswith("lo")] == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interface_that_is_made_anew_is_found_again(mirror, live, store, workers):
    """Under the same name, but to the kernel another one."""
    running = live(workers)
    mirror.unplug()
    running.wait_for("is down or gone", workers)
    mirror.plug()
    running.wait_for("mirror: is back", workers)
    mirror.send(MORNING)
    running.stop()
    assert len(running.pids()) == workers
    assert counters(store)["packets"] == 1331


@pytest.mark.parametrize(
    ("way", "said"), [("afpacket", "there is no interface nothing0"), ("libpcap", "cannot be captured from: .*")]
)
def test_an_interface_that_does_not_exist_is_refused_at_once(mirror, store, key, way, said):
    job = LiveJob(["nothing0"], 1, None, key, way=way)
    with pytest.raises(CaptureUnreadable, match=f"nothing0: {said}; there are: .*{mirror.name}"):
        Watched(store, job).start()


def test_an_interface_whose_name_is_no_text_is_not_found(mirror, store, key):
    job = LiveJob([os.fsdecode(b"eth\xe4")], 1, None, key)
    with pytest.raises(CaptureUnreadable, match=r"there is no interface eth\?; there are: "):
        Watched(store, job).start()


def test_libpcap_is_not_shared_by_workers(mirror, store, key):
    job = LiveJob([mirror.name], 2, None, key, way="libpcap")
    with pytest.raises(CaptureUnreadable, match="cannot be shared by several workers through libpcap; give one worker"):
        Watched(store, job).start()


def test_libpcap_captures_from_several_interfaces(mirror, live, store):
    mirror.switch("up", "lo")
    running = live(way="libpcap", names=("lo", mirror.name))
    mirror.send(MORNING)
    running.stop()
    assert counters(store)["packets"] == 1331


def test_an_interface_that_libpcap_has_lost_is_opened_by_another_worker(mirror, live, store):
    running = live(way="libpcap")
    mirror.unplug()
    running.wait_for("is down or gone")
    mirror.plug()
    running.wait_for_workers(2)
    mirror.send(MORNING)
    running.stop()
    assert counters(store)["packets"] == 1331
    assert counters(store)["interface_losses"] == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_is_never_wanted_does_not_reach_us(mirror, live, store, tmp_path, way):
    pause = b"\1\x80\xc2\0\0\1" + b"\2" * 6 + b"\x88\x08" + bytes(46)
    header = (PCAPS / "dicom" / "echo.pcap").read_bytes()[:24]
    capture = tmp_path / "pause.pcap"
    capture.write_bytes(header + b"".join([bytes(8), len(pause).to_bytes(4, "little") * 2, pause]) * 10)
    running = live(way=way)
    mirror.send(capture)
    running.stop()
    assert counters(store)["packets"] == 0


def test_what_waits_in_the_ring_at_the_end_is_read(mirror, live, store, tmp_path):
    """The worker is held up until all is sent, and told to stop before it goes on."""
    content, many = MORNING.read_bytes(), tmp_path / "many.pcap"
    many.write_bytes(content + content[24:] * 9)
    running = live()
    (worker,) = running.pids()
    os.kill(worker, signal.SIGSTOP)
    mirror.send(many)
    running._stopping.set()
    (talk,) = running._talks
    talk.order(b"stop")
    os.kill(worker, signal.SIGCONT)
    running.stop()
    said = counters(store)
    assert said["packets"] + said["kernel_drops"] == said["kernel_packets"] == 13_310


def test_what_is_wrong_is_said_and_stands_in_the_store_while_it_lasts(mirror, live, store, tmp_path):
    capture = tmp_path / "twice.pcap"
    capture.write_bytes(pcap(duplicated().frames))
    running = live()
    mirror.send(capture)
    running.wait_for("mirror: 50% of the packets come twice on vlan 14; ")
    sensors = client_of(store).get("/v1/sensors?live=true")
    (sensor,) = sensors.json()["items"]
    assert (sensor["interface"], sensor["state"], sensor["workers"]) == ("mirror", "running", 1)
    assert sensor["warnings"][0].startswith("50% of the packets come twice on vlan 14")
    running.stop()
    (sensor,) = client_of(store).get("/v1/sensors").json()["items"]
    assert (sensor["state"], sensor["packets"], sensor["duplicates"]) == ("stopped", 400, 200)
    assert (sensor["kernel_packets"], sensor["kernel_drops"], sensor["warnings"]) == (400, 0, [])
    assert (sensor["segments"], bool(sensor["sandbox"])) == (2, True)


def test_a_capture_that_ends_at_once_ends(mirror, live, store):
    """The order to stop may come together with the one to begin."""
    for _ in range(5):
        live().stop()
    assert store.query("SELECT DISTINCT complete, packets FROM capture") == [(True, 0)]


def test_captures_have_ethernet_frames():
    """What the tests above send is what they read."""
    assert MORNING in own_captures("mixed")
