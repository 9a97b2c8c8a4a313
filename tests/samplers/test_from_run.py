"""A curriculum in any training loop: from a run's folder, without the configuration."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.core.prompts import Observations
from curriculum.samplers import Curriculum, Guards, RewardCurriculum, Thompson
from curriculum.samplers.names import BUILT_IN, sampler_named
from curriculum.testing import make_prompts

LOOP = """
import sys
import numpy as np
from curriculum.core.prompts import Observations
from curriculum.samplers import Curriculum

run, saved = sys.argv[1:]
curriculum = Curriculum.from_run(run, "thompson", batch_size=16, group_size=4, seed=3)
for step in range(8):
    batch = curriculum.next_batch()
    print(*curriculum.prompts.ids[batch])
    rows = curriculum.prompts.rows_of(np.repeat(curriculum.prompts.ids[batch], 4))
    passed = (rows + np.arange(len(rows)) + step) % 3 == 0
    curriculum.observe(Observations.of_rollouts(rows, passed * 1.0, passed))
    if step == 4:
        curriculum.save(saved)
assert not {"hydra", "omegaconf", "pandas", "torch"} & set(sys.modules)
"""


@pytest.fixture
def folder(tmp_path):
    """Of a run that holds out every tenth of its 200 prompts."""
    prompts = dataclasses.replace(make_prompts(200), trained=np.arange(200) % 10 > 0)
    prompts.save(tmp_path / "prompts.parquet")
    return tmp_path


def learn(curriculum, step):
    """The ids of a batch, whose rollouts come back."""
    batch = curriculum.next_batch()
    rows = np.repeat(batch, 4)
    passed = (rows + np.arange(len(rows)) + step) % 3 == 0
    curriculum.observe(Observations.of_rollouts(rows, passed * 1.0, passed))
    return curriculum.prompts.ids[batch].tolist()


def test_a_loop_needs_neither_hydra_nor_pandas_and_goes_on_from_its_file(folder):
    saved = folder / "curriculum.state"
    command = [sys.executable, "-c", LOOP, str(folder), str(saved)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    drawn = [line.split() for line in done.stdout.splitlines()]
    assert all(len(set(batch)) == 16 for batch in drawn)
    assert not {name for batch in drawn for name in batch} & {
        f"p{row}" for row in range(0, 200, 10)
    }
    resumed = Curriculum.from_run(folder, "thompson", batch_size=16, group_size=4, seed=3)
    resumed.load(saved)
    assert [learn(resumed, step) for step in (5, 6, 7)] == drawn[5:]
    again = Curriculum.from_run(folder, Thompson(), batch_size=16, seed=3)
    assert [learn(again, step) for step in range(8)] == drawn


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_option_is_made_by_its_name_and_saved_exactly(folder, name):
    guards = Guards(floor=0.2, quotas={"s0": 1, "s1": 2}, no_repeat=30, max_repeats=9)
    first, second = (
        Curriculum.from_run(folder, name, batch_size=12, guards=guards) for _ in range(2)
    )
    for step in range(20):
        learn(first, step)
    first.save(folder / "state.npz")
    second.load(folder / "state.npz")
    for step in range(20, 40):
        assert learn(first, step) == learn(second, step)
    assert first.metrics() == second.metrics()


def test_the_names_are_those_of_the_configuration(sampler):
    options = {path.stem for path in (conf_dir() / "sampler").glob("*.yaml")} - {"none"}
    assert options == set(BUILT_IN)
    for option in options:
        own = {"steps": 200} if option == "easy_to_hard" else {}
        assert sampler(option, **own) == sampler_named(option)


def test_a_setting_alone_is_enough(folder):
    gated = RewardCurriculum(reward_threshold=0.125)
    curriculum = Curriculum.from_run(folder, gated, batch_size=16)
    assert curriculum.metrics()["level"] == 0
    assert curriculum.group_size == 8


def test_a_plugin_s_sampler_is_found_by_its_entry_point(folder, tmp_path, monkeypatch):
    site = tmp_path / "site"
    info = site / "hardest-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hardest\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[curriculum.sampler]\nhardest = hardest:Hardest\n")
    (site / "hardest.py").write_text(
        "from dataclasses import dataclass\n"
        "from curriculum.samplers import Uniform\n"
        "@dataclass(frozen=True)\n"
        "class Hardest(Uniform):\n"
        "    share: float = 0.5\n"
    )
    monkeypatch.syspath_prepend(site)
    assert vars(sampler_named("hardest"))["share"] == 0.5
    assert len(Curriculum.from_run(folder, "hardest", batch_size=16).next_batch()) == 16


def test_what_is_not_there_or_does_not_fit_is_refused(folder, tmp_path):
    with pytest.raises(UserError, match=r"'thomson'.*thompson"):
        Curriculum.from_run(folder, "thomson")
    with pytest.raises(UserError, match=r"prompts\.parquet"):
        Curriculum.from_run(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"batch_size=181.*180 prompts"):
        Curriculum.from_run(folder, batch_size=181)
    curriculum = Curriculum.from_run(folder)
    with pytest.raises(UserError, match="no saved state"):
        curriculum.load(tmp_path / "nowhere.npz")
    with pytest.raises(UserError, match="no saved state"):
        curriculum.load(folder / "prompts.parquet")
    curriculum.save(tmp_path / "state")
    with pytest.raises(UserError, match="seed"):
        Curriculum.from_run(folder, seed=1).load(tmp_path / "state")
