"""`spanward check`: rules, fingerprints, word lists and configuration; every error with its file and line."""

from __future__ import annotations

from collections.abc import Iterator

from sensor.commands.access import settings, site, site_key_path
from sensor.commands.console import console, plain
from sensor.commands.errors import CommandError, Status
from sensor.rules.check import check_all
from sensor.settings import Settings
from sensor.sitekey import SiteKey, SiteKeyError


def check() -> Status:
    """Print every error; says so when there is none.

    Raises:
        CommandError: a variable holds what it may not.
    """
    configured = settings()
    errors = [*_configuration(configured), *_data(configured)]
    out = console()
    for error in errors:
        out.print(plain(error), soft_wrap=True)
    if errors:
        out.print(plain(f"{len(errors)} error{'s' if len(errors) != 1 else ''}"))
        return Status.CHECK_FAILED
    out.print(plain("rules, fingerprints, word lists and configuration: no error"))
    return Status.DONE


def _data(configured: Settings) -> Iterator[str]:
    folders = [configured.rules] if configured.rules and configured.rules.is_dir() else []
    yield from (str(problem) for problem in check_all(*folders))


def _configuration(configured: Settings) -> Iterator[str]:
    if configured.rules and not configured.rules.is_dir():
        yield f"{configured.rules}:0: not a folder; SPANWARD_RULES names the folder of the site's own rules"
    try:
        site(configured.site)
    except CommandError as error:
        yield str(error)
    key_path = site_key_path(configured.site_key)
    if key_path.exists():
        try:
            SiteKey.load(key_path)
        except SiteKeyError as error:
            yield str(error)
