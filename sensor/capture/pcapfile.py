"""Captures, in files and in pipes: pcap and pcapng, plain or inside gzip or zstd, into the engine window by window."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from sensor.capture import STDIN
from sensor.capture.errors import CaptureDamaged, CaptureError, CaptureUnreadable, NotACapture
from sensor.capture.formats import (
    PCAP_HEADER_BYTES,
    PCAPNG_MAGIC,
    PCAPNG_SMALLEST_BYTES,
    PcapHeader,
    complaint,
    pcap_header,
)
from sensor.capture.stream import Hashed, Rewound, Stream, StreamDamaged, is_compressed, open_stream
from sensor.capture.window import WINDOW_BYTES, Window
from sensor.engine import CORRUPT, NEED, Engine

__all__ = [
    "Capture",
    "CaptureDamaged",
    "CaptureError",
    "CaptureFile",
    "CaptureStream",
    "CaptureUnreadable",
    "NotACapture",
    "identify",
]

_EMPTY: Final = ("is empty", "give a pcap or pcapng file")
_COPY_AGAIN: Final = "copy it again"
_SNIFF_BYTES: Final = 512
_EDGE_BYTES: Final = 1 << 20
_SAMPLES: Final = 64
_SAMPLE_BYTES: Final = 4096
_ENDS: Final = frozenset({NEED, CORRUPT})
"""Events that end a window."""


class Capture:
    """A capture, read once from its beginning to its end; a context manager. See `CaptureFile` and `CaptureStream`.

    Attributes:
        path: as given.
        capture_id: 32 hex characters: the same for the same bytes, wherever they lie and whatever they are called.
        offset: bytes of the capture, inflated, that are behind us; never falls.
        damaged: after the end, one line when the capture was cut short or corrupt, else None.
        settled_bytes: after so many bytes its id is known for good.
    """

    capture_id: str
    settled_bytes = 0

    def __init__(self, path: Path, file: BinaryIO, window_bytes: int) -> None:
        self.path = path
        self.damaged: str | None = None
        self._engine: Engine | None = None
        self._file = file
        try:
            self._recognise(window_bytes)
        except OSError as error:
            self.close()
            raise _unreadable(path, error) from error
        except CaptureError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    @property
    def offset(self) -> int:
        """See above: the start of the record that the engine is in."""
        return self._window.base + (self._engine.position if self._engine else self._window.start)

    def pump(self, engine: Engine, step: Callable[[], int] | None = None) -> Iterator[int]:
        """Every event of the capture, to its end; the event's details are attributes of the engine.

        With `step`, only those that it returns: it takes the engine's events, and works most of them off. NEED comes at
        the end of each window, which is where it is whenever the capture is read.

        Raises:
            CaptureUnreadable: the disk failed under way.
        """
        self._declare(engine)
        step = step or engine.step
        window, last, more = self._window, NEED, True
        while more:
            self._fill()
            engine.load(window.buffer, window.start, window.end, window.at_end)
            self._engine = engine
            while (last := step()) not in _ENDS:
                yield last
            self._engine = None
            window.consume(engine.position)
            yield NEED
            more = last == NEED and not window.at_end and not window.full
        self.damaged = self._damage(corrupt=last == CORRUPT)
        engine.finish()
        while (event := step()) not in _ENDS:
            yield event

    def _recognise(self, window_bytes: int) -> None:
        """Read the first bytes and know the format, or raise what is wrong."""
        raise NotImplementedError

    def _begin(self, stream: Stream, window_bytes: int) -> None:
        self._window = Window(stream, window_bytes)
        self._window.fill(_SNIFF_BYTES)
        self._header = self._format(bytes(self._window.buffer[: self._window.end]))
        self._window.start = PCAP_HEADER_BYTES if self._header else 0

    def _format(self, head: bytes) -> PcapHeader | None:
        """The header of a classic pcap, None for pcapng."""
        if not head:
            raise CaptureDamaged(self.path, self._window.damage or "nothing is inside the compressed file", _COPY_AGAIN)
        header = pcap_header(head)
        if header is None and not head.startswith(PCAPNG_MAGIC):
            raise NotACapture(self.path, *complaint(head))
        if len(head) < (PCAP_HEADER_BYTES if header else PCAPNG_SMALLEST_BYTES):
            raise CaptureDamaged(self.path, "the capture ends within its file header", _COPY_AGAIN)
        return header

    def _declare(self, engine: Engine) -> None:
        if self._header is None:
            engine.pcapng()
        else:
            header = self._header
            engine.pcap(header.big_endian, header.nanosecond, header.link_type, header.modified)

    def _fill(self) -> None:
        try:
            self._window.fill()
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _damage(self, *, corrupt: bool) -> str | None:
        window, at = self._window, self._window.base
        if corrupt:
            return f"the capture is damaged at byte {at}: what stands there is no record"
        if window.damage is not None:
            return f"{window.damage} after byte {at + window.end} of the capture"
        if window.full:
            return f"the capture is damaged at byte {at}: a record of more than {window.end} bytes"
        if window.end > window.start:
            return f"the capture is cut short: it ends within the record at byte {at}"
        return None


class CaptureFile(Capture):
    """A capture in a regular file.

    Args:
        path: of the file.
        window_bytes: how much of it lies in memory at a time; grows for one record that is larger.

    Attributes:
        size_bytes: of the file when its id was taken; it may grow meanwhile, and is read as it is then.

    Raises:
        CaptureError: it cannot be read or is no capture; `str()` is one line that says what to do.
    """

    def __init__(self, path: Path, *, window_bytes: int = WINDOW_BYTES) -> None:
        super().__init__(path, _open(path), window_bytes)

    def _recognise(self, window_bytes: int) -> None:
        self.size_bytes = self._file.seek(0, os.SEEK_END)
        self.capture_id = identify(self._file, self.size_bytes)
        self._file.seek(0)
        raw = self._file.read(_SNIFF_BYTES)
        if not raw:
            raise NotACapture(self.path, *_EMPTY)
        self._file.seek(0)
        self._head = raw
        self._begin(open_stream(self._file, raw), window_bytes)

    @property
    def is_compressed(self) -> bool:
        """Whether what is in the file is inflated."""
        return is_compressed(self._head)

    def content_id(self, size: int, passed: Callable[[int], None]) -> str | None:
        """The id that the capture would have outside of what compresses it, if it has `size` bytes there.

        All of it is inflated, and read again afterwards; `passed` hears how many bytes have been.

        Raises:
            CaptureUnreadable: the disk failed.
        """
        try:
            here = self._file.seek(0, os.SEEK_CUR)
            self._file.seek(0)
            found = _identify_inflated(open_stream(self._file, self._head), size, passed)
            self._file.seek(here)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return found


class CaptureStream(Capture):
    """A capture that comes through a pipe and cannot be read again.

    Its id is a running hash of its first `id_bytes` bytes, or of all when it is shorter: known once they are read.

    Args:
        file: the pipe, unbuffered.
        id_bytes: see above.
        window_bytes: as for a file.

    Raises:
        CaptureError: it is no capture.
    """

    def __init__(self, file: BinaryIO, *, id_bytes: int, window_bytes: int = WINDOW_BYTES) -> None:
        self._id_bytes = self.settled_bytes = id_bytes
        super().__init__(STDIN, file, window_bytes)

    @property
    def capture_id(self) -> str:  # type: ignore[override]
        """The hash so far."""
        return self._hashed.hexdigest()

    def _recognise(self, window_bytes: int) -> None:
        rewound = Rewound(self._file)
        if not rewound.head:
            raise NotACapture(self.path, *_EMPTY)
        self._hashed = Hashed(open_stream(cast("BinaryIO", rewound), rewound.head), self._id_bytes)
        self._begin(self._hashed, window_bytes)


def identify(file: BinaryIO, size: int | None = None) -> str:
    """A capture's id: a hash of its size, its first and last MiB, and 64 blocks of 4 KiB between them.

    With `size`, the id of the file's first `size` bytes.
    """
    size = file.seek(0, os.SEEK_END) if size is None else size
    return _identified(size, (_block(file, offset, min(count, size - offset)) for offset, count in _sampled(size)))


def _block(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _identify_inflated(stream: Stream, size: int, passed: Callable[[int], None]) -> str | None:
    """As `identify`, of a stream that ends after `size` bytes; None if it does not, or is damaged."""
    blocks = [(offset, bytearray(min(count, size - offset))) for offset, count in _sampled(size)]
    waiting = sorted(blocks, key=itemgetter(0))
    piece = memoryview(bytearray(_EDGE_BYTES))
    at, count = 0, -1
    try:
        while at <= size and (count := stream.readinto(piece)):
            for offset, block in waiting:
                begin, end = max(at, offset), min(at + count, offset + len(block))
                if begin < end:
                    block[begin - offset : end - offset] = piece[begin - at : end - at]
            at += count
            waiting = [(offset, block) for offset, block in waiting if offset + len(block) > at]
            passed(at)
    except StreamDamaged:
        return None
    return _identified(size, (block for _, block in blocks)) if at == size and not count else None


def _identified(size: int, blocks: Iterable[bytes | bytearray]) -> str:
    digest = hashlib.blake2b(size.to_bytes(8, "big"), digest_size=16)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def _sampled(size: int) -> Iterator[tuple[int, int]]:
    """Offset and length of each block that goes into the id."""
    yield 0, _EDGE_BYTES
    if size > _EDGE_BYTES:
        yield max(_EDGE_BYTES, size - _EDGE_BYTES), _EDGE_BYTES
    middle = size - 2 * _EDGE_BYTES
    if middle > 0:
        yield from ((_EDGE_BYTES + middle * index // _SAMPLES, _SAMPLE_BYTES) for index in range(_SAMPLES))


def _open(path: Path) -> BinaryIO:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise NotACapture(path, "is a folder" if path.is_dir() else "is not a regular file", "give a capture file")
        return path.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError | ValueError) -> CaptureUnreadable:
    if isinstance(error, FileNotFoundError):
        return CaptureUnreadable(path, "there is no such file")
    if isinstance(error, PermissionError):
        return CaptureUnreadable(path, "may not be read by this user", "change its permissions, or the user")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return CaptureUnreadable(path, f"cannot be read: {reason}")
