"""The real software that scenarios are recorded from: where it comes from, which version is here, what is missing.

A recorder names its software once, ``SAMBA = debian("Samba", "samba", "smbd")``, and its scenarios name that: the
sidecar then says the version, and ``record.py`` says what to install. A name registered nowhere is a Python package
or a text that stands for itself.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SYSTEM = {"ip": "iproute2", "ethtool": "ethtool", "tcpdump": "tcpdump"}


@dataclass(frozen=True)
class Package:
    """A package of Debian or of npm; a Debian package is there when its program (or the file of a plug-in) is."""

    name: str
    program: str = ""

    @property
    def is_here(self) -> bool:
        """Whether it is installed."""
        return bool(shutil.which(self.program, os.F_OK)) if self.program else _manifest(self.name).exists()

    @property
    def version(self) -> str:
        """Return the version installed; empty when it is not."""
        if self.program:
            query = ["dpkg-query", "-W", "-f", "${Version}", self.name]
            return subprocess.run(query, capture_output=True, text=True, check=False).stdout
        return str(json.loads(_manifest(self.name).read_bytes())["version"]) if self.is_here else ""


PACKAGES: dict[str, Package] = {}


def debian(software: str, package: str, program: str) -> str:
    """Register software of a Debian package by one of its programs; return the name for scenarios."""
    PACKAGES[software] = Package(package, program)
    return software


def npm(package: str) -> str:
    """Register a package that is installed globally by npm; return its name for scenarios."""
    PACKAGES[package] = Package(package)
    return package


@functools.cache
def npm_root() -> Path:
    """Return the folder of the global npm packages; scripts get it as NODE_PATH."""
    if not shutil.which("npm"):
        return Path("/nonexistent")
    return Path(subprocess.run(["npm", "root", "-g"], capture_output=True, text=True, check=True).stdout.strip())


def _manifest(package: str) -> Path:
    return npm_root() / package / "package.json"


def version_of(software: str) -> str:
    """Return the name with its version, as installed here; a text that names no package stays as it is."""
    if software in PACKAGES:
        return f"{software} {PACKAGES[software].version}"
    try:
        return f"{software} {importlib.metadata.version(software)}"
    except importlib.metadata.PackageNotFoundError:
        return software


def missing(software: Iterable[str]) -> list[str]:
    """Return what this machine lacks of the registered software and of what the lab itself runs, as commands."""
    absent = [PACKAGES[s] for s in software if s in PACKAGES and not PACKAGES[s].is_here]
    debs = {p.name for p in absent if p.program} | {p for program, p in SYSTEM.items() if not shutil.which(program)}
    mods = {p.name for p in absent if not p.program}
    return [
        f"{how} {' '.join(sorted(names))}"
        for how, names in (("apt-get install", debs), ("npm install -g", mods))
        if names
    ]


def install(software: Iterable[str]) -> None:
    """Install what this machine lacks of Debian's packages; their services are not started. Needs root.

    Raises CalledProcessError when apt-get fails.
    """
    absent = {PACKAGES[s].name for s in software if s in PACKAGES and PACKAGES[s].program and not PACKAGES[s].is_here}
    absent |= {package for program, package in SYSTEM.items() if not shutil.which(program)}
    if not absent:
        return
    with _no_service_starts():
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]
        subprocess.run([*apt, "update"], check=True, env=quiet)
        subprocess.run([*apt, "install", "-y", "--no-install-recommends", *sorted(absent)], check=True, env=quiet)


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Refuse, as long as the block lasts, that installing a package starts its service (invoke-rc.d(8))."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def advice(program: str) -> str:
    """Return how to get a program that could not be started; empty when nobody registered it."""
    names = [p.name for p in PACKAGES.values() if p.program == program] + [SYSTEM.get(program, "")]
    return f": apt-get install {names[0]}" if names[0] else ""


debian("DCMTK", "dcmtk", "storescu")
debian("Orthanc", "orthanc", "Orthanc")
debian("OpenSSL", "openssl", "openssl")
debian("GnuTLS", "gnutls-bin", "gnutls-cli")
debian("OpenJDK", "openjdk-17-jdk-headless", "javac")
debian("curl", "curl", "curl")
