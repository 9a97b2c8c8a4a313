import numpy as np
import pytest
from curriculum_zpd import ZPD, Concise, GradientShare, Zone, gradient_share

from curriculum.core.errors import UserError
from curriculum.core.records import Sample
from curriculum.testing import (
    check_bucketer,
    check_metric,
    check_reward,
    check_sampler,
    make_metrics,
    make_prompts,
    make_rewards,
)


def sample(response: str) -> Sample:
    return Sample("test", "17 + 4 = ?", response, "21", None)


def test_all_four_keep_their_contracts():
    check_bucketer(ZPD)
    check_metric(GradientShare)
    check_sampler(Zone)
    check_reward(Concise, [sample("21"), sample("22"), sample("it is 21 , I am quite sure")])


def test_half_the_groups_of_two_carry_a_gradient_at_even_odds():
    assert gradient_share(np.array([0, 0.5, 1]), 2).tolist() == [0, 0.5, 0]


def test_share_is_the_chance_to_draw_a_mixed_group():
    groups = np.random.default_rng(0).random((200_000, 8)) < 0.1
    mixed = (groups.any(axis=1) & ~groups.all(axis=1)).mean()
    share = GradientShare(group_size=8)(make_rewards([[1.0] + [0.0] * 9]))[0]
    assert share == pytest.approx(mixed, abs=0.005)


def test_never_and_always_solved_problems_are_not_learnable():
    metrics = make_metrics([[1.0] * 10, [1.0] * 5 + [0.0] * 5, [0.0] * 10])
    bucketer = ZPD(group_size=8, min_share=0.5).fit(metrics)
    names = [bucketer.names_[i] for i in bucketer.assign(metrics)]
    assert names == ["mastered", "learnable", "out_of_reach"]


def test_larger_groups_reach_harder_problems():
    metrics = make_metrics([[1.0] + [0.0] * 15])
    small, large = (ZPD(group_size=size).fit(metrics).assign(metrics)[0] for size in (4, 32))
    assert (small, large) == (2, 1)


def test_a_share_no_group_can_reach_is_refused():
    with pytest.raises(UserError, match=r"at most 0\.500"):
        ZPD(group_size=2, min_share=0.6).fit(make_metrics([[1.0]]))


def test_concise_pays_less_for_long_answers():
    responses = ["21", "the answer, after some thought, is 21", "22", "210"]
    assert Concise(10).score([sample(each) for each in responses]) == [1.0, 0.5, 0.0, 0.0]


def test_the_zone_passes_over_what_carries_no_gradient():
    prompts = make_prompts(400)
    zone = Zone().start(prompts, 16, 8, np.random.default_rng(0))
    drawn = [zone.draw(16, lambda rows: np.ones(len(rows), bool), i) for i in range(500)]
    times = np.bincount(np.concatenate(drawn), minlength=400)
    share = gradient_share(prompts.pass_rate, 8)
    assert times[share < 0.5].mean() < times[share > 0.9].mean() / 2
    assert np.corrcoef(times, share)[0, 1] > 0.9
