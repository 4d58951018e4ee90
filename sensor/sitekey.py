"""The site key: what turns secrets into digests that only this site can compare.

A password, community or token never leaves the worker. What leaves it says whether two secrets are the same, and how
weak one is at first sight::

    digest(secret)             the same secret anywhere at this site
    digest(secret, principal)  the same account
    class, length bucket       empty, default, same_as_principal, short, other; "<8", "8-11", ">=12"

Both digests are HMAC-SHA-256, 128 bits of it. Under four characters there is no digest: it could be guessed from it.
The key lies outside the database, so a stolen database tells nothing. When it is rotated a new epoch begins, and
digests of different epochs are not comparable; old keys are not needed and not kept.

The key file is one line: ``spanward-site-key-1 <epoch> <64 hexadecimal digits>``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

DIGEST_MIN_CHARS: Final = 4
SHORT_CHARS: Final = 8
_MAGIC: Final = "spanward-site-key-1"
_TEST_KEY: Final = bytes(range(32))

# Well-known defaults of protocols, not of products: names of communities and anonymous log-ins.
_DEFAULTS: Final = frozenset(
    (
        b"public",
        b"private",
        b"community",
        b"snmp",
        b"admin",
        b"administrator",
        b"password",
        b"guest",
        b"anonymous",
        b"default",
    )
)


class SiteKeyError(Exception):
    """The key file cannot be used; `str()` is one line that says what to do."""


class SecretClass(StrEnum):
    """How weak a secret is at first sight."""

    EMPTY = "empty"
    DEFAULT = "default"
    SAME_AS_PRINCIPAL = "same_as_principal"
    SHORT = "short"
    OTHER = "other"


class SecretMark(NamedTuple):
    """What is kept of a secret."""

    digest: str | None
    principal_digest: str | None
    secret_class: SecretClass
    length: str
    epoch: int


class SiteKey:
    """Digests with one key of one epoch. Its `repr` does not show the key."""

    def __init__(self, key: bytes, epoch: int) -> None:
        self._key = key
        self.epoch = epoch

    def __repr__(self) -> str:
        return f"<SiteKey epoch {self.epoch}>"

    @classmethod
    def test(cls) -> SiteKey:
        """The fixed key of goldens and tests, and of captures read without a store."""
        return cls(_TEST_KEY, 0)

    @classmethod
    def load(cls, path: Path) -> SiteKey:
        """The key at `path`.

        Raises:
            SiteKeyError: it is missing, unreadable or not a key file.
        """
        try:
            magic, epoch, digits = path.read_text(encoding="ascii").split()
            key = bytes.fromhex(digits)
        except OSError as error:
            raise SiteKeyError(f"{path}: the site key cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise SiteKeyError(f"{path}: not a Spanward site key; restore it from your backup") from error
        if magic != _MAGIC or len(key) != len(_TEST_KEY) or not epoch.isdecimal():
            raise SiteKeyError(f"{path}: not a Spanward site key; restore it from your backup")
        return cls(key, int(epoch))

    @classmethod
    def load_or_create(cls, path: Path) -> SiteKey:
        """The key at `path`, made on first use, readable by its owner only.

        Raises:
            SiteKeyError: it exists and cannot be used, or cannot be made.
        """
        if not path.exists():
            cls(os.urandom(len(_TEST_KEY)), 1).save(path)
        return cls.load(path)

    def rotated(self) -> SiteKey:
        """A new key of the next epoch."""
        return SiteKey(os.urandom(len(_TEST_KEY)), self.epoch + 1)

    def save(self, path: Path) -> None:
        """Write the key file, in one step, readable by its owner only.

        Raises:
            SiteKeyError: it cannot be written.
        """
        line = f"{_MAGIC} {self.epoch} {self._key.hex()}\n"
        scratch = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
        except OSError as error:
            raise SiteKeyError(f"{path}: the site key cannot be written: {error.strerror}") from error

    def mark(self, secret: bytes, principal: str | None) -> SecretMark:
        """What may be kept of `secret`, used by `principal`."""
        account = (principal or "").encode()
        long_enough = len(secret) >= DIGEST_MIN_CHARS
        return SecretMark(
            self._hmac(b"secret", secret) if long_enough else None,
            self._hmac(b"account", account + b"\x1f" + secret) if long_enough and account else None,
            _classify(secret, account),
            _bucket(len(secret)),
            self.epoch,
        )

    def pseudonym(self, principal: str) -> str:
        """A stand-in for an account name, the same for the same name in any case. Machine accounts keep their `$`."""
        machine = "$" if principal.endswith("$") else ""
        return "p-" + self._hmac(b"principal", principal.casefold().encode())[:16] + machine

    def stream_seed(self) -> int:
        """A 62-bit seed for the engine's hash that a sender cannot know."""
        return int(self._hmac(b"engine", b""), 16) >> 66

    def row_key(self) -> tuple[int, int]:
        """Two numbers of 64 bits: the key of the hash that makes ids of conversations."""
        digest = int(self._hmac(b"rows", b""), 16)
        return digest >> 64, digest & (1 << 64) - 1

    def _hmac(self, purpose: bytes, text: bytes) -> str:
        return hmac.new(self._key, b"v1\x1f" + purpose + b"\x1f" + text, hashlib.sha256).hexdigest()[:32]


def _classify(secret: bytes, account: bytes) -> SecretClass:
    if not secret:
        return SecretClass.EMPTY
    if secret.lower() in _DEFAULTS:
        return SecretClass.DEFAULT
    if secret == account:
        return SecretClass.SAME_AS_PRINCIPAL
    return SecretClass.SHORT if len(secret) < SHORT_CHARS else SecretClass.OTHER


def _bucket(length: int) -> str:
    if length < SHORT_CHARS:
        return "<8"
    return "8-11" if length < 12 else ">=12"
