"""A command's garbage is found, seldom; what it still holds at its end is not looked at."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from sensor.collector import COLLECT_AFTER
from tests.conftest import ROOT


def said(code: str) -> list[str]:
    code = "from sensor.collector import *; collect_seldom()\n" + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_what_is_made_again_and_again_does_not_stay() -> None:
    code = """
        import gc
        for _ in range(10 * COLLECT_AFTER):
            knot = []
            knot.append(knot)
        print(len(gc.get_objects()))
        """
    assert int(said(code)[0]) < 2 * COLLECT_AFTER


def test_nothing_is_looked_at_when_the_process_ends() -> None:
    code = """
        import atexit, gc, sys
        gc.callbacks.append(lambda phase, info: print(phase, info["collected"]))
        knots = [[] for _ in range(10)]
        for knot in knots:
            knot.append(knot)
        del knot, knots
        """
    assert not [count for count in said(code)[1::2] if count != "0"]
