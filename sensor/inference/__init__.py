"""From facts to devices, identities, blind spots and findings."""

from sensor.inference.run import InferenceSummary, infer

__all__ = ["InferenceSummary", "infer"]
