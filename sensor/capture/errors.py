"""What can be wrong with a capture: each error is one clear line with the path, what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path


class CaptureError(Exception):
    """A capture cannot be read.

    Attributes:
        path: the capture.
        what: what is wrong with it.
        hint: what to do about it; may be empty.
    """

    def __init__(self, path: Path, what: str, hint: str = "") -> None:
        super().__init__(path, what, hint)
        self.path = path
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        line = f"{self.path}: {self.what}"
        return f"{line}; {self.hint}" if self.hint else line


class CaptureUnreadable(CaptureError):
    """The operating system does not let us read it: missing, a folder, no permission, a broken disk."""


class NotACapture(CaptureError):
    """The file is there, but is no pcap or pcapng capture."""


class CaptureDamaged(CaptureError):
    """The file is a capture, but is damaged before its first packet."""


class CaptureGone(CaptureUnreadable):
    """The interface has to be opened again, by somebody with the rights to do so."""
