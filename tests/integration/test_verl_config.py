"""verl's own configuration files, of the verl that is installed, as `data.verl_config`."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

found = importlib.util.find_spec("verl")
if found is None or found.origin is None:
    pytest.skip("verl is not installed; CI has environments with it", allow_module_level=True)
CONFIG = Path(found.origin).parent / "trainer" / "config"

REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info, bonus):
    return float(solution_str == ground_truth) + bonus
"""


@pytest.fixture
def problems(tmp_path):
    """Two problems of verl's schema and two rollouts of each, one of them right."""
    rows = [
        {
            "data_source": "mine",
            "prompt": [{"role": "user", "content": f"{i} + 1 = ?"}],
            "reward_model": {"style": "rule", "ground_truth": str(i + 1)},
            "extra_info": {"index": i},
        }
        for i in range(2)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "train.parquet")
    rollouts = [row | {"response": text} for row in rows for text in ("1", "2")]
    pd.DataFrame(rollouts).to_parquet(tmp_path / "rollouts.parquet")
    (tmp_path / "reward.py").write_text(REWARD)
    return tmp_path


@pytest.mark.parametrize("name", ["ppo_trainer", "_generated_ppo_trainer"])
def test_the_file_in_the_package_is_understood(run, read_result, problems, name):
    done = run(
        f"data.verl_config={CONFIG}/{name}.yaml",
        f"data.path={problems}/train.parquet",
        f"generator.path={problems}/rollouts.parquet",
        "reward=exact_match",
    )
    assert done.returncode == 0, done.stderr
    result = read_result(problems / "out")
    assert result["choices"]["data"] == "verl"
    assert result["verl_config"]["taken"] == {
        "data.prompt_key": "prompt",
        "data.reward_fn_key": "data_source",
    }
    ignored = result["verl_config"]["ignored"]
    assert len(ignored) > 500
    assert {"data.train_batch_size", "trainer.total_epochs", "algorithm.gamma"} <= set(ignored)
    assert "ignored" in done.stderr and "actor_rollout_ref" in done.stderr
    assert result["mean_pass_rate"] == 0.5


@pytest.mark.parametrize("place", ["custom_reward_function", "reward.custom_reward_function"])
def test_a_configuration_made_from_it_brings_data_and_reward(run, read_result, problems, place):
    """As verl's recipes are written: the package's file, and what differs."""
    blocks = place.split(".")
    lines = [f"{'  ' * i}{block}:" for i, block in enumerate(blocks)]
    indent = "  " * len(blocks)
    lines += [
        f"{indent}path: {problems}/reward.py",
        f"{indent}name: compute_score",
        f"{indent}reward_kwargs: {{bonus: 0.5}}",
    ]
    (problems / "mine.yaml").write_text(
        "\n".join(
            [
                f"hydra:\n  searchpath: ['file://{CONFIG}']",
                "defaults: [ppo_trainer, _self_]",
                f"data:\n  train_files: {problems}/train.parquet",
                *lines,
            ]
        )
    )
    done = run(
        f"data.verl_config={problems}/mine.yaml", f"generator.path={problems}/rollouts.parquet"
    )
    assert done.returncode == 0, done.stderr
    result = read_result(problems / "out")
    assert result["choices"]["reward"] == "function"
    assert result["mean_reward"] == 1.0
    assert result["config"]["data"]["path"] == f"{problems}/train.parquet"


def test_a_generator_gets_model_lengths_and_sampling(run):
    shown = run(
        "--cfg",
        "job",
        f"data.verl_config={CONFIG}/ppo_trainer.yaml",
        "generator=transformers",
        "generator.top_p=0.5",
    ).stdout
    generator = shown.partition("generator:")[2]
    assert "path: ~/models/deepseek-llm-7b-chat" in shown
    for line in (
        "max_new_tokens: 512",
        "max_prompt_length: 512",
        "top_p: 0.5",
        "truncation: error",
    ):
        assert f"  {line}\n" in generator
    assert "num_samples: 16\n" in shown


def test_a_file_that_stands_alone_takes_the_installed_verl_s_parts(run, read_result, problems):
    alone = problems / "ppo_trainer.yaml"
    alone.write_text((CONFIG / "ppo_trainer.yaml").read_text())
    shown = run(
        f"data.verl_config={alone}",
        f"data.path={problems}/train.parquet",
        "until=problems",
    )
    assert "what its defaults list names is the installed verl's" in shown.stderr
    taken = read_result(problems / "out")["verl_config"]["taken"]
    assert taken["data.reward_fn_key"] == "data_source", "of data/legacy_data.yaml"
