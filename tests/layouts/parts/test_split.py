"""Which problems are held out: whole prompts, the same share of each bucket, whatever the order."""

import json

import numpy as np
import pyarrow as pa
import pytest

from curriculum.core.errors import UserError
from curriculum.core.records import Problems
from curriculum.layouts.parts.split import held_out, held_out_by_data
from curriculum.testing.make import make_problems

SEEDS = range(40)


def hold(prompts, bucket, fraction, seed):
    """Problems that only their prompts make the same."""
    return held_out(prompts, [str(i) for i in range(len(prompts))], bucket, fraction, seed)


def problems(seed, prompts=60, repeats=2, buckets=4):
    """Prompts in random order, each up to `repeats` + 1 times and in any of the buckets."""
    rng = np.random.default_rng(seed)
    texts = np.repeat(np.arange(prompts), rng.integers(1, repeats + 2, prompts))
    texts = rng.permutation(texts)
    return [f"question {each}" for each in texts], rng.integers(0, buckets, len(texts))


def easiest(prompts, bucket):
    found: dict[str, int] = {}
    for prompt, each in zip(prompts, bucket, strict=True):
        found[prompt] = min(each, found.get(prompt, each))
    return found


def chosen(prompts, *arguments):
    """The prompts held out; fails where one is on both sides."""
    held = hold(prompts, *arguments)
    assert held.dtype == bool and held.shape == (len(prompts),)
    out = {prompt for prompt, is_out in zip(prompts, held, strict=True) if is_out}
    left = {prompt for prompt, is_out in zip(prompts, held, strict=True) if not is_out}
    assert not out & left
    return out


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.9])
def test_each_bucket_gives_its_share_of_prompts_and_none_is_on_both_sides(fraction):
    for seed in SEEDS:
        prompts, bucket = problems(seed)
        home = easiest(prompts, bucket)
        out = chosen(prompts, bucket, fraction, seed)
        for each in range(4):
            members = {prompt for prompt, place in home.items() if place == each}
            if len(members) > 1:
                assert abs(len(out & members) - fraction * len(members)) <= 1
                assert 1 <= len(out & members) < len(members)
            else:
                assert not out & members


@pytest.mark.parametrize(
    ("count", "fraction", "held"),
    [
        (100, 0.1, 10),
        (104, 0.1, 10),
        (105, 0.1, 11),  # halves go up
        (15, 0.1, 2),
        (10, 0.25, 3),
        (3, 0.1, 1),  # one at least
        (2, 0.1, 1),
        (1, 0.9, 0),  # the only one is for training
        (2, 0.9, 1),
        (5, 0.99, 4),  # and so is the last
        (100, 0, 0),
    ],
)
def test_shares_are_rounded_and_leave_something_to_train(count, fraction, held):
    prompts = [f"question {i}" for i in range(count)]
    for seed in SEEDS:
        assert hold(prompts, np.zeros(count, np.int64), fraction, seed).sum() == held


def test_a_prompt_of_two_buckets_counts_for_the_easier():
    prompts = [f"question {i}" for i in range(10)]
    bucket = np.array([0] * 10 + [1] * 10 + [1])
    for seed in SEEDS:
        held = hold([*prompts, *prompts, "alone"], bucket, 0.2, seed)
        assert (held[:10] == held[10:20]).all()
        assert held[:10].sum() == 2
        assert not held[20]  # the only prompt that is at home in the harder bucket


def test_how_often_a_prompt_stands_there_does_not_change_its_chance():
    prompts = [f"question {i}" for i in range(20)]
    more = [*prompts, *["question 7"] * 100]
    for seed in SEEDS:
        once = chosen(prompts, np.zeros(20, np.int64), 0.2, seed)
        assert chosen(more, np.zeros(120, np.int64), 0.2, seed) == once


def test_the_order_of_rows_changes_nothing():
    for seed in SEEDS:
        prompts, bucket = problems(seed)
        order = np.random.default_rng(seed + 1).permutation(len(prompts))
        turned = hold([prompts[i] for i in order], bucket[order], 0.3, seed)
        assert (turned == hold(prompts, bucket, 0.3, seed)[order]).all()


