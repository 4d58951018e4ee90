"""Record Spanward's captures from real software: ``record.py GROUP [SCENARIO...]``, for example ``record.py dicom``.

Groups are the folders that the scenarios registered here are kept in. A recorder of which a Python package is missing
is left out and named; what the chosen scenarios need besides is looked for before the first of them is played.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

from _lab import PCAPS, SCENARIOS, record
from _net import LabError
from _software import missing


def load() -> dict[str, str]:
    """Import every recorder beside this file, which registers its scenarios; return what each left out lacks."""
    left_out = {}
    for path in sorted(Path(__file__).parent.glob("record_*.py")):
        try:
            importlib.import_module(path.stem)
        except ModuleNotFoundError as error:
            left_out[path.stem] = str(error.name).partition(".")[0]
    return left_out


def groups() -> list[str]:
    """Return the folders that there are scenarios for."""
    return sorted({path.split("/")[0] for path in SCENARIOS})


def wants(paths: list[str]) -> list[str]:
    """Return what this machine lacks for these scenarios, as sentences that say how to get it."""
    root = [] if os.geteuid() == 0 else ["root, for network namespaces and tcpdump"]
    return root + missing(dict.fromkeys(software for path in paths for software in SCENARIOS[path].software))


def chosen(group: str, names: list[str]) -> list[str]:
    """Return the scenarios asked for. Raises LabError for a name that does not exist."""
    known = [path for path in SCENARIOS if path.startswith(f"{group}/")]
    if not known:
        raise LabError(f"no group {group}; there are: {' '.join(groups())}")
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


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", help="a folder of captures")
    parser.add_argument("scenario", nargs="*")
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    parser.add_argument("--into", type=Path, default=PCAPS, help="another folder than pcaps/, to try the lab")
    return parser.parse_args()


def refusal(asked: argparse.Namespace, paths: list[str]) -> str:
    """Return why these cannot be recorded; empty when they can."""
    if asked.group == "large" and asked.into == PCAPS:
        return "large captures are not kept with the project: say --into FOLDER"
    lacks = wants(paths)
    return f"the lab needs {'; '.join(lacks)}" if lacks else ""


def prefer_debian() -> None:
    """Let Debian's programs go before Python's scripts of the same name: pynetdicom has a `storescu`, too."""
    os.environ["PATH"] = f"/usr/sbin:/usr/bin:/sbin:/bin:{os.environ['PATH']}"


def main() -> int:
    """Run the command line; exit status 0 all recorded, 1 some failed, 2 usage or something missing."""
    asked = arguments()
    prefer_debian()
    for recorder, module in load().items():
        print(f"{recorder} is left out: pip install {module}", file=sys.stderr)
    try:
        paths = chosen(asked.group, asked.scenario)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.list:
        print("\n".join(f"{path}: {SCENARIOS[path].what}" for path in paths))
        return 0
    if why := refusal(asked, paths):
        print(why, file=sys.stderr)
        return 2
    return 1 if record_all(paths, asked.into) else 0


if __name__ == "__main__":
    sys.exit(main())
