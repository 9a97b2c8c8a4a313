"""What is asked of a generator: everything once, in batches that depend on nothing else."""

import pytest

from curriculum.core.records import Asked
from curriculum.run.generating.plan import plan

PROMPTS = [f"{'long ' * (i % 5)}question {i}" for i in range(30)]
IDS = [f"p{i}" for i in range(30)]


def batches(samples=8, batch_size=20, seed=0, prompts=PROMPTS, ids=IDS):
    return plan(prompts, ids, [Asked(i, 0, samples) for i in range(len(prompts))], seed, batch_size)


@pytest.mark.parametrize(("samples", "batch_size"), [(8, 20), (1, 7), (16, 5), (3, 1), (4, 1000)])
def test_every_sample_of_every_problem_is_asked_for_once(samples, batch_size):
    asked = [
        (request.problem, request.first + i)
        for batch in batches(samples, batch_size)
        for request in batch.requests
        for i in range(request.samples)
    ]
    assert sorted(asked) == [(row, i) for row in range(30) for i in range(samples)]
    assert all(len(batch) <= batch_size for batch in batches(samples, batch_size))


def test_samples_that_are_there_are_not_asked_for_again():
    asked = [Asked(problem, 4 * (problem % 3), 6) for problem in range(30)]
    requests = [each for batch in plan(PROMPTS, IDS, asked, 0, 4) for each in batch.requests]
    got = sorted((each.problem, each.first + i) for each in requests for i in range(each.samples))
    assert got == [(row, 4 * (row % 3) + i) for row in range(30) for i in range(6)]
    assert len({each.seed for each in requests}) == len(requests)


def test_long_prompts_come_first():
    lengths = [len(request.prompt) for batch in batches() for request in batch.requests]
    assert lengths == sorted(lengths, reverse=True)


def test_seeds_follow_from_what_is_asked_for():
    seeds = [batch.seed for batch in batches()]
    assert seeds == [batch.seed for batch in batches()]
    assert len(set(seeds)) == len(seeds)
    assert not set(seeds) & {batch.seed for batch in batches(seed=1)}
    assert all(0 <= seed < 2**31 for seed in seeds)
    # What asks the same has the same seed, whatever stands before it and wherever it stands.
    fewer = {
        r.prompt: r.seed for b in batches(prompts=PROMPTS[5:], ids=IDS[5:]) for r in b.requests
    }
    all_ = {r.prompt: r.seed for b in batches() for r in b.requests}
    assert len(fewer) == 25 and fewer.items() <= all_.items()
