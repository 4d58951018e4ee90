"""Who is measured: Spanward in several states, and every peer that is installed, each run as fast as it goes.

What a peer found is what it wrote: planted values are looked for in its output, and its own events are counted. A peer
that prints no names (`names=False`) has its lines counted alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.benchmarks.generate import cache_folder

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
_WORD = re.compile(rb"[A-Za-z0-9=._-]{6,64}")
_VALUES = """
    SELECT DISTINCT value FROM attributes
    UNION SELECT DISTINCT principal FROM fact_authentication
    UNION SELECT DISTINCT subject_name FROM certificate
"""


class Outcome(NamedTuple):
    """Planted values found, and how many events of which kind there were."""

    found: int | None
    events: dict[str, int]


class Peer(NamedTuple):
    """A program. `command` takes the capture; it runs in a folder of its own and what it writes stays there.

    `missing` says what to install; empty where it can be run. `once`: it runs in the first round only, because
    it takes minutes.
    """

    name: str
    command: Callable[[Path], Sequence[str]]
    outcome: Callable[[Path, dict[str, Any]], Outcome]
    missing: str = ""
    once: bool = False
    environment: Mapping[str, str] = MappingProxyType({})


def planted(known: dict[str, Any]) -> list[str]:
    """All planted values of a workload."""
    return [value for group in known["planted"] for value in group["values"]]


# ---------------------------------------------------------------------- Spanward


def spanward(repository: Path, label: str = "spanward") -> list[Peer]:
    """The product as a user runs it, the same without inference, and without the store."""
    python, program = repository / ".venv/bin/python", repository / ".venv/bin/spanward"
    missing = "" if program.exists() else f"set up {repository} with make"
    home = {"PYTHONPATH": str(repository), "SPANWARD_SITE_KEY": "key"}

    def whole(capture: Path) -> Sequence[str]:
        return [str(program), "read", str(capture), "--store", "s.duckdb"]

    def stored(capture: Path) -> Sequence[str]:
        return [str(python), str(HERE / "store_only.py"), str(capture), "s.duckdb", "key"]

    def facts(capture: Path) -> Sequence[str]:
        return [str(program), "facts", str(capture)]

    return [
        Peer(label, stored, _in_store(python), missing, environment=home),
        Peer(f"{label} with inference", whole, _in_store(python), missing, once=True, environment=home),
        Peer(f"{label} facts", facts, _in_output, missing, once=True, environment=home),
    ]


def _in_store(python: Path) -> Callable[[Path, dict[str, Any]], Outcome]:
    def outcome(folder: Path, known: dict[str, Any]) -> Outcome:
        values, events = json.loads(
            subprocess.run([str(python), "-c", _ASK], cwd=folder, check=True, capture_output=True).stdout
        )
        return Outcome(len(set(planted(known)) & set(values)), events)

    return outcome


_ASK = f"""
import duckdb, json
store = duckdb.connect("s.duckdb", read_only=True)
values = [row[0] for row in store.execute({_VALUES!r}).fetchall()]
tables = ("attribute", "authentication", "certificate", "channel", "conversation")
events = {{name: int(store.execute("SELECT coalesce(sum(n), 0) FROM fact_" + name).fetchone()[0]) for name in tables}}
counters = json.loads(store.execute("SELECT counters FROM capture").fetchone()[0])
events["parser_failures"] = counters["parser_failures"]
print(json.dumps([values, events]))
"""


# ---------------------------------------------------------------------- peers


def peers(suricatas: Sequence[str] = ("suricata",)) -> list[Peer]:
    """All that we know how to run, installed or not; of Suricata several versions."""
    nfstream = Path(os.environ.get("NFSTREAM_PYTHON") or cache_folder() / "nfstream/bin/python")
    return [
        Peer("cat", lambda capture: ["sh", "-c", 'exec cat "$0" > /dev/null', str(capture)], _nothing),
        *(Peer(suricata_name(one), partial(_suricata, one), _eve, absent(one, "suricata")) for one in suricatas),
        Peer("p0f", _p0f, _p0f_log, absent("p0f", "p0f")),
        Peer("prads", _prads, _prads_log, absent("prads", "prads")),
        Peer("ndpiReader", _ndpi_command, _ndpi, absent("ndpiReader", "libndpi-bin")),
        Peer(
            "NFStream", lambda c: [str(nfstream), str(HERE / "nfstream_flows.py"), str(c)], _in_output,
            "" if nfstream.exists() else f"make a venv with nfstream, NFSTREAM_PYTHON or {nfstream}",
        ),
        Peer("tshark", _tshark, _in_output, absent("tshark", "tshark")),
    ]  # fmt: skip


def _ndpi_command(capture: Path) -> Sequence[str]:
    return ["ndpiReader", "-i", str(capture), "-v", "0"]


def absent(program: str, package: str) -> str:
    """What to install, or nothing."""
    return "" if shutil.which(program) else f"install {package}"


def suricata_name(program: str) -> str:
    """Suricata with its version: the two that are in use differ."""
    if not shutil.which(program):
        return "Suricata"
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\S+)", said)
    return f"Suricata {version[1]}" if version else "Suricata"


def _suricata(program: str, capture: Path) -> Sequence[str]:
    return [
        program, "-c", str(HERE / "suricata.yaml"), "-S", "/dev/null", "--runmode", "single", "-k", "none",
        "-r", str(capture), "-l", ".",
    ]  # fmt: skip


def _p0f(capture: Path) -> Sequence[str]:
    return ["p0f", "-r", str(capture), "-o", "p0f.log"]


def _prads(capture: Path) -> Sequence[str]:
    return ["prads", "-r", str(capture), "-l", "prads.log", "-d", "-q"]


_TSHARK_FIELDS = (
    "frame.number", "tls.handshake.extensions_server_name", "tls.handshake.ja3", "x509sat.uTF8String",
    "x509sat.printableString", "ntlmssp.auth.username", "hl7.field", "dicom.assoc.ae.calling",
)  # fmt: skip
_TSHARK_FILTER = (
    "tls.handshake.type == 1 or tls.handshake.type == 2 or tls.handshake.type == 11"
    " or ntlmssp.messagetype == 3 or dicom.pdu.type == 1 or hl7.message.type"
)


def _tshark(capture: Path) -> Sequence[str]:
    fields = [word for field in _TSHARK_FIELDS for word in ("-e", field)]
    return ["tshark", "-n", "-r", str(capture), "-Y", _TSHARK_FILTER, "-T", "fields", *fields]


# ---------------------------------------------------------------------- what they found


def _nothing(_: Path, __: dict[str, Any]) -> Outcome:
    return Outcome(None, {})


def _found(pieces: Iterable[bytes], known: dict[str, Any]) -> int:
    wanted, met = {value.encode() for value in planted(known)}, set()
    for piece in pieces:
        met.update(word for word in _WORD.findall(piece) if word in wanted)
        met.update(name for word in _WORD.findall(piece) if (name := b"CN=" + word) in wanted)
    return len(met)


def _in_output(folder: Path, known: dict[str, Any]) -> Outcome:
    with (folder / "out.txt").open("rb") as lines:
        found = _found(lines, known)
    with (folder / "out.txt").open("rb") as lines:
        return Outcome(found, {"lines": sum(1 for _ in lines)})


def _eve(folder: Path, known: dict[str, Any]) -> Outcome:
    """Suricata's events by type. Fewer `tls` events than connections would make its time worthless."""
    with (folder / "eve.json").open("rb") as lines:
        events = Counter(json.loads(line)["event_type"] for line in lines)
    with (folder / "eve.json").open("rb") as lines:
        return Outcome(_found(lines, known), dict(events))


def _p0f_log(folder: Path, _: dict[str, Any]) -> Outcome:
    return _lines_of(folder / "p0f.log")


def _prads_log(folder: Path, _: dict[str, Any]) -> Outcome:
    return _lines_of(folder / "prads.log")


def _lines_of(path: Path) -> Outcome:
    with path.open("rb") as lines:
        return Outcome(None, {"lines": sum(1 for _ in lines)})


def _ndpi(folder: Path, _: dict[str, Any]) -> Outcome:
    said = (folder / "out.txt").read_text(errors="replace")
    flows = re.search(r"Unique flows:\s+(\d+)", said)
    return Outcome(None, {"flows": int(flows[1]) if flows else 0})
