"""Capture files as they appear in a folder into an open store: what `spanward run -r` does beside the API.

Each file is a capture of its own, read once it is whole. The store knows captures by their content, so that nothing
counts twice, also when it is started again. A file that was read too early and has grown is read anew, and what its
beginning had contributed is taken out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sensor.budget import DEFAULT_MIB
from sensor.capture.errors import CaptureError
from sensor.capture.folder import SETTLE_S, Folder
from sensor.capture.pcapfile import identify
from sensor.recorder import WORKER, Recorder, WorkerDied
from sensor.store import Store, StoreError
from sensor.store.ledger import Ledger, Reading
from sensor.store.patience import patiently
from sensor.store.sql import statement
from sensor.upkeep import Upkeep
from sensor.wire import BATCH_BYTES, printable

GLANCE_S: Final = 1.0
TRIES: Final = 3
"""A file at which workers die is left alone after so many."""


class FolderWatch:
    """Reads what is whole in a folder until `stop`.

    Args:
        store: open for writing; nobody else may write it.
        path: of the folder.
        site, site_key: paths.
        infer: makes inferences; called when files were read, and meanwhile where they are many.
        say: gets lines for the person who watches.
        fail: called when it cannot go on; `failure` says why.
        settle_s: see `Folder`.
        memory_mib: of a worker, see `sensor.budget`.
        command: starts the process that forks workers.
    """

    def __init__(  # noqa: PLR0913 - the last ones are for tests
        self,
        store: Store,
        path: Path,
        site: Path | None,
        site_key: Path,
        *,
        infer: Callable[[], object],
        say: Callable[[str], None],
        fail: Callable[[], None],
        settle_s: float = SETTLE_S,
        memory_mib: int = DEFAULT_MIB,
        command: Sequence[str] = WORKER,
    ) -> None:
        self.failure: Exception | None = None
        self._store = store
        self._path = path
        self._settle_s = settle_s
        self._upkeep = Upkeep(store, infer)
        self._say = say
        self._fail = fail
        self._stopping = threading.Event()
        self._deaths: dict[Path, int] = {}
        self._away = False
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)
        self._recorder = Recorder(
            store, site=site, site_key=site_key, batch_bytes=BATCH_BYTES, memory_mib=memory_mib, command=command
        )

    def start(self) -> None:
        """Begin.

        Raises:
            CaptureUnreadable: there is no such folder.
        """
        self._folder = Folder(self._path, self._settle_s)
        self._thread.start()

    def stop(self) -> None:
        """End after the file that is being read."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        """Whatever goes wrong here ends everything: a sensor whose files nobody reads would look well."""
        failure: Exception | None = CaptureError(self._path, "files could not be read", "please report it")
        try:
            with self._recorder:
                while not self._stopping.is_set():
                    self._round()
                    self._stopping.wait(GLANCE_S)
            failure = None
        except StoreError as error:
            failure = error
        finally:
            if failure is not None:
                self.failure = failure
                self._fail()

    def _round(self) -> None:
        """Read what is whole, then infer."""
        for path in self._whole():
            if self._stopping.is_set():
                break
            self._upkeep.look(is_news=self._read(path))
        self._upkeep.infer()

    def _whole(self) -> list[Path]:
        """None while the folder is away, as one on another machine may be."""
        try:
            found = self._folder.whole()
        except CaptureError as error:
            if not self._away:
                self._say(f"{error}; it is looked for again")
            self._away = True
            return []
        if self._away:
            self._say(f"{self._path}: is there again")
        self._away = False
        return found

    def _read(self, path: Path) -> bool:
        """True when there is something new in the store. What is wrong with a file is said once."""
        try:
            self._forget_beginning(path)
            result = patiently(lambda: self._recorder.read(path), self._stopping, self._say)
        except CaptureError as error:
            if self._folder.has(path):  # else rotation took it away
                self._say(str(error))
        except WorkerDied as error:
            return self._died(path, error)
        else:
            if result.damaged:
                self._say(f"{path}: {result.damaged}; what came before that was read")
            self._folder.done(path)
            return not result.known
        self._folder.done(path)
        return False

    def _died(self, path: Path, error: WorkerDied) -> bool:
        self._deaths[path] = self._deaths.get(path, 0) + 1
        self._say(str(error))
        if self._deaths[path] >= TRIES:
            self._say(f"{path}: left alone after {TRIES} tries; please report it with the file")
            self._folder.done(path)
        return True

    def _forget_beginning(self, path: Path) -> None:
        """Take out what was read when the file was shorter: its id is that of the beginning of what lies there now."""
        name = printable(path.name)
        for capture, parser_set, settings, batch_bytes, size in self._store.query(
            statement("ledger/find_named"), {"name": name}
        ):
            if _begins_with(path, int(str(size)), str(capture)):
                said = Reading(str(capture), str(parser_set), str(settings), int(str(batch_bytes)), name, 0)
                Ledger(self._store, said).forget()


def _begins_with(path: Path, size: int, capture: str) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return 0 < size < path.stat().st_size and identify(file, size) == capture
    return False
