"""Rules: a finding is a SELECT. README.md says how to write one."""

from sensor.rules.registry import Rule, RuleError, load_rules

__all__ = ["Rule", "RuleError", "load_rules"]
