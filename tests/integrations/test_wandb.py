"""Each door of W&B's that may move is where we look for it."""

import os
from typing import Any

import pytest

from curriculum.integrations.wandb import DATA, SYNC, files_in, flush_every

wandb = pytest.importorskip("wandb")


def test_a_folder_can_be_sent_while_it_grows(tmp_path):
    from wandb.cli.cli import cli

    command: Any = cli
    rest = [*SYNC, str(tmp_path)]
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    given = command.make_context("sync", rest).params
    assert given["live"] is True
    assert [str(path) for path in given["paths"]] == [str(tmp_path)]


def test_rows_are_flushed_as_soon_as_asked():
    settings = wandb.Settings()
    flush_every(settings, 0.25)
    assert settings.x_transaction_log_flush_interval == 0.25


@pytest.mark.parametrize("before", [None, "elsewhere"])
def test_files_of_tables_lie_where_asked_and_only_for_so_long(tmp_path, monkeypatch, before):
    from wandb.sdk.artifacts.staging import get_staging_dir

    monkeypatch.delenv(DATA, raising=False)
    if before:
        monkeypatch.setenv(DATA, before)
    with files_in(tmp_path):
        assert get_staging_dir().startswith(str(tmp_path))
    assert os.environ.get(DATA) == before
