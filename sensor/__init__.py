"""Capture, engine, dispatch, store, inference, rules: owns time, addresses, memory and disk.

Modules with a `.pxd` beside them are compiled where that is possible, and interpreted where it is not, or where
``SPANWARD_INTERPRETED=1`` in the environment asks for it: slower, and equal.
"""

import os
import sys

from parsers import _interpreted
from sensor.collector import collect_seldom

collect_seldom()

# DuckDB's allocator reads this when it is loaded. It would keep what was freed for ten seconds, half of a recorder's
# memory.
os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", "dirty_decay_ms:1,muzzy_decay_ms:0")

# A library's functions are looked for when they are first called: of DuckDB's few ever are.
sys.setdlopenflags(os.RTLD_LAZY)

_interpreted.heed(__file__)
