"""The bytes of a capture, plain or inflated, into a buffer of ours: memory stays bounded whatever the file says."""

from __future__ import annotations

import hashlib
import select
import time
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Final, Protocol, cast

from sensor.capture.formats import GZIP_MAGIC, ZSTD_MAGIC

# zstd --long=27 needs 128 MiB of window; a file that asks for more is refused.
ZSTD_WINDOW_BYTES: Final = 128 << 20
LAST_S: Final = 2.0
LULL_S: Final = 0.5
"""Of a pipe that is ended: for so long it is still read, and for so long nothing may come."""
PIPE_BYTES: Final = 1 << 20
"""As much as Linux lets anybody have: 16 times fewer turns of writer and reader, and who captures waits less."""
_PIECE_BYTES: Final = 64 << 10


class StreamDamaged(Exception):
    """The compressed data are cut short or corrupt; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stream(Protocol):
    """Bytes of a capture, in order."""

    def readinto(self, target: memoryview) -> int:
        """Fill at most the target; the count, 0 at the end. Raises `StreamDamaged` and OSError."""
        ...


class _Gzip:
    """`read1`, because it asks for one piece: what was inflated before an error is not lost with it."""

    def __init__(self, file: BinaryIO) -> None:
        import gzip  # noqa: PLC0415 - as zstandard below
        import zlib  # noqa: PLC0415

        self._errors = (gzip.BadGzipFile, zlib.error)
        self._file = gzip.GzipFile(fileobj=file, mode="rb")

    def readinto(self, target: memoryview) -> int:
        try:
            piece = self._file.read1(len(target))
        except EOFError as error:
            raise StreamDamaged("the gzip data are cut short") from error
        except self._errors as error:
            raise StreamDamaged("the gzip data are corrupt") from error
        target[: len(piece)] = piece
        return len(piece)


class _Zstd:
    def __init__(self, file: BinaryIO) -> None:
        import zstandard  # noqa: PLC0415 - 8 ms in each process, for the few captures that are compressed so

        self._error = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
        self._reader = decompressor.stream_reader(file, read_across_frames=True)

    def readinto(self, target: memoryview) -> int:
        try:
            return self._reader.readinto(target)
        except self._error as error:
            raise StreamDamaged("the zstd data are corrupt") from error


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins with `head` is inflated here."""
    return head.startswith((GZIP_MAGIC, ZSTD_MAGIC))


def open_stream(file: BinaryIO, head: bytes) -> Stream:
    """The stream for a file that begins with `head`; the file stands at its beginning."""
    if head.startswith(GZIP_MAGIC):
        return _Gzip(file)
    if head.startswith(ZSTD_MAGIC):
        return _Zstd(file)
    return cast("Stream", file)  # which is unbuffered, and fills as much as is there


class Rewound:
    """A pipe that stands at its beginning again although its first bytes, `head`, have been looked at."""

    def __init__(self, file: BinaryIO, head_bytes: int = 4) -> None:
        self._file = file
        self.head = self._rest = _exactly(file, head_bytes)

    def readinto(self, target: memoryview | bytearray) -> int:
        """Like that of a raw file."""
        if not self._rest:
            return self._file.readinto(target)  # type: ignore[attr-defined, no-any-return]
        piece, self._rest = self._rest[: len(target)], self._rest[len(target) :]
        target[: len(piece)] = piece
        return len(piece)

    def read(self, count: int = -1) -> bytes:
        """At most `count` bytes, which is all that decompressors ask for."""
        target = bytearray(count if count >= 0 else _PIECE_BYTES)
        return bytes(target[: self.readinto(target)])

    def close(self) -> None:
        """Let the pipe go."""
        self._file.close()


class Ended:
    """A pipe until somebody has had enough of it; what is on its way then is still taken, but not for long.

    Args:
        file: the pipe, unbuffered.
        orders: a file that becomes readable when somebody wants something.
        enough: called then, and before each reading: whether it is enough.
    """

    def __init__(self, file: BinaryIO, orders: int, enough: Callable[[bool], bool]) -> None:
        self._file = file
        self._orders = orders
        self._enough = enough
        self._end_s: float | None = None
        self._poll = select.poll()
        self._poll.register(file, select.POLLIN)
        self._poll.register(orders, select.POLLIN)
        _enlarge(file)

    def readinto(self, target: memoryview | bytearray) -> int:
        """Like that of a raw file."""
        return self._file.readinto(target) if self._is_more() else 0  # type: ignore[attr-defined]

    def read(self, count: int) -> bytes:
        """The same."""
        return self._file.read(count) if self._is_more() else b""

    def close(self) -> None:
        """Let the pipe go."""
        self._file.close()

    def _is_more(self) -> bool:
        """Wait until there is, or will not be."""
        said = False
        while True:
            if self._enough(said) and self._end_s is None:
                self._end_s = time.monotonic() + LAST_S
            wait_s = None if self._end_s is None else min(self._end_s - time.monotonic(), LULL_S)
            if wait_s is not None and wait_s <= 0:
                return False
            found = {number for number, _ in self._poll.poll(None if wait_s is None else wait_s * 1000)}
            said = self._orders in found
            if not said:
                return bool(found)


class Hashed:
    """A stream whose first `limit` bytes, inflated, are hashed as they pass."""

    def __init__(self, stream: Stream, limit: int) -> None:
        self._stream = stream
        self._left = limit
        self._digest = hashlib.blake2b(b"stream", digest_size=16)

    def readinto(self, target: memoryview) -> int:
        """See `Stream`."""
        count = self._stream.readinto(target)
        hashed = min(count, self._left)
        self._digest.update(target[:hashed])
        self._left -= hashed
        return count

    def hexdigest(self) -> str:
        """Of what has passed."""
        return self._digest.hexdigest()


def _enlarge(file: BinaryIO) -> None:
    """Where it can be: on Linux, of a pipe, and while this user has not too many."""
    import fcntl  # noqa: PLC0415 - a pipe alone takes it

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(file, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _exactly(file: BinaryIO, count: int) -> bytes:
    """`count` bytes of a pipe, which may hand them out one by one; fewer at its end."""
    found = b""
    while len(found) < count and (piece := file.read(count - len(found))):
        found += piece
    return found