def test_another_bucket_s_problems_change_nothing():
    prompts = [f"question {i}" for i in range(40)]
    bucket = np.arange(40) % 2
    for seed in SEEDS:
        alone = hold(prompts[::2], bucket[::2], 0.2, seed)
        assert (hold(prompts, bucket, 0.2, seed)[::2] == alone).all()


def test_the_same_seed_holds_out_the_same_and_others_hold_out_others():
    prompts, bucket = [f"question {i}" for i in range(100)], np.zeros(100, np.int64)
    splits = [frozenset(chosen(prompts, bucket, 0.1, seed)) for seed in range(200)]
    assert splits == [frozenset(chosen(prompts, bucket, 0.1, seed)) for seed in range(200)]
    assert len(set(splits)) == 200


def test_over_many_seeds_every_prompt_is_held_out_as_often():
    prompts, bucket = [f"question {i}" for i in range(50)], np.zeros(50, np.int64)
    times = sum(hold(prompts, bucket, 0.2, seed).astype(int) for seed in range(1000))
    # Binomial(1000, 0.2): 200 expected, 12.6 the standard deviation, five of them either way.
    assert times.sum() == 10_000
    assert times.min() > 200 - 63 and times.max() < 200 + 63


def test_two_seeds_share_no_more_than_chance():
    prompts, bucket = [f"question {i}" for i in range(1000)], np.zeros(1000, np.int64)
    splits = [hold(prompts, bucket, 0.1, seed) for seed in (-1, 0, 1, 2, 10, 2**40)]
    for i, one in enumerate(splits):
        for other in splits[:i]:
            assert (one & other).sum() < 30  # 10 expected; 30 is six standard deviations above


def test_problems_of_one_id_go_to_one_side_whatever_they_ask():
    for seed in SEEDS:
        prompts, bucket = problems(seed, prompts=80, repeats=0)
        ids = [f"id {i % 40}" for i in range(80)]
        held = held_out(prompts, ids, bucket, 0.3, seed)
        assert (held[:40] == held[40:]).all()
        assert 0 < held.sum() < 80


def test_a_chain_of_prompts_and_ids_is_one_problem():
    prompts = ["a", "a", "b", "b", "c", *(f"other {i}" for i in range(20))]
    ids = ["1", "2", "2", "3", "3", *(f"other {i}" for i in range(20))]
    for seed in SEEDS:
        held = held_out(prompts, ids, np.zeros(25, np.int64), 0.5, seed)
        assert len(set(held[:5].tolist())) == 1


def test_by_prompt_alone_a_side_stays_whatever_the_company():
    prompts = [f"question {i}" for i in range(20_000)]
    ids = [str(i) for i in range(20_000)]
    held = held_out(prompts, ids, None, 0.1, 0)
    assert held.mean() == pytest.approx(0.1, abs=0.01)
    part = slice(3, 9000, 7)
    assert (held_out(prompts[part], ids[part], None, 0.1, 0) == held[part]).all()
    assert not (held & ~held_out(prompts, ids, None, 0.2, 0)).any()
    assert not held_out(prompts, ids, None, 0.0, 0).any()


def test_the_data_s_own_split_counts(write_problems_of):
    problems = write_problems_of(["train", "test", "train", "validation"])
    every = np.arange(4)
    assert held_out_by_data(problems, every).tolist() == [False, True, False, True]
    assert held_out_by_data(problems, every[2:]).tolist() == [False, True]
    with pytest.raises(UserError, match=r"export.split=data: 1 of 2 problems have no"):
        held_out_by_data(write_problems_of(["train", None]), every[:2])


@pytest.fixture
def write_problems_of():
    """Problems whose extra_info says which split they are of; of none where it is None."""

    def write_problems_of(splits):
        table = make_problems(len(splits)).table
        infos = [None if name is None else json.dumps({"split": name}) for name in splits]
        place = table.schema.get_field_index("extra_info")
        field = table.schema.field(place)
        return Problems(table.set_column(place, field, pa.array(infos, field.type)))

    return write_problems_of
