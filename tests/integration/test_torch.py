"""A curriculum in PyTorch's loaders, with and without workers, stopped anywhere."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed; CI has an environment with it")

from torch.utils.data import DataLoader

from curriculum.core.errors import UserError
from curriculum.core.prompts import Observations
from curriculum.integrations.torch import BatchSampler, CurriculumSampler
from curriculum.samplers import Curriculum, Guards
from curriculum.samplers.names import BUILT_IN
from curriculum.testing import make_prompts

PROMPTS, BATCH, GROUP = 50, 8, 4


def make(option="thompson"):
    prompts, rng = make_prompts(PROMPTS), np.random.default_rng(0)
    return Curriculum(BUILT_IN[option](), prompts, BATCH, Guards(), rng, GROUP)


def train(curriculum, rows, step):
    passed = np.random.default_rng([3, step]).random(len(rows) * GROUP) < 0.4
    prompt = np.repeat(np.asarray(rows, np.int64), GROUP)
    curriculum.observe(Observations.of_rollouts(prompt, passed.astype(np.float64), passed))


def run(sampler, workers, steps, first=0, epochs=9):
    """Rows of each step, and what was saved after it."""
    loader = DataLoader(range(PROMPTS), batch_sampler=sampler, num_workers=workers, collate_fn=list)
    seen, states = [], []
    step = first
    for _ in range(epochs):
        for batch in sampler.follow(loader):
            train(sampler.curriculum, batch, step)
            seen.append(batch)
            states.append(sampler.state_dict())
            step += 1
            if step == steps:
                return seen, states
    raise AssertionError("too few epochs")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("option", ["thompson", "reward_curriculum", "uniform"])
def test_a_loader_goes_on_from_every_step(option, workers):
    seen, states = run(BatchSampler(make(option)), workers, steps=15)
    assert all(len(set(batch)) == BATCH for batch in seen)
    for stopped in (0, 4, 5, 6, 11):  # an epoch is 6 batches
        again = BatchSampler(make(option))
        again.load_state_dict(states[stopped])
        assert run(again, workers, 15, first=stopped + 1)[0] == seen[stopped + 1 :]


def test_a_loader_that_is_left_and_asked_again_loses_no_batch():
    sampler = BatchSampler(make())
    loader = DataLoader(
        range(PROMPTS), batch_sampler=sampler, num_workers=2, collate_fn=list, prefetch_factor=1
    )
    seen = []
    for batch in sampler.follow(loader):
        seen.append(batch)
        if len(seen) == 2:
            break
    again = BatchSampler(make())
    again.load_state_dict(sampler.state_dict())
    for resumed in (sampler, again):
        rest = list(resumed.follow(DataLoader(range(PROMPTS), batch_sampler=resumed)))
        assert len(seen) + len(rest) == len(sampler)


def test_without_workers_no_feedback_is_late():
    curriculum = make()
    loader = DataLoader(
        range(PROMPTS),
        batch_size=BATCH,
        sampler=CurriculumSampler(curriculum),
        drop_last=True,
        collate_fn=list,
    )
    drawn = []
    for step, batch in enumerate(loader):
        drawn.append(batch)
        train(curriculum, batch, step)
    assert len(drawn) == PROMPTS // BATCH
    direct = make()
    for step, batch in enumerate(drawn):
        assert direct.next_batch().tolist() == batch
        train(direct, batch, step)


@pytest.mark.filterwarnings("ignore:'set_vital'")  # torchdata's, of a newer torch
def test_a_stateful_loader_saves_the_curriculum():
    stateful = pytest.importorskip(
        "torchdata.stateful_dataloader", reason="torchdata comes by verl"
    )

    def loader():
        return stateful.StatefulDataLoader(
            range(PROMPTS),
            batch_size=BATCH,
            sampler=CurriculumSampler(make()),
            drop_last=True,
            collate_fn=list,
        )

    whole = loader()
    seen: list[list[int]] = []
    states = []
    for _ in range(3):
        for batch in whole:
            train(whole.sampler.curriculum, batch, len(seen))
            seen.append(batch)
            states.append(whole.state_dict())
    for stopped in (0, 5, 6, 8):
        resumed = loader()
        resumed.load_state_dict(states[stopped])
        again: list[list[int]] = []
        while len(again) < len(seen) - stopped - 1:
            for batch in resumed:
                train(resumed.sampler.curriculum, batch, stopped + 1 + len(again))
                again.append(batch)
        assert again == seen[stopped + 1 :]


def test_a_loader_that_is_not_followed_can_not_be_saved():
    sampler = BatchSampler(make())
    next(iter(DataLoader(range(PROMPTS), batch_sampler=sampler)))
    with pytest.raises(UserError, match="follow"):
        sampler.state_dict()
