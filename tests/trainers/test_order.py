"""Rows in the order in which a sampler would draw them."""

import json

import pyarrow.parquet as pq
import pytest

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.run.order import LABEL
from curriculum.samplers import Curriculum

OF_THREE = ("export.order=true", "trainer.steps=3", "trainer.batch_size=16", "trainer=none")


@pytest.fixture
def ordered(dry_run):
    def ordered(*overrides):
        done = dry_run("sampler=easy_to_hard", "seed=3", *OF_THREE, *overrides)
        return done, pq.read_table(done.folder / "ordered_train.parquet")

    return ordered


def test_rows_come_as_the_curriculum_of_the_run_draws_them(ordered):
    done, table = ordered()
    assert table.num_rows == 3 * 16
    curriculum = Curriculum.from_run(done.folder, "easy_to_hard", batch_size=16, seed=3)
    first = curriculum.prompts.index[curriculum.next_batch()]
    infos = table["extra_info"].to_pylist()
    assert [info["index"] for info in infos[:16]] == first.tolist()
    assert {"prompt", "data_source", "reward_model"} <= set(table.column_names)
    said = json.loads(table.schema.metadata[b"curriculum"])
    assert said["sampler"] == "easy_to_hard"
    assert said["label"] == done.result["order"]["label"] == LABEL
    assert (said["batches"], said["batch_size"]) == (3, 16)
    assert "ordered_train.parquet" in done.result["files"]


def test_the_same_command_gives_the_same_order(ordered):
    assert ordered()[1].equals(ordered()[1])


def test_an_order_wants_a_sampler(dry_run):
    with pytest.raises(UserError, match=r"export\.order wants a sampler"):
        dry_run("sampler=none", *OF_THREE)


def test_rows_are_numbered_as_in_stage_files_whatever_numbers_the_data_has(dry_run, tmp_path):
    numbers = [20, 0, 10]
    lines = [
        {
            "prompt": f"q{i}",
            "data_source": "s",
            "data_idx": number,
            "response": "",
            "reward": reward,
        }
        for i, number in enumerate(numbers)
        for reward in ([1, 1], [1, 0], [0, 0])[i]
    ]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = dry_run(
        "preset=curriculum", f"data.path={path}", "export.val_fraction=0", "sampler=none"
    )
    prompts = Prompts.load(done.folder)
    rows = [
        row
        for file in done.folder.glob("*_train.parquet")
        for row in pq.read_table(file).to_pylist()
    ]
    of_stages = {row["extra_info"]["problem_id"]: row["extra_info"]["index"] for row in rows}
    assert dict(zip(prompts.ids, prompts.index.tolist(), strict=True)) == of_stages
    assert len(of_stages) == 3
