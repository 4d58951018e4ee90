"""DuckDB itself, without the package around it, whose import costs more than DuckDB's own: e-mail, archives, metadata.

The package passes on what is here, so it is the same wherever it is imported from.
"""

from __future__ import annotations

try:
    import _duckdb as duckdb
except ImportError:  # a version that calls it otherwise
    import duckdb  # type: ignore[no-redef]

__all__ = ["duckdb"]
