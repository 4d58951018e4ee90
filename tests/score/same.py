"""Whether two recordings of the hospital say the same: `python -m tests.score.same A.pcap B.pcap`.

Compared are facts with the story's day they were read on, each once; set aside are times within the day, evidence,
quality, ports that software picks, and what is random: keys, serial numbers and digests of certificates, GUIDs. Exit
status 1 when they differ.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from tests.captures import items

ASIDE = frozenset({"capture", "frame", "community_id", "quality", "sha256", "spki_sha256", "secret_digest"})
RANDOM_NAMES = frozenset({"smb.client_guid", "smb.server_guid"})
WELL_KNOWN_PORTS = range(1, 32768)
DAY_CHARS = len("2026-07-01")


def said(capture: Path) -> set[str]:
    """All facts of a capture, without what is set aside."""
    return {json.dumps(_kept(msgspec.json.decode(item.to_json())), sort_keys=True) for item in items(capture)}


def _kept(fact: dict[str, Any]) -> dict[str, Any]:
    kept = {key: _place(_without(value)) for key, value in fact.items() if key not in ASIDE}
    kept["ts"] = fact["ts"][:DAY_CHARS]
    if isinstance(kept.get("details"), dict):
        kept["details"] = {key: value for key, value in kept["details"].items() if key not in ASIDE}
    if fact["kind"] == "certificate":
        kept |= {
            "serial": None,
            "not_before": fact["not_before"][:DAY_CHARS],
            "not_after": fact["not_after"][:DAY_CHARS],
        }
    if fact.get("name") in RANDOM_NAMES:
        kept["value"] = None
    return kept


def _without(value: Any) -> Any:
    """Details without what is set aside: a certificate that proves a client is named in them."""
    return {k: v for k, v in value.items() if k not in ASIDE} if isinstance(value, dict) else value


def _place(value: Any) -> Any:
    """An endpoint without a port that its software picked."""
    if isinstance(value, dict) and value.get("port") is not None and value["port"] not in WELL_KNOWN_PORTS:
        return value | {"port": None}
    return value


def main() -> int:
    """Print what only one of two captures says."""
    first, second = (said(Path(name)) for name in sys.argv[1:3])
    print(f"{len(first & second)} facts are the same, {len(first - second)} and {len(second - first)} are not")
    for mark, facts in (("<", first - second), (">", second - first)):
        print("\n".join(f"{mark} {fact}" for fact in sorted(facts)))
    return int(first != second)


if __name__ == "__main__":
    sys.exit(main())
