"""Build the hospital, play its 120 days, record them, take it down: ``sudo python3 pcaps/lab/hospital.py``.

    hospital.py                            # everything, into pcaps/hospital/
    hospital.py --only imaging --into /tmp # one wing (or several), to try it
    hospital.py --days 0 7                 # only the playings of these days
    hospital.py --as span vxlan erspan     # the same frames in the tunnels of remote mirrors, too
    hospital.py --keys --into /tmp         # TLS keys beside it (SSLKEYLOGFILE), for a look with tshark
    hospital.py --stay                     # build it, open it, and wait: for a sensor on the mirror port

It says which Debian, Python and npm packages are missing. It leaves no namespace and no process behind.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _truth
from _canary import Canaries
from _estate import SEEN_AS, Estate
from _lab import PCAPS
from _net import LabError
from _sidecar import Sidecar
from _software import install, missing, version_of
from _story import OPENINGS, SCENES, Hospital, Scene, Tape, load_wings, open_all, pcap_header, play
from record import prefer_debian

NAME = "hospital"
ALWAYS = "network"  # the wing without which no other works
LIMIT_BYTES = 40 << 20


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="WING", help="wings or scenes: imaging, imaging.ct")
    parser.add_argument("--days", nargs="+", type=int, default=[], help="play only what happens on these days")
    parser.add_argument("--into", type=Path, default=PCAPS / NAME, help="another folder than pcaps/hospital")
    parser.add_argument("--as", dest="ways", nargs="+", choices=SEEN_AS, default=["span"], help="how the mirror sends")
    parser.add_argument("--keys", action="store_true", help="keep TLS keys of programs that can log them")
    parser.add_argument("--stay", action="store_true", help="build, open, and wait for an interrupt")
    parser.add_argument("--install", action="store_true", help="install what is missing of Debian's packages first")
    parser.add_argument("--list", action="store_true", help="list the scenes and end")
    return parser.parse_args()


def chosen(asked: argparse.Namespace) -> tuple[list[Scene], list[str]]:
    """Return the scenes and the openings asked for. Raises LabError when there are none."""

    def wanted(name: str) -> bool:
        return not asked.only or any(name == one or name.startswith((f"{one}.", f"{one}_")) for one in asked.only)

    def opens(name: str) -> bool:
        return not asked.only or _wing(name) in {ALWAYS, *map(_wing, asked.only)}

    found = [_on(scene, asked.days) for name, scene in SCENES.items() if wanted(name)]
    scenes = [scene for scene in found if scene.days]
    if not scenes:
        raise LabError(f"no such scene; there are: {' '.join(sorted(SCENES))}")
    return scenes, [name for name in OPENINGS if opens(name)]


def _wing(name: str) -> str:
    """Return the wing of a scene or an opening; one of several files is called by its wing first: imaging_tls."""
    return name.partition(".")[0].partition("_")[0]


def _on(scene: Scene, days: list[int]) -> Scene:
    if not days:
        return scene
    kept = {key: getattr(scene, key) for key in scene.__dataclass_fields__}
    return Scene(**(kept | {"days": tuple(d for d in scene.days if d in days), "again": ()}))


def software_of(scenes: list[Scene], openings: list[str]) -> list[str]:
    """Return the names of all software that these run, each once."""
    every = [s for scene in scenes for s in scene.software] + [s for n in openings for s in OPENINGS[n].software]
    return list(dict.fromkeys(every))


def wants(software: list[str]) -> list[str]:
    """Return what this machine lacks."""
    root = [] if os.geteuid() == 0 else ["root, for network namespaces and tcpdump"]
    return root + missing(software)


def tell(line: str) -> None:
    """Print progress with the time since the start."""
    print(f"{time.monotonic() - STARTED:6.1f} s  {line}", file=sys.stderr, flush=True)


def record(asked: argparse.Namespace, scenes: list[Scene], openings: list[str], workdir: Path) -> None:
    """Build, open, play, stamp, keep. Raises LabError."""
    files = {way: workdir / f"{way}.pcap" for way in asked.ways}
    if asked.keys:
        _log_keys(workdir / "tls.keys")
    with Estate() as network:
        hospital = Hospital(network, workdir, files[asked.ways[0]], Canaries(NAME))
        tapes = {way: Tape(path) for way, path in files.items()}
        try:
            with hospital.open:
                open_all(hospital, openings, tell)
                with network.mirrored(files):
                    _wait(network) if asked.stay else _play(hospital, tapes, scenes)
        finally:
            for server in hospital.servers:
                hospital.stop(server)
    if not asked.stay:
        for way, tape in tapes.items():
            _keep(hospital, tape, (scenes, openings), asked.into / f"{NAME if way == 'span' else f'{NAME}_{way}'}.pcap")
        _truth.write(asked.into / "truth.yaml")
        if asked.keys:
            shutil.copyfile(workdir / "tls.keys", asked.into / f"{NAME}.keys")


def _log_keys(path: Path) -> None:
    """Let every program that knows this variable write its TLS keys there, whoever it runs as."""
    path.touch()
    path.chmod(0o666)
    os.environ["SSLKEYLOGFILE"] = str(path)


def _play(hospital: Hospital, tapes: dict[str, Tape], scenes: list[Scene]) -> None:
    play(hospital, list(tapes.values()), scenes, tell)


def _wait(network: Estate) -> None:
    print(f"the mirror port: ip netns exec {network.sensor} spanward run -i span; interrupt to end", flush=True)
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        print(flush=True)


def _keep(hospital: Hospital, tape: Tape, played: tuple[list[Scene], list[str]], kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("wb") as file:
        file.write(pcap_header())
        file.writelines(record for _, record in tape.records())
    if kept.stat().st_size > LIMIT_BYTES:
        raise LabError(f"{kept} has {kept.stat().st_size} bytes, more than {LIMIT_BYTES}: play fewer bulk objects")
    scenes = played[0]
    origin = ", ".join(version_of(s) for s in dict.fromkeys([*software_of(*played), *hospital.software]))
    invented = [f"SYNTHETIC {scene.name}: {scene.synthetic}" for scene in scenes if scene.synthetic]
    Sidecar(
        "120 days in the invented hospital, as its mirror port shows them; truth.yaml says what is true",
        origin,
        "pcaps/lab/hospital.py",
        [*(f"{scene.name}: {scene.what}" for scene in scenes), *invented],
        sorted(hospital.canaries.planted),
        list(hospital.hosts.values()),
    ).write(kept)


def main() -> int:
    """Run the command line; exit status 0 recorded, 1 failed, 2 usage or something missing."""
    asked = arguments()
    prefer_debian()
    try:
        load_wings()
        scenes, openings = chosen(asked)
    except (LabError, ModuleNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    if asked.list:
        print("\n".join(f"{s.name}: {s.what} (days {','.join(map(str, s.days))})" for s in scenes))
        return 0
    software = software_of(scenes, openings)
    if asked.install and os.geteuid() == 0:
        tell("installs what is missing")
        install(software)
    if lacks := wants(software):
        print(f"the lab needs {'; '.join(lacks)}", file=sys.stderr)
        return 2
    workdir = Path(tempfile.mkdtemp(prefix="spanward-hospital-"))
    workdir.chmod(0o711)  # servers drop to accounts of their own
    try:
        record(asked, scenes, openings, workdir)
    except (LabError, OSError, subprocess.SubprocessError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(workdir, ignore_errors=True)
    return 0


STARTED = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())
