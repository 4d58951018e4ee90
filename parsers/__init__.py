"""Bytes in, facts out: one protocol, one file; no clock, no address, no I/O."""
