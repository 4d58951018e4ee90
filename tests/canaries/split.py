"""A young process with secrets, which splits a forkserver off: a program for `test_process`, not a test.

As `spanward read` does, with the front door imported. Says the forkserver's process id and the path to it over the
socket that is its standard input, goes on to open a store, and lives as long as the other side.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path

import sensor.cli
from sensor import forkserver
from sensor.wire import NUMBER


def main() -> None:
    """Argument: a file to hold open meanwhile."""
    assert sensor.cli.app
    with Path(sys.argv[1]).open("rb") as file, tempfile.TemporaryDirectory() as folder:
        os.dup2(file.fileno(), 40)
        made = forkserver.split_off()
        assert made is not None
        from sensor.store import Store

        with Store.open(Path(folder) / "s.duckdb"):
            assert forkserver.split_off() is None
            line = socket.socket(fileno=os.dup(0))
            socket.send_fds(line, [NUMBER.pack(made.process.pid)], [made.line.fileno()])
            made.line.close()
            line.recv(1)
    made.process.wait()


if __name__ == "__main__":
    main()
