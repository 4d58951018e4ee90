"""The rules as people and programs read about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sensor.commands.errors import CommandError
from sensor.rules import Rule, RuleError, load_rules


def cards(folder: Path | None) -> list[dict[str, Any]]:
    """What is known of each rule, as plain values. `folder` holds the site's own rules.

    Raises:
        CommandError: a rule is broken.
    """
    try:
        return [_card(rule) for rule in load_rules(*([folder] if folder else []))]
    except RuleError as error:
        raise broken(error) from error


def broken(error: RuleError) -> CommandError:
    """The error that a rule cannot be used: the first problem, and how to see the others."""
    more = f" and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
    return CommandError(f"{error.problems[0]}{more}; `spanward check` lists every error in the rules")


def _card(rule: Rule) -> dict[str, Any]:
    header = rule.header.model_dump(mode="json")
    shown = {name: header[name] for name in ("id", "title", "severity", "confidence", "why", "remedy", "references")}
    mappings = {name: values for name, values in header["mappings"].items() if values}
    return {**shown, "family": rule.family, "mappings": mappings}
