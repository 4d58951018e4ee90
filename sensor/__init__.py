"""Capture, engine, dispatch, store, inference, rules: owns time, addresses, memory and disk."""

import os

# DuckDB's allocator keeps what was freed for ten seconds, half of a recorder's memory. It reads this when it is loaded.
os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", "dirty_decay_ms:1,muzzy_decay_ms:0")
