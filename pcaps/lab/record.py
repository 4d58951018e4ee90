"""Record Spanward's captures from real software: ``record.py dicom|tls|quiet|hospital [SCENARIO...]``."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from _lab import PCAPS, SCENARIOS, record
from _net import LabError

PROGRAMS = {
    "ip": "iproute2",
    "ethtool": "ethtool",
    "tcpdump": "tcpdump",
    "openssl": "openssl",
    "storescu": "dcmtk",
    "Orthanc": "orthanc",
    "gnutls-cli": "gnutls-bin",
    "javac": "openjdk-17-jdk-headless",
    "curl": "curl",
}
MODULES = ("pydicom", "pynetdicom", "cryptography")


def missing() -> list[str]:
    """Return what this machine lacks, as sentences that say how to get it."""
    wants = [] if os.geteuid() == 0 else ["root, for network namespaces and tcpdump"]
    packages = sorted({p for program, p in PROGRAMS.items() if not shutil.which(program)})
    wants += [f"Debian packages: apt-get install {' '.join(packages)}"] if packages else []
    modules = [m for m in MODULES if not importlib.util.find_spec(m)]
    return wants + ([f"Python packages: pip install {' '.join(modules)}"] if modules else [])


def load() -> None:
    """Import every recorder beside this file; each registers its scenarios."""
    for path in sorted(Path(__file__).parent.glob("record_*.py")):
        importlib.import_module(path.stem)


def chosen(group: str, names: list[str]) -> list[str]:
    """Return the scenarios asked for. Raises LabError for a name that does not exist."""
    known = [path for path in SCENARIOS if path.startswith(f"{group}/")]
    unknown = [n for n in names if f"{group}/{n}" not in known]
    if unknown:
        raise LabError(f"no scenario {', '.join(unknown)}; there are: {' '.join(p.split('/')[1] for p in known)}")
    return [f"{group}/{n}" for n in names] or known


def record_all(paths: list[str], into: Path) -> int:
    """Record one after the other; return how many failed."""
    failed = 0
    for path in paths:
        try:
            record(SCENARIOS[path], into)
            print(f"{path}: recorded", flush=True)
        except (LabError, OSError, ValueError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"{path}: FAILED: {error}", file=sys.stderr, flush=True)
    return failed


def main() -> int:
    """Run the command line; exit status 0 all recorded, 1 some failed, 2 usage or something missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=["dicom", "tls", "quiet", "hospital", "large"])
    parser.add_argument("scenario", nargs="*")
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    parser.add_argument("--into", type=Path, default=PCAPS, help="another folder than pcaps/, to try the lab")
    asked = parser.parse_args()
    if wants := missing():
        print("the lab needs " + "; ".join(wants), file=sys.stderr)
        return 2
    if asked.group == "large" and asked.into == PCAPS:
        print("large captures are not kept with the project: say --into FOLDER", file=sys.stderr)
        return 2
    load()
    try:
        paths = chosen(asked.group, asked.scenario)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.list:
        print("\n".join(f"{path}: {SCENARIOS[path].what}" for path in paths))
        return 0
    return 1 if record_all(paths, asked.into) else 0


if __name__ == "__main__":
    sys.exit(main())
