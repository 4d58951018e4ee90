"""The bytes of a capture, plain or inflated, into a buffer of ours: memory stays bounded whatever the file says."""

from __future__ import annotations

import gzip
import zlib
from typing import BinaryIO, Final, Protocol

import zstandard

from sensor.capture.formats import GZIP_MAGIC, ZSTD_MAGIC

# zstd --long=27 needs 128 MiB of window; a file that asks for more is refused.
ZSTD_WINDOW_BYTES: Final = 128 << 20


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


class _Plain:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readinto(self, target: memoryview) -> int:
        return self._file.readinto(target)  # type: ignore[attr-defined, no-any-return]


class _Gzip:
    """`read1`, because it asks for one piece: what was inflated before an error is not lost with it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=file, mode="rb")

    def readinto(self, target: memoryview) -> int:
        try:
            piece = self._file.read1(len(target))
        except EOFError as error:
            raise StreamDamaged("the gzip data are cut short") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise StreamDamaged("the gzip data are corrupt") from error
        target[: len(piece)] = piece
        return len(piece)


class _Zstd:
    def __init__(self, file: BinaryIO) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
        self._reader = decompressor.stream_reader(file, read_across_frames=True)

    def readinto(self, target: memoryview) -> int:
        try:
            return self._reader.readinto(target)
        except zstandard.ZstdError as error:
            raise StreamDamaged("the zstd data are corrupt") from error


def open_stream(file: BinaryIO, head: bytes) -> Stream:
    """The stream for a file that begins with `head`; the file stands at its beginning."""
    if head.startswith(GZIP_MAGIC):
        return _Gzip(file)
    if head.startswith(ZSTD_MAGIC):
        return _Zstd(file)
    return _Plain(file)
