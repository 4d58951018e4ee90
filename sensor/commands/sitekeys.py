"""`spanward site-key`: back up and rotate the key that digests secrets."""

from __future__ import annotations

from pathlib import Path

from sensor.commands.console import console, plain
from sensor.commands.errors import CommandError
from sensor.sitekey import SiteKey, SiteKeyError


def backup(key_path: Path, target: Path) -> None:
    """Copy the key to `target`, which must not exist, readable by its owner only.

    Raises:
        CommandError: there is no key, or it cannot be written there.
    """
    if target.exists():
        raise CommandError(f"{target}: exists already and was left alone; choose another name")
    try:
        key = SiteKey.load(key_path)
        key.save(target)
    except SiteKeyError as error:
        raise CommandError(str(error)) from error
    console().print(plain(f"site key of epoch {key.epoch} copied to {target}; keep it apart from the store"))


def rotate(key_path: Path) -> None:
    """Put a new key of the next epoch in the old one's place.

    Raises:
        CommandError: there is no key, or it cannot be written.
    """
    try:
        key = SiteKey.load(key_path).rotated()
        key.save(key_path)
    except SiteKeyError as error:
        raise CommandError(str(error)) from error
    console().print(
        plain(f"{key_path}: now of epoch {key.epoch}; digests of other epochs cannot be compared with new ones")
    )
