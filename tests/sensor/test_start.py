"""What a start imports, and what it is spared."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
import textwrap

import pytest

import parsers
from parsers.core.registry import Registry
from tests.conftest import ROOT


def said(code: str) -> str:
    """By an interpreter that has imported nothing yet."""
    line = [sys.executable, "-P", "-c", textwrap.dedent(code)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_worker_and_recorder_import_nothing_that_hardly_any_capture_takes() -> None:
    """Together they take a tenth of a start."""
    code = """
        import sys
        sys.path.insert(0, ".")
        import sensor.forkserver, sensor.reading, sensor.worker
        from parsers.core import Registry
        Registry.installed()
        dear = {"ast", "gzip", "inspect", "pkgutil", "sensor.rules", "typing_extensions", "zstandard"}
        print(sorted(dear & {*sys.modules}))
        """
    assert said(code) == "[]"


def test_the_recorder_has_no_engine() -> None:
    code = """
        import sys
        sys.path.insert(0, ".")
        import sensor.forkserver, sensor.reading
        from sensor.store import told
        print("sensor.engine" in sys.modules and not told.__file__.endswith(".py"))
        """
    assert said(code) == "False"


def test_all_parsers_are_found() -> None:
    named = {module.name for module in pkgutil.iter_modules(parsers.__path__) if not module.name.startswith("_")}
    assert {protocol.name for protocol in Registry.installed().protocols} == named - {"core"}


@pytest.mark.parametrize("before", ["", "import typing_extensions"], ids=["missed", "there before"])
def test_who_else_wants_typing_extensions_gets_them(before: str) -> None:
    code = f"""
        import sys
        sys.path.insert(0, ".")
        {before}
        import sensor.lean, msgspec, typing
        from typing_extensions import NotRequired, Required, TypedDict
        class Said(TypedDict, total=False):
            who: Required[str]
            what: NotRequired[int]
        assert (NotRequired, Required) == (typing.NotRequired, typing.Required)
        print(msgspec.json.decode(b'{{"who": "me"}}', type=Said))
        try:
            msgspec.json.decode(b'{{"what": 1}}', type=Said)
        except msgspec.ValidationError as error:
            print(error)
        """
    assert said(code).splitlines() == ["{'who': 'me'}", "Object missing required field `who`"]
