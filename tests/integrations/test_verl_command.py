"""The command line that verl gets, read as verl reads it: by Hydra."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from curriculum.core.errors import UserError
from curriculum.integrations.verl.command import arguments
from curriculum.samplers import Guards, RewardCurriculum

SAMPLER = RewardCurriculum(complexity_source="reasoning_gym/gcd", reward_threshold=0.125)
GUARDS = Guards(quotas={"reasoning_gym/gcd": 1.0, "b": 2.0})


def read(version, option="reward_curriculum"):
    run = Path("/tmp/a run=1")
    written = arguments(version, run, option, SAMPLER, GUARDS, {"strict": True})
    parsed = OverridesParser.create().parse_overrides(written)
    return {each.key_or_group: each.value() for each in parsed}


@pytest.mark.parametrize(
    ("version", "block", "chosen"),
    [
        (
            "0.7.1",
            "data.sampler",
            {
                "data.sampler.class_path": "pkg://curriculum.integrations.verl",
                "data.sampler.class_name": "RewardCurriculumSampler",
                "data.dataloader_num_workers": 0,
            },
        ),
        (
            "0.8.0",
            "curriculum",
            {
                "data.custom_cls.path": "pkg://curriculum.integrations.verl",
                "data.custom_cls.name": "CurriculumDataset",
                "data.dataloader_num_workers": 0,
                "curriculum.sampler": "reward_curriculum",
            },
        ),
        (
            "0.9.1",
            "curriculum",
            {
                "trainer.v1.trainer_mode": "curriculum_sync",
                "curriculum.sampler": "reward_curriculum",
            },
        ),
    ],
)
def test_each_version_has_its_own_words(version, block, chosen):
    keys = {
        "run": "/tmp/a run=1",
        "complexity_source": "reasoning_gym/gcd",
        "reward_threshold": 0.125,
        "quotas": {"reasoning_gym/gcd": 1.0, "b": 2.0},
        "strict": True,
    }
    assert read(version) == chosen | {f"{block}.{name}": value for name, value in keys.items()}


def test_an_old_verl_takes_no_plugin_s_sampler():
    with pytest.raises(UserError, match="takes no plugin's sampler"):
        read("0.7.1", "mine")
    assert read("0.10.0", "mine")["curriculum.sampler"] == "mine"
