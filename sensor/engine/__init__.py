"""The packet engine: capture bytes in, the head of every turn out. See `core` for the theory of operation.

Beside it stand `flows`, which takes the events and does again what is known (`courses`), `days`, which folds what flows
were, and `columns`, which makes columns of that; they are compiled, or interpreted, together with it.

`COMPILED` tells which of the two is at work: the compiled module, or the same source file interpreted (slower, equal).
``SPANWARD_INTERPRETED=1`` in the environment asks for the interpreted one.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

from sensor.engine import columns, core, days
from sensor.engine.courses import Name, Node, Shape, Step
from sensor.engine.flows import Flow, Flows
from sensor.engine.seen import Seen

NEEDS: Final = {
    "batch": ("layout", "segments", "window"),
    "blocks": ("layout", "links"),
    "columns": ("days",),
    "core": ("lanes", "layout", "rows", "segments"),
    "lanes": ("layout", "pieces"),
    "links": ("layout", "network"),
    "network": ("layout", "tunnels"),
    "numberings": ("layout", "turns"),
    "packets": ("layout", "table"),
    "pieces": ("layout", "packets"),
    "records": ("blocks", "layout"),
    "rows": ("days", "layout", "records"),
    "segments": ("layout",),
    "table": ("layout", "numberings"),
    "tunnels": ("batch", "layout", "segments"),
    "turns": ("layout", "rows"),
    "window": ("layout",),
}
"""Of the compiled modules: which others each imports."""


def load_interpreted(source: str = "core") -> ModuleType:
    """A source of the engine executed by the interpreter, whether or not a compiled module lies beside it.

    What it needs of the other compiled modules is interpreted, too.
    """
    name = f"sensor.engine._interpreted_{source}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{source}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    instead = {f"sensor.engine.{needed}": load_interpreted(needed) for needed in NEEDS.get(source, ())}
    sys.modules[name] = module
    # the compiler's own stand-in is four times slower
    with _standing_in(instead | {"cython": importlib.import_module("sensor.engine._cy")}):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _standing_in(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Other modules under these names, meanwhile."""
    real = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in real.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


Engine = core.Engine
COMPILED: Final[bool] = core.COMPILED
FLOWS: Final = 262_144
"""How many flows an engine has room for, unless it is told otherwise."""
STATS: Final[tuple[str, ...]] = core.STATS
DAYS: Final[tuple[str, ...]] = days.DAYS
ENDS: Final[tuple[str, ...]] = days.ENDS
HELD: Final[tuple[str, ...]] = days.HELD
TRAFFIC: Final[tuple[str, ...]] = core.TRAFFIC

NEED: Final = 0
DATA: Final = 1
DATAGRAM: Final = 2
GAP: Final = 3
DAY: Final = 4
END: Final = 5
CORRUPT: Final = 6
FULL: Final = 7

# Reasons of END.
FIN: Final = 1
RST: Final = 2
IDLE: Final = 3
EVICTED: Final = 4
EOF: Final = 5
REUSED: Final = 6

# Bits of the flags in `STATS`.
SYN_SEEN: Final = 1
SYNACK_SEEN: Final = 2
FIN_SEEN: Final = 4
RST_SEEN: Final = 8
MIDSTREAM: Final = 16
ONE_SIDED: Final = 32
GAP_SEEN: Final = 64
TRUNCATED_SEEN: Final = 128
SHUNTED: Final = 256
EVICTED_SEEN: Final = 512
DUPLICATE_SEEN: Final = 1024
TUNNELLED: Final = 2048

__all__ = [
    "COMPILED",
    "CORRUPT",
    "DATA",
    "DATAGRAM",
    "DAY",
    "DAYS",
    "DUPLICATE_SEEN",
    "END",
    "ENDS",
    "EOF",
    "EVICTED",
    "EVICTED_SEEN",
    "FIN",
    "FIN_SEEN",
    "FLOWS",
    "FULL",
    "GAP",
    "GAP_SEEN",
    "HELD",
    "IDLE",
    "MIDSTREAM",
    "NEED",
    "ONE_SIDED",
    "REUSED",
    "RST",
    "RST_SEEN",
    "SHUNTED",
    "STATS",
    "SYNACK_SEEN",
    "SYN_SEEN",
    "TRAFFIC",
    "TRUNCATED_SEEN",
    "TUNNELLED",
    "Engine",
    "Flow",
    "Flows",
    "Name",
    "Node",
    "Seen",
    "Shape",
    "Step",
    "columns",
    "days",
    "load_interpreted",
]
