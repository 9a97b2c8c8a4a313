"""A disk that takes no more is one line: which file, how much is left, what is kept."""

import errno
import os

import pytest

from curriculum.core.disk import explained


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full: "),
        (errno.EFBIG, "a file may not be that large here (ulimit -f): "),
        (errno.EROFS, "the disk takes no writes: "),
    ],
)
def test_the_file_and_the_space_are_named(tmp_path, number, said):
    path = tmp_path / "missing" / "rewards.parquet"
    error = explained(OSError(number, os.strerror(number), str(path)), [tmp_path])
    text = str(error)
    assert text.startswith(f"{said}{path} could not be written, ")
    assert " MB are left there" in text and "store_dir" in text


def test_without_a_file_the_folder_is_named(tmp_path):
    error = explained(OSError(errno.ENOSPC, "No space left on device"), [tmp_path / "out"])
    assert str(error).startswith(f"the disk is full: {tmp_path} could not be written")


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError(errno.ENOENT, "x", "y")])
def test_other_errors_are_no_matter_of_the_disk(tmp_path, error):
    assert explained(error, [tmp_path]) is None
