"""The REST API: reads the store, and serves what it holds as JSON, NDJSON and CSV."""
