"""One reading of every capture with canaries, by the command itself, with a site key of its own."""

from __future__ import annotations

import pytest

from tests.canaries.reading import Reading, own_key, read_everything


@pytest.fixture(scope="session")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    """The store that `spanward read` made, and all that it said."""
    folder = tmp_path_factory.mktemp("reading")
    own_key().save(folder / "site.key")
    return read_everything(folder)
