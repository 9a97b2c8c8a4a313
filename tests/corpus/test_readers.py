"""Whatever lies where data should be: it is read, or one error says which file and why."""

import json

import pytest

from tests.corpus.asking import READERS, read
from tests.corpus.odd_files import CONTENTS, FIELDS, LINES, PLACES, ROWS, VALUES, WHOLE, flipped


@pytest.mark.parametrize("case", CONTENTS)
def test_a_file_of_any_content(tmp_path, case):
    name, content = CONTENTS[case]
    (tmp_path / name).write_bytes(content)
    for reader in READERS:
        message = read(str(tmp_path / name), tmp_path / "store", reader)
        assert message is None or name in message


@pytest.mark.parametrize("case", PLACES)
def test_a_path_to_anything(tmp_path, case):
    path = PLACES[case](tmp_path)
    for reader in READERS:
        message = read(path if isinstance(path, list) else str(path), tmp_path / "store", reader)
        assert message is not None
        assert "data.path" in message or str(path).rpartition("/")[2] in message


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_any_value_costs_its_own_rows_at_most(tmp_path, field):
    """All odd values of a field in one file, beside rows that are good."""
    plain = {key: value for key, value in ROWS[0].items() if key != field}
    for number, value in enumerate(VALUES):
        odd = f"{json.dumps(plain)[:-1]}, {json.dumps(field)}: {value}}}\n".encode()
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(LINES + odd)
        message = read(str(path), tmp_path / "store")
        assert message is None or path.name in message, value


@pytest.mark.parametrize("name", WHOLE)
def test_some_bytes_of_a_file_are_others(tmp_path, name):
    for seed in range(8):
        path = tmp_path / f"{seed}{name}"
        path.write_bytes(flipped(WHOLE[name], seed))
        message = read(str(path), tmp_path / "store")
        assert message is None or path.name in message, seed


def test_whole_files_are_read(tmp_path):
    for name, content in WHOLE.items():
        (tmp_path / name).write_bytes(content)
        assert read(str(tmp_path / name), tmp_path / "store") is None
