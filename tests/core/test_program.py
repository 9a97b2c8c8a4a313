"""What messages tell to type: how the program was called, or can be."""

import sys

import pytest

from curriculum.core import program


@pytest.mark.parametrize(
    ("called", "checkout", "told"),
    [
        ("run.py", True, "python run.py"),
        ("/usr/lib/python3/curriculum/compare/__main__.py", True, "python run.py"),
        ("/opt/venv/bin/curriculum", True, "curriculum"),
        ("/opt/venv/bin/curriculum", False, "curriculum"),
        ("/usr/lib/python3/curriculum/compare/__main__.py", False, "curriculum"),
    ],
)
def test_what_is_told_is_what_can_be_typed(monkeypatch, tmp_path, called, checkout, told):
    monkeypatch.setattr(sys, "argv", [called, "seed=1"])
    monkeypatch.setattr(program, "CHECKOUT", tmp_path)
    if checkout:
        (tmp_path / "run.py").touch()
    assert program.program() == told
    where = "-e '.[torch]'" if checkout else "'curriculum[torch]'"
    assert program.install("torch") == f"pip install {where}"
