"""Prints what the wings of the hospital tell, as JSON: run by the tests, so that the lab's modules stay out of theirs.

`told.py FOLDER`: the folder of the lab. Exit status 3, and the module's name, when a wing wants one that is not here.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

sys.path.insert(0, sys.argv[1])

import _truth
from _story import OPENINGS, SCENES, load_wings


def main() -> int:
    try:
        load_wings()
    except ModuleNotFoundError as error:
        print(error.name)
        return 3
    told = {
        "scenes": {name: {"what": s.what, "synthetic": s.synthetic} for name, s in SCENES.items()},
        "openings": sorted(OPENINGS),
        "devices": [asdict(found) for found in _truth.DEVICES.values()],
        "must": [asdict(found) for found in _truth.FINDINGS],
        "must_not": [asdict(found) for found in _truth.SILENCES],
        "faults": _truth.faults(),
    }
    print(json.dumps(told, default=dict))
    return 0


if __name__ == "__main__":
    sys.exit(main())
