"""Options that there are not: what is asked about, of their own group first."""

import pytest

from curriculum.config import source
from curriculum.config.unknown import explained
from curriculum.config.usage import text
from curriculum.core.errors import UserError


@pytest.fixture(autouse=True, scope="module")
def registered():
    source.register()


def complaint(*overrides, config="config"):
    with pytest.raises(UserError) as caught, explained():
        text(overrides, config)
    return str(caught.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("metric=mean@5", "metric=mean_at_k metric.k=5"),
        ("metric=mean_at_5", "metric=mean_at_k metric.k=5"),
        ("metric=pass@4", "metric=unbiased_pass_at_k metric.k=4"),
        ("metric=pass@k", "metric=unbiased_pass_at_k metric.k=8"),
        ("metric=accuracy", "metric=pass_rate"),
        ("bucketer=quantile", "bucketer=percentile"),
        ("bucketer=kmeans", "bucketer=adaptive"),
        ("bucketer=thompson", "sampler=thompson"),
        ("sampler=thomson", "sampler=thompson"),
        ("sampler=Thompson", "sampler=thompson"),
        ("sampler=curriculum", "sampler=time_curriculum or sampler=reward_curriculum"),
        ("sampler=zon", "sampler=zone"),  # a plugin's
        ("reward=math", "reward=math_verify"),
        ("generator=huggingface", "generator=transformers or data=huggingface"),
        ("hydra/launcher=slrm", "hydra/launcher=slurm"),
    ],
)
def test_the_nearest_of_the_group_is_asked_about(typed, meant):
    group, _, name = typed.partition("=")
    first, second = complaint(typed).splitlines()
    assert first == f"Could not find '{group}/{name}'; did you mean {meant}?"
    assert second.startswith(f"options of {group}: ")


def test_a_name_like_none_there_is_is_not_guessed_at():
    assert complaint("reward=zzz").startswith("Could not find 'reward/zzz'\noptions of reward: ")


def test_a_file_as_data_is_named_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").touch()
    assert "did you mean python run.py mine.jsonl?" in complaint("data=mine.jsonl")


def test_a_ready_made_sweep_is_asked_about_too():
    assert complaint(config="prof").startswith(
        "there is no configuration prof; did you mean proof?"
    )
