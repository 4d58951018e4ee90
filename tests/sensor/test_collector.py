"""A command's garbage is found, seldom; what it still holds at its end is not looked at."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from sensor.collector import COLLECT_AFTER
from tests.conftest import ROOT


def said(code: str) -> list[str]:
    done = ended("", code)
    assert done.returncode == 0
    return done.stdout.split()


def ended(first: str, code: str) -> subprocess.CompletedProcess[str]:
    code = f"from sensor.collector import *\n{first}\n{textwrap.dedent(code)}"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_is_made_again_and_again_does_not_stay() -> None:
    code = """
        import gc
        for _ in range(10 * COLLECT_AFTER):
            knot = []
            knot.append(knot)
        print(len(gc.get_objects()))
        """
    assert int(said(code)[0]) < 2 * COLLECT_AFTER


def test_a_reader_looks_at_nothing_until_it_is_larger_than_it_may_be() -> None:
    code = """
        import gc
        collect_never()
        knots = [[] for _ in range(10 * COLLECT_AFTER)]
        for knot in knots:
            knot.append(knot)
        del knot, knots
        def held():
            return len(gc.get_objects()) > 10 * COLLECT_AFTER
        print(LastResort(1 << 40).look(), held())
        last_resort = LastResort(1 << 20)
        print(last_resort.look(), held(), last_resort.look())
        """
    assert said(code) == ["False", "True", "True", "False", "False"]


def test_nothing_is_looked_at_while_commands_are_imported() -> None:
    code = """
        import gc
        before = gc.get_stats()
        import sensor.cli
        print(gc.get_stats() == before)
        """
    assert said(code) == ["True"]


def test_it_is_told_before_anything_large_is_imported() -> None:
    code = """
        import gc, sys
        class Spy:
            @staticmethod
            def find_spec(name, *_):
                if name == "typing":
                    print(gc.get_threshold()[0])
        sys.meta_path.insert(0, Spy)
        import sensor, typing
        """
    line = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(COLLECT_AFTER)]


def test_nothing_is_looked_at_when_the_process_ends() -> None:
    code = """
        import atexit, gc, sys
        gc.callbacks.append(lambda phase, info: print(phase, info["collected"]))
        knots = [[] for _ in range(10)]
        for knot in knots:
            knot.append(knot)
        del knot, knots
        ending = Ending()
        """
    assert not [count for count in said(code)[1::2] if count != "0"]


LATER = """
    import atexit, sys, threading
    ending = Ending()
    atexit.register(print, "registered")
    threading.Timer(0.1, print, ["thread"]).start()
    print("unfinished", end=" ")
    """


def test_it_ends_at_once_when_all_else_is_done() -> None:
    done = ended("", LATER + "ending.status = 7\n    sys.exit(3)")
    assert (done.returncode, done.stdout.split(), done.stderr) == (7, ["unfinished", "thread", "registered"], "")


def test_without_a_status_it_ends_as_python_does() -> None:
    done = ended("", LATER + "raise KeyError(7)")
    assert (done.returncode, done.stdout.split()) == (1, ["unfinished", "thread", "registered"])
    assert "KeyError: 7" in done.stderr
