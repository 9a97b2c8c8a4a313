"""`sampler=frontier`: cells and their evidence by hand, and what it finds."""

import numpy as np
import pytest

from curriculum.core.errors import UserError
from curriculum.core.prompts import Observations
from curriculum.samplers import Curriculum
from curriculum.samplers.parts.cells import Cells
from curriculum.samplers.parts.progress import Progress

GROUP = 8


def begun(sampler, data, guards, seed=0, size=8):
    return Curriculum(sampler, data, size, guards(), np.random.default_rng(seed), GROUP)


def observed(curriculum, rate, rng):
    """A batch drawn and told of, given each prompt's pass rate."""
    batch = curriculum.next_batch()
    passes = rng.binomial(GROUP, rate[batch])
    curriculum.observe(Observations.of_passes(batch, passes, GROUP))
    return batch


def test_cells_are_values_of_the_feature_within_a_source(prompts):
    data = prompts([0, 0, 0, 1, 1], length=[5, 9, 5, 9, 2])
    cells = Cells.of(data, "length", 12)
    assert cells.cell.tolist() == [0, 1, 0, 3, 2]
    assert cells.source.tolist() == [0, 0, 1, 1]
    assert cells.sizes.tolist() == [2, 1, 1, 1]
    assert cells.shares.tolist() == [0.6, 0.4]
    half = cells.sharing(0.5)
    assert half.tolist() == [[1, 0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1, 0.5], [0, 0, 0.5, 1]]


def test_many_values_make_cells_of_about_as_many_prompts(prompts):
    length = np.random.default_rng(0).permutation(np.r_[np.arange(900), np.arange(100) * 1000])
    cells = Cells.of(prompts(np.zeros(1000), length=length), "length", 10)
    assert len(cells) == 10
    assert cells.sizes.min() >= 90
    for earlier, later in zip(cells.members(), cells.members()[1:], strict=False):
        assert length[earlier].max() < length[later].min()


def test_a_feature_that_is_not_there_is_an_error(sampler, prompts, guards):
    data = prompts([0, 0], length=[-1, -1])
    with pytest.raises(UserError, match="how long the prompts are is not known"):
        begun(sampler("frontier"), data, guards, size=1)
    with pytest.raises(UserError, match=r"extra_info\.level is no number for 2 of 2"):
        begun(sampler("frontier", by="level"), data, guards, size=1)


def test_the_few_that_can_be_learned_are_found_among_many_that_cant(sampler, prompts, guards):
    """Nothing is measured: 30 of 1,000 prompts, short ones, are solved now and then."""
    length = np.r_[np.full(30, 4), np.repeat([6, 8, 10, 12], [170, 200, 300, 300])]
    rate = np.where(length == 4, 0.3, 0.0)
    data, rng = prompts(np.zeros(1000), length=length), np.random.default_rng(1)
    curriculum = begun(sampler("frontier"), data, guards)
    drawn = np.concatenate([observed(curriculum, rate, rng) for _ in range(40)][10:])
    assert (length[drawn] == 4).mean() > 0.15, "of a pool that has 3 % of them"


def test_what_is_solved_is_left_for_what_can_still_be_learned(sampler, prompts, guards):
    length = np.repeat([4, 6, 8], 100)
    rate = np.repeat([0.97, 0.4, 0.0], 100)
    data, rng = prompts(np.zeros(300), length=length), np.random.default_rng(2)
    curriculum = begun(sampler("frontier"), data, guards)
    drawn = np.concatenate([observed(curriculum, rate, rng) for _ in range(60)][10:])
    share = np.bincount(np.repeat([0, 1, 2], 100)[drawn], minlength=3) / len(drawn)
    assert share[1] > share[0] + 0.1, "what is solved goes"
    assert share[2] > 0.3, "what is never solved stays, for what is next to it is learned"


def test_it_follows_a_model_that_moves_on(sampler, prompts, guards):
    length, rng = np.repeat([4, 6], 200), np.random.default_rng(3)
    data = prompts(np.zeros(400), length=length)
    curriculum = begun(sampler("frontier"), data, guards)
    shares = []
    for rate in (np.repeat([0.4, 0.0], 200), np.repeat([1.0, 0.4], 200)):
        drawn = np.concatenate([observed(curriculum, rate, rng) for _ in range(40)][20:])
        shares.append((length[drawn] == 6).mean())
    before, after = shares
    assert before < 0.55
    assert after > 0.6


def test_what_was_measured_counts_for_some_rollouts_at_most(sampler, prompts, guards):
    length = np.repeat([4, 6], 50)
    data = prompts(np.zeros(100), length=length, n=np.full(100, 8), c=np.repeat([0, 2], 50))
    state = begun(sampler("frontier", trust=16), data, guards).state_dict()["samplers"][0]
    assert state["sampling"]["passed"].tolist() == [0, 4]
    assert state["sampling"]["failed"].tolist() == [16, 12]
    state = begun(sampler("frontier", trust=0), data, guards).state_dict()["samplers"][0]
    assert state["sampling"]["failed"].tolist() == [0, 0]


def test_progress_is_what_lies_beyond_noise(prompts):
    cells = Cells.of(prompts([0, 0, 1, 1], length=[1, 2, 1, 2]), "length", 12)
    progress = Progress(cells, 0.8)
    assert progress.of_sources().tolist() == [0.1, 0.1], "nothing can be told yet"
    for passed in (0, 0, 0, 0, 8, 8, 8, 8):
        came = np.array([passed, passed, 4, 4], np.float64)
        progress.observe(came, 8 - came)
    own, still = progress.of_sources()
    assert still == 0
    # 4 batches of 8 passes after 4 without: by 0.8 and by 0.95 a batch.
    fast = 8 * sum(0.8**t for t in range(4)), 8 * sum(0.8**t for t in range(8))
    slow = 8 * sum(0.95**t for t in range(4)), 8 * sum(0.95**t for t in range(8))
    away = (fast[0] + 0.5) / (fast[1] + 1) - (slow[0] + 0.5) / (slow[1] + 1)
    both = (fast[0] + slow[0] + 0.5) / (fast[1] + slow[1] + 1)
    noise = (both * (1 - both) * (1 / fast[1] + 1 / slow[1])) ** 0.5
    assert own == pytest.approx(away - 0.7 * noise)


NOT_FOOLED = ("frontier", "thompson", "learnability", "target_difficulty", "uniform")


@pytest.mark.parametrize("option", NOT_FOOLED)
@pytest.mark.parametrize("stuck", [0.0, 0.5, 1.0])
def test_a_source_that_cant_be_learned_gets_no_more_than_its_share(
    sampler, prompts, guards, option, stuck
):
    """Beside a source that is learned as it is drawn, one that stays as it is."""
    source, length = np.repeat([0, 1], 200), np.tile(np.repeat([3, 5, 7, 9], 50), 2)
    data, rng = prompts(source, length=length), np.random.default_rng(4)
    curriculum = begun(sampler(option), data, lambda: guards(quotas="pool"))
    skill, drawn = 0.0, []
    for _ in range(80):
        rate = np.where(source == 0, 1 / (1 + np.exp(length - 4 - skill)), stuck)
        batch = observed(curriculum, rate, rng)
        groups = batch[source[batch] == 0]
        skill += 0.02 * (4 * rate[groups] * (1 - rate[groups])).sum()
        drawn.append(batch)
    share = (source[np.concatenate(drawn)] == 1).mean()
    assert share < 0.51
    if option == "frontier":
        assert share < 0.4
