"""Rules: a finding is a SELECT. README.md says how to write one."""

from sensor.rules.errors import RuleError
from sensor.rules.registry import Rule, load_rules

__all__ = ["Rule", "RuleError", "load_rules"]
