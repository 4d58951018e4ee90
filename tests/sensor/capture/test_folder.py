"""Which files of a folder are whole."""

from __future__ import annotations

import os

import pytest

from sensor.capture.errors import CaptureUnreadable
from sensor.capture.folder import Folder


def write(path, text, age_s=0):
    path.write_text(text)
    if age_s:
        when = path.stat().st_mtime_ns - int(age_s * 1e9)
        os.utime(path, ns=(when, when))
    return path


def test_the_newest_file_waits_until_nothing_is_written_to_it(tmp_path):
    old, new = write(tmp_path / "b", "1", 20), write(tmp_path / "a", "1", 10)
    folder = Folder(tmp_path, settle_s=30)
    assert folder.whole() == [old]
    folder.done(old)
    assert folder.whole() == []
    write(new, "1", 40)
    write(old, "1", 50)
    assert folder.whole() == [old, new]


def test_a_file_comes_again_when_it_has_changed(tmp_path):
    path = write(tmp_path / "a", "1", 90)
    folder = Folder(tmp_path, settle_s=30)
    assert folder.whole() == [path]
    folder.done(path)
    assert folder.whole() == []
    write(path, "12", 90)
    assert folder.whole() == [path]
    write(path, "123", 90)  # while it is being read
    folder.done(path)
    assert folder.whole() == [path]


def test_a_file_that_is_being_compressed_waits_while_the_next_one_is_written(tmp_path):
    packed = write(tmp_path / "1.gz", "1", 1)
    write(tmp_path / "2", "1")
    folder = Folder(tmp_path)
    assert folder.whole() == []
    write(packed, "12", 5)
    assert folder.whole() == [packed]


def test_hidden_and_empty_files_and_folders_are_left_alone(tmp_path):
    write(tmp_path / ".part", "1", 90)
    write(tmp_path / "empty", "", 90)
    (tmp_path / "more").mkdir()
    assert Folder(tmp_path).whole() == []


def test_a_file_that_rotation_took_away_is_no_error(tmp_path):
    path = write(tmp_path / "a", "1", 90)
    folder = Folder(tmp_path)
    assert folder.whole() == [path]
    path.unlink()
    folder.done(path)
    assert folder.whole() == []


def test_no_folder_is_said(tmp_path):
    with pytest.raises(CaptureUnreadable, match="is not a folder"):
        Folder(tmp_path / "nothing")
