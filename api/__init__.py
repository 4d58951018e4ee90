"""The REST API and the console: reads the store, writes operator decisions."""
