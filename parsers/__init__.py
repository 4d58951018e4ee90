"""Bytes in, facts out: one protocol, one file; no clock, no address, no I/O."""

from parsers import _interpreted

_interpreted.heed(__file__)
