"""A mirror for each test, made and taken away.

The test's own thread steps into the receiver's namespace; what it starts from there (threads, workers) is inside too.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.live.mirror import Mirror, inside
from tests.sensor.conftest import store  # noqa: F401 - a fixture


@pytest.fixture
def mirror():
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs root on Linux, to make network namespaces")
    made = Mirror(os.getpid())
    try:
        made.make()
    except (OSError, subprocess.CalledProcessError) as error:
        made.remove()
        pytest.skip(f"network namespaces cannot be made here: {error}")
    with inside(made.receiver):
        yield made
    made.remove()
