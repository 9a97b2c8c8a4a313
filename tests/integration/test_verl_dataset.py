"""verl 0.8's way: a dataset whose rows a curriculum draws, told of each batch when it is over."""

import importlib
import json

import pandas as pd
import pytest
from omegaconf import OmegaConf

pytest.importorskip("verl", reason="verl is not installed; CI has environments with it")

from curriculum.core.errors import UserError
from curriculum.demo.small_model import build_tokenizer
from tests.integration.verl_loop import BATCH, GROUP, ROWS, Loop, loader_of, make_rows

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def dataset(tmp_path):
    """As verl makes it; `name` is the file's."""
    import_verl()

    def dataset(name="train", **keys):
        from verl.utils.dataset.rl_dataset import get_dataset_class

        files = {each: str(tmp_path / f"{each}.parquet") for each in ("train", "val")}
        for path in files.values():
            pd.DataFrame(make_rows()).to_parquet(path)
        data = {
            "train_files": files["train"],
            "val_files": files["val"],
            "prompt_key": "prompt",
            "train_batch_size": BATCH,
            "seed": 1,
            "shuffle": True,
            "dataloader_num_workers": 0,
            "max_prompt_length": 64,
            "filter_overlong_prompts": False,
            "custom_cls": {
                "path": "pkg://curriculum.integrations.verl",
                "name": "CurriculumDataset",
            },
        } | keys.pop("data", {})
        config = OmegaConf.create(
            {
                "data": data,
                "curriculum": {"sampler": "thompson", **keys},
                "actor_rollout_ref": {"rollout": {"n": GROUP}},
                "trainer": {"default_local_dir": str(tmp_path / "checkpoints")},
            }
        )
        made = get_dataset_class(config.data)
        return made(files[name], build_tokenizer(), config.data, None)

    return dataset


def import_verl():
    """Here, where warnings of what it imports don't count."""
    importlib.import_module("verl.utils.dataset.rl_dataset")


def loop(dataset):
    return Loop(loader_of(dataset, shuffle=False), dataset.on_batch_end)


@pytest.mark.parametrize("option", ["thompson", "uniform", "easy_to_hard", "bandit"])
def test_a_training_goes_on_from_every_checkpoint(dataset, option):
    whole = loop(dataset(sampler=option))
    whole.fit(14)
    assert all(len(set(batch)) == BATCH for batch in whole.seen)
    for stopped in (0, 4, 5, 6, 9):
        resumed = loop(dataset(sampler=option))
        resumed.loader.load_state_dict(whole.saved[stopped])
        resumed.fit(14, first=stopped + 1)
        assert resumed.seen == whole.seen[stopped + 1 :], f"from step {stopped}"


def test_it_draws_and_learns_whatever_the_loader_asks_for(dataset, tmp_path):
    made = dataset()
    trained = Loop(loader_of(made, shuffle=True), made.on_batch_end)
    trained.fit(3)
    lines = (tmp_path / "checkpoints" / "curriculum" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["sampler/groups"] for line in lines] == [BATCH] * 3
    assert {each for batch in trained.seen for each in batch} <= set(range(100, 100 + ROWS))


def test_what_is_validated_on_stays_as_it_is(dataset):
    held_out = dataset("val")
    assert [row["extra_info"]["index"] for row in held_out] == list(range(100, 100 + ROWS))
    assert held_out.state_dict() == {}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"data": {"dataloader_num_workers": 8}}, "set data.dataloader_num_workers=0"),
        ({"sampler": "nowhere"}, "no sampler 'nowhere'"),
        ({"half_lif": 3}, r"curriculum\.half_lif is no key"),
        ({"run": "/nowhere"}, "is no prompts.parquet"),
    ],
)
def test_mistakes_are_told(dataset, keys, message):
    with pytest.raises(UserError, match=message):
        dataset(**keys)
