"""Site file and site key."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.site import Site, SiteError
from sensor.sitekey import SecretClass, SiteKey, SiteKeyError
from sensor.worker import settings

SITE = """
name = "Invented Hospital"
[networks]
internal = ["10.0.0.0/8", "2001:db8::/32"]
vendors = {"Invented Imaging" = ["192.0.2.0/24"]}
[scopes]
laboratory = [310, 311]
north = ["vni 5000", 12, "erspan 7"]
[privacy]
principals = "pseudonym"
[[windows]]
vendor = "Invented Imaging"
days = ["sat"]
from = "01:00"
to = "05:00"
"""


def test_defaults_are_sensible() -> None:
    site = Site.load(None)
    assert [site.internal(ip) for ip in ("10.1.2.3", "172.31.0.1", "fd00::1", "8.8.8.8", "2001:db8::1")] == [
        True
    ] * 3 + [False] * 2
    assert set(site.scope_of_vlan) == {0}


def test_a_site_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    site = Site.load(path)
    assert site.scope_names[site.scope_of_vlan[311]] == "laboratory"
    assert {site.scope_names[site.scope_of_vlan[vlan]] for vlan in (12, 13)} == {"north", "default"}
    assert site.scope_of_tunnel == {("vni", 5000): 2, ("erspan", 7): 2}
    assert site.vendor("192.0.2.9") == "Invented Imaging"
    assert not site.internal("192.168.1.1")
    assert site.windows[0].begin == "01:00"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "TOML"),
        ("nmae = 'x'", "nmae"),
        ("[scopes]\nx = [5000]", "scopes.x.0: .*1 to 4094"),
        ("[scopes]\nx = ['vxlan 7']", "scopes.x.0: .*one of vni"),
        ("[scopes]\nx = ['vni 16777216']", "scopes.x.0: .*24 bits"),
        ("[scopes]\nx = ['erspan']", "scopes.x.0: .*its number"),
        ("[networks]\ninternal = ['10.0.0.1/8']", "internal"),
    ],
)
def test_errors_say_where(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(SiteError, match=says) as caught:
        Site.load(path)
    assert "\n" not in str(caught.value)


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "site.key"
    first = SiteKey.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SiteKey.load_or_create(path).mark(b"secret", "bob") == first.mark(b"secret", "bob")
    assert path.read_text().split()[2] not in repr(first)


def test_what_hashes_of_the_worker_are_keyed_with_is_the_keys_own() -> None:
    """Two numbers of 64 bits for ids, and another one for the engine; each key has others, and always the same."""
    keys = [SiteKey.test(), SiteKey.test().rotated()]
    of_rows = [key.row_key() for key in keys]
    assert of_rows == [key.row_key() for key in keys]
    numbers = {*of_rows[0], *of_rows[1], *(key.stream_seed() for key in keys)}
    assert len(numbers) == 6
    assert all(0 <= number < 1 << 64 for number in numbers)


def test_a_rotated_key_begins_a_new_epoch() -> None:
    key = SiteKey.test()
    before, after = key.mark(b"secret", "bob"), key.rotated().mark(b"secret", "bob")
    assert (before.epoch, after.epoch) == (0, 1)
    assert before.digest != after.digest


def test_marks_tell_the_same_secret_from_the_same_account() -> None:
    key = SiteKey.test()
    bob, ann, other = key.mark(b"hunter22", "bob"), key.mark(b"hunter22", "ann"), key.mark(b"hunter23", "bob")
    assert bob.digest == ann.digest != other.digest
    assert bob.principal_digest != ann.principal_digest


@pytest.mark.parametrize(
    ("secret", "account", "kind", "length"),
    [
        (b"", "bob", SecretClass.EMPTY, "<8"),
        (b"Public", "bob", SecretClass.DEFAULT, "<8"),
        (b"bob", "bob", SecretClass.SAME_AS_PRINCIPAL, "<8"),
        (b"abc", "bob", SecretClass.SHORT, "<8"),
        (b"long enough!", "bob", SecretClass.OTHER, ">=12"),
    ],
)
def test_classes(secret: bytes, account: str, kind: SecretClass, length: str) -> None:
    mark = SiteKey.test().mark(secret, account)
    assert (mark.secret_class, mark.length) == (kind, length)
    assert (mark.digest is None) == (len(secret) < 4)


@pytest.mark.parametrize("text", ["", "spanward-site-key-1 1 zz", "other 1 " + "00" * 32, "spanward-site-key-1 1 00"])
def test_a_broken_key_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.key"
    path.write_text(text)
    with pytest.raises(SiteKeyError, match="backup"):
        SiteKey.load_or_create(path)
    assert path.read_text() == text


def test_a_worker_knows_what_decides_facts_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    whole = Site.load(path)
    part = Site.of_facts(whole.for_facts)
    assert (part.scope_of_vlan, part.scope_of_tunnel) == (whole.scope_of_vlan, whole.scope_of_tunnel)
    assert part.privacy == whole.privacy
    assert (part.name, part.networks, part.windows) == (Site().name, Site().networks, ())


def test_readings_of_earlier_versions_are_known_again(tmp_path: Path) -> None:
    """The digest of what decides facts stands in every store: another one would have all captures read anew."""
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    digests = [settings(Site.load(file), SiteKey.test()) for file in (None, path)]
    assert digests == ["496991cdc017de71", "d86de0071154ec67"]
    assert settings(Site(), SiteKey.test(), memory_mib=4096) not in digests


def test_without_a_site_file_nothing_checks_one() -> None:
    """A worker needs none of Pydantic, which takes as long to import as all the rest of it."""
    code = "import sys, sensor.worker; sensor.worker.Site.load(None); print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
