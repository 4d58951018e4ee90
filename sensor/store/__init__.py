"""The store: one DuckDB file, one writer, one row per fact, capture and UTC day.

`Store` opens it, `Ledger` writes readings of captures into it, `StoreError` says in one line why it could not.
The views in `views/*.sql` are the documented face of the store; everything else is the sensor's own business.
"""

from sensor.store.errors import StoreError, StoreFull, StoreInUse
from sensor.store.ledger import Ledger, Reading, Summary
from sensor.store.store import Store

__all__ = ["Ledger", "Reading", "Store", "StoreError", "StoreFull", "StoreInUse", "Summary"]
