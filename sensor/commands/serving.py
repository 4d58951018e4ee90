"""`spanward serve` and the second half of `demo`: the API over a store that is open for reading.

Arrows point downwards: nothing in `sensor` imports `api`. The API is opened by name, `Settings.api`, the way an entry
point is; it gets the store and what is known of the rules, and knows nothing else of this floor.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

from sensor.commands.console import console, plain
from sensor.commands.errors import CommandError
from sensor.commands.rulebook import cards
from sensor.settings import Settings
from sensor.store import Store


def serve(opening: AbstractContextManager[Store], listen: str | None, settings: Settings) -> None:
    """Serve the API until it is told to stop. `opening` gives the open store, and is entered once the address is ours.

    Raises:
        CommandError: a rule or a setting is broken, or what `opening` raises.
        OSError: the address cannot be listened on.
    """
    run = _entry(settings.api)
    run(
        opening,
        cards(settings.rules),
        listen=listen or settings.listen,
        ready=_say_ready,
        request_timeout_s=settings.request_timeout_s,
        wide_queries=settings.wide_queries,
    )


def _entry(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    try:
        entry: Callable[..., Any] = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise CommandError(f"SPANWARD_API={name!r}: {error}; write module:function, or unset it") from error
    return entry


def _say_ready(url: str) -> None:
    out = console()
    out.print()
    out.print(plain(f"API on {url}   what there is: {url}/   end it with Ctrl-C"))
    out.file.flush()
