"""Drawing without replacement, and shares as whole numbers."""

import numpy as np
import pytest

from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.parts.stratified import Rounding, Stratified


def anything(rows):
    return np.ones(len(rows), np.bool_)


def epoch_of(size, seed=0):
    return EpochShuffle(np.arange(100, 100 + size), np.random.default_rng(seed))


@pytest.mark.parametrize(("size", "count"), [(12, 3), (40, 40), (1, 1), (600, 25)])
def test_each_prompt_comes_once_a_pass_and_passes_differ(size, count):
    epoch = epoch_of(size)
    passes = []
    for _ in range(5):
        drawn = np.concatenate([epoch.draw(count, anything) for _ in range(size // count)])
        assert sorted(drawn) == list(range(100, 100 + size))
        passes.append(drawn.tolist())
    if size > 1:
        assert len({tuple(each) for each in passes}) == 5
        assert epoch_of(size, seed=1).draw(count, anything).tolist() != passes[0][:count]


def test_as_many_as_there_are_are_drawn_at_any_place_of_the_epoch_of():
    for size in range(1, 13):
        for count in range(size + 1):
            epoch = epoch_of(size)
            for _ in range(40):
                drawn = epoch.draw(count, anything)
                assert len(set(drawn.tolist())) == len(drawn) == count, (size, count)


def test_what_is_not_allowed_is_passed_over():
    epoch = epoch_of(50)
    even = [epoch.draw(5, lambda rows: rows % 2 == 0) for _ in range(5)]
    assert sorted(np.concatenate(even)) == list(range(100, 150, 2))
    assert len(epoch.draw(80, lambda rows: rows % 2 == 0)) == 25
    assert not len(epoch.draw(8, lambda rows: rows < 0))
    assert not len(epoch_of(0).draw(3, anything))


def test_one_call_looks_at_the_rest_of_the_pass_and_the_whole_next():
    for taken in range(13):
        epoch = epoch_of(13)
        looked: list[int] = []
        for _ in range(taken):
            epoch.draw(1, anything)
        wanted = set(range(100, 113, 2))

        def even(rows, looked=looked):
            looked += rows.tolist()
            return rows % 2 == 0

        assert set(epoch.draw(20, even).tolist()) == wanted
        assert len(looked) == 13 - taken + 13
        assert set(looked) == set(range(100, 113))


def test_an_epoch_goes_on_from_its_state_at_any_place():
    for taken in (0, 1, 6, 7, 8, 20):
        epoch, again = epoch_of(7), epoch_of(7)
        for _ in range(taken):
            epoch.draw(1, anything)
        again.load_state_dict(epoch.state_dict())
        for _ in range(20):
            assert epoch.draw(2, anything).tolist() == again.draw(2, anything).tolist()


@pytest.mark.parametrize("seed", range(40))
def test_shares_are_kept_in_whole_numbers(seed):
    rng = np.random.default_rng(seed)
    parts = int(rng.integers(1, 9))
    rounding = Rounding(parts)
    for _ in range(6):  # shares that hold for a while, then others
        weights = rng.random(parts) ** rng.integers(1, 6)
        weights[rng.random(parts) < 0.3] = 0
        weights[rng.integers(parts)] += 0.1
        shares = weights / weights.sum()
        wanted, given = np.zeros(parts), np.zeros(parts, np.int64)
        for _ in range(int(rng.integers(1, 60))):
            count = int(rng.integers(0, 50))
            numbers = rounding.split(count, shares)
            assert numbers.dtype == np.int64
            assert numbers.sum() == count
            assert numbers.min() >= 0
            assert not numbers[shares == 0].any()
            wanted, given = wanted + shares * count, given + numbers
        # 1 from these shares, and 1 that was still owed from the last.
        assert np.abs(given - wanted).max() <= 2 + 1e-6


@pytest.mark.parametrize("seed", range(60))
def test_fixed_shares_are_never_off_by_more_than_one(seed):
    rng = np.random.default_rng(100 + seed)
    parts = int(rng.integers(2, 9))
    shares = rng.dirichlet(np.full(parts, rng.choice([0.3, 1, 5])))
    rounding, given, total = Rounding(parts), np.zeros(parts), 0
    for _ in range(300):
        count = int(rng.integers(0, rng.choice([2, 40])))
        given, total = given + rounding.split(count, shares), total + count
        assert np.abs(given - total * shares).max() <= 1 + 1e-6


def test_rounding_by_hand():
    rounding = Rounding(2)
    half = np.array([0.5, 0.5])
    assert [rounding.split(3, half).tolist() for _ in range(4)] == [[2, 1], [1, 2], [2, 1], [1, 2]]
    third = np.array([2, 1]) / 3
    fresh = Rounding(2)
    assert [fresh.split(1, third).tolist() for _ in range(3)] == [[1, 0], [0, 1], [1, 0]]
    # What a part without a share is still owed goes to the others.
    owed = Rounding(3)
    owed.split(1, np.full(3, 1 / 3))
    assert owed.split(4, np.array([0.5, 0.5, 0])).tolist() in ([2, 2, 0], [1, 3, 0])
    assert owed.split(5, np.array([0, 0, 1.0])).tolist() == [0, 0, 5]


def test_groups_without_prompts_leave_their_share_to_the_others():
    groups = [np.arange(4), np.arange(0), np.arange(4, 40)]
    stratified = Stratified(groups, np.random.default_rng(0))
    drawn = stratified.draw(8, np.array([1, 2, 1]), anything)
    assert np.bincount(np.minimum(drawn // 4, 1)).tolist() == [4, 4]
    assert not len(stratified.draw(8, np.array([0, 1, 0]), anything))


def test_groups_with_a_share_take_the_place_of_those_that_have_too_few():
    groups = [np.arange(4), np.arange(4, 10), np.arange(10, 40)]
    stratified = Stratified(groups, np.random.default_rng(0))
    for _ in range(5):
        drawn = stratified.draw(9, np.array([2, 1, 0]), anything)
        assert len(set(drawn.tolist())) == 9
        assert (drawn < 4).sum() == 4  # of 6
        assert drawn.max() < 10
    assert sorted(stratified.draw(20, np.array([2, 1, 0]), anything)) == list(range(10))
    odd = stratified.draw(20, np.array([2, 1, 0]), lambda rows: rows % 2 == 1)
    assert sorted(odd) == [1, 3, 5, 7, 9]
