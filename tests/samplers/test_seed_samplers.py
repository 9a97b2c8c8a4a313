"""multi_source, time_curriculum and reward_curriculum: the numbers and lines of verl_extensions."""

import functools
from typing import Any, cast

import numpy as np
import pytest
from omegaconf import OmegaConf

import curriculum.samplers as samplers
from curriculum.config.build import build
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.core.prompts import Event
from curriculum.samplers import Curriculum

COMMON = {
    "sampling_strategy": "weighted",
    "source_weights": None,
    "adaptive_weights": False,
    "alpha": 0.1,
    "update_frequency": 5,
    "temperature": 1.0,
    "max_source_ratio": 3.0,
}
OWN = {"reward_ranges": None}  # stated in conf, not in the tables
PERCENTILES = {"initial_complexity_percentile": 30, "final_complexity_percentile": 100}
OWN_KEYS = OWN | {"complexity_source": None, "complexity_score": None}
TABLES = {
    "multi_source": COMMON | OWN,
    "time_curriculum": COMMON | OWN_KEYS | PERCENTILES | {"complexity_warmup_steps": 100},
    "reward_curriculum": COMMON
    | OWN_KEYS
    | PERCENTILES
    | {
        "num_intervals": 10,
        "reward_threshold": 0.5,  # required in the tables
        "reward_alpha": 0.1,
        "min_batches_per_level": 10,
        "check_frequency": 3,
        "focus_new_intervals": False,
        "interval_decay": 0.5,
    },
}
LOGICIF = 80_000
RULE = "=" * 80


def made(sampler, prompts, guards, batch_size, seed=0):
    return Curriculum(sampler, prompts, batch_size, guards, np.random.default_rng(seed))


def lines(events, kind=None):
    texts = [event.text for event in events if kind is None or event.kind == kind]
    return "\n".join(texts).splitlines()


def sources_of(prompts, batch):
    return np.bincount(prompts.source[batch], minlength=len(prompts.sources)).tolist()


@pytest.fixture(scope="module")
def logicif(prompts):
    """40,000 prompts of iftrain, and logicif's 80,000, as hard as the log lines say."""
    first, next_one = np.linspace(0.123, 0.412, 24_000), np.linspace(0.412, 0.489, 5_600)
    difficulty = np.concatenate([first, next_one, np.linspace(0.49, 0.99, LOGICIF - 29_600)])
    difficulty = np.random.default_rng(0).permutation(difficulty)
    return prompts(
        np.repeat([0, 1], [40_000, LOGICIF]),
        difficulty=np.concatenate([np.zeros(40_000), difficulty]),
        sources=["iftrain", "logicif"],
    )


@pytest.mark.parametrize("option", TABLES)
def test_defaults_are_the_tables(option):
    path = conf_dir() / "sampler" / f"{option}.yaml"
    node = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(path)))
    assert node.pop("_target_").endswith("".join(map(str.capitalize, option.split("_"))))
    assert node == TABLES[option]


def test_old_names_are_the_same_classes():
    assert samplers.CurriculumMultiSourceSampler is samplers.TimeCurriculum
    assert samplers.RewardGatedCurriculumSampler is samplers.RewardCurriculum
    assert samplers.MultiSourceSampler is samplers.MultiSource
    assert samplers.TimeCurriculumSampler is samplers.TimeCurriculum
    assert samplers.RewardCurriculumSampler is samplers.RewardCurriculum


def test_fixed_weights_are_logged(sampler, prompts, guards):
    data = prompts(np.repeat([0, 1], 40_000), sources=["iftrain", "logicif"])
    curriculum = made(sampler("multi_source"), data, guards(), 512)
    assert lines(curriculum.started) == [
        "[MultiSourceSampler] Strategy: weighted, Mode: fixed, Sources: 2, Batch size: 512",
        "  iftrain: 40000 samples (weight: 0.500)",
        "  logicif: 40000 samples (weight: 0.500)",
    ]


def test_adaptive_weights_are_logged(sampler, prompts, guards, outcomes):
    data = prompts(np.repeat([0, 1], 1_000), sources=["iftrain", "logicif"])
    adaptive = sampler("multi_source", adaptive_weights=True, temperature=0.3)
    curriculum = made(adaptive, data, guards(), 512)
    assert lines(curriculum.started) == [
        "[MultiSourceSampler] Strategy: weighted, Mode: adaptive, Sources: 2, Batch size: 512",
        "[MultiSourceSampler] Adaptive: alpha=0.1, update_freq=5, temp=0.3",
        "[MultiSourceSampler] Weight bounds: [25.0%, 75.0%]",
    ]
    # Of rewards from 0 to 25.25, places of 0.4059 and 0.3457: exp(0.0602 / 0.3) = 1.22.
    rows = np.r_[0:256, 1_000:1_256]
    one = np.repeat([10.25, 8.73], 256)
    whole = outcomes(rows, 4, reward=one, highest=np.repeat([25.25, 19.3], 256))
    events = [event for _ in range(50) for event in curriculum.observe(whole)]
    assert len(events) == 10
    assert lines(events[-1:]) == [
        "[MultiSourceSampler] Batch 50 - Weight adjustment:",
        "  iftrain: reward_ema= 10.25, weight=0.450 (45.0%)",
        "  logicif: reward_ema=  8.73, weight=0.550 (55.0%)",
        "  Actual max/min ratio: 1.22x",
    ]


@pytest.mark.parametrize("size", [2, 7, 16, 33])
@pytest.mark.parametrize("weights", [{"s0": 1, "s1": 1}, {"s0": 2, "s1": 1}, [3, 1, 2], [5, 0, 1]])
def test_a_fixed_mix_is_exact_in_every_batch(sampler, prompts, guards, batches, size, weights):
    if isinstance(weights, list):
        weights = {f"s{i}": each for i, each in enumerate(weights)}
    data = prompts(np.repeat(np.arange(len(weights)), [40, 300, 90][: len(weights)]))
    knobs = {"source_weights": weights}
    drawn, again = (
        batches(made(sampler("multi_source", **knobs), data, guards(), size), 120, size)
        for _ in range(2)
    )
    assert drawn == again
    shares = np.array(list(weights.values())) / sum(weights.values())
    counts = np.array([sources_of(data, batch) for batch in drawn])
    assert (counts.sum(1) == size).all()
    assert (counts[:, shares == 0] == 0).all()
    off = counts.cumsum(0) - np.arange(1, 121)[:, None] * size * shares
    assert np.abs(off).max() < 1  # over any number of batches
    assert np.abs(counts - size * shares).max() < 2


def test_a_source_with_just_enough_prompts_gives_its_share(sampler, prompts, guards, batches):
    data = prompts(np.repeat([0, 1], [10, 500]))
    curriculum = made(sampler("multi_source"), data, guards(), 14)
    for batch in batches(curriculum, 100, 14):
        assert sources_of(data, batch) == [7, 7]
    assert curriculum.metrics()["guards/gave_way"] == 0


def test_sources_of_weight_0_wait_until_the_others_have_no_more(
    sampler, prompts, guards, batches, outcomes
):
    data = prompts(np.repeat([0, 1, 2], [6, 30, 40]))

    def start(**weights):
        made_of = sampler("multi_source", source_weights=weights)
        return made(made_of, data, guards(), 20)

    curriculum = start(s0=1, s1=1, s2=0)
    for batch in batches(curriculum, 30, 20):  # s1 takes the place of s0's missing four
        assert sources_of(data, batch) == [6, 14, 0]
        assert not curriculum.observe(outcomes(batch, 4))
    assert curriculum.metrics()["guards/filled_up"] == curriculum.metrics()["guards/gave_way"] == 0

    short = start(s0=1, s1=0, s2=0)
    events = []
    for batch in batches(short, 30, 20):
        assert len(set(batch)) == 20
        assert sources_of(data, batch)[0] == 6
        events += short.observe(outcomes(batch, 4))
    assert [event.kind for event in events] == ["filled_up"]
    assert events[0].values == {"missing": 14}
    assert short.metrics()["guards/filled_up"] == 30 * 14
    assert short.metrics()["guards/gave_way"] == 0


def test_proportional_is_by_size(sampler, prompts, guards, batches):
    data = prompts(np.repeat([0, 1, 2], [100, 300, 600]))
    curriculum = made(sampler("multi_source", sampling_strategy="proportional"), data, guards(), 10)
    for batch in batches(curriculum, 50, 10):
        assert sources_of(data, batch) == [1, 3, 6]


def shares(curriculum):
    found = curriculum.metrics()
    return [found[name] for name in found if name.endswith("/weight")]


def adaptive_run(sampler, prompts, guards, outcomes, rewards, lowest=0.0, highest=1.0, **knobs):
    """Events of five batches, and the shares after them; all that is given is by source."""
    sources, count = len(rewards), 10
    data = prompts(np.repeat(np.arange(sources), 50))
    adaptive = sampler("multi_source", adaptive_weights=True, **knobs)
    curriculum = made(adaptive, data, guards(), count * sources)
    rows = np.flatnonzero(np.arange(50 * sources) % 50 < count)
    numbers = {"reward": rewards, "lowest": lowest, "highest": highest}
    of_group = {
        name: np.broadcast_to(value, sources)[data.source[rows]] for name, value in numbers.items()
    }
    events = []
    for _ in range(5):
        events += curriculum.observe(outcomes(rows, 4, **of_group))
    return events, np.array(shares(curriculum))


def adapted(*given, **knobs):
    events, weights = adaptive_run(*given, **knobs)
    assert [event.kind for event in events] == ["weights"]
    assert list(events[0].values["weights"].values()) == weights.tolist()
    return weights


def softmax(*values):
    return np.exp(values) / np.exp(values).sum()


def test_never_solved_weighs_most_and_always_solved_least(sampler, prompts, guards, outcomes):
    tools = (sampler, prompts, guards, outcomes)
    solved = [0.0, 1.0, 0.5]  # shares of the rollouts; all rewards of a source may be equal
    ends = {"lowest": np.array([0, 1, 0]), "highest": np.array([0, 1, 1])}
    expected = softmax(0, -1, -0.5)
    assert adapted(*tools, solved, **ends) == pytest.approx(expected)
    for scale in (0.01, 20):  # of all rewards
        scaled = {name: each * scale for name, each in ends.items()}
        found = adapted(*tools, np.array(solved) * scale, **scaled)
        assert found == pytest.approx(expected)
    twice = {name: each * 2 - 1 for name, each in ends.items()}
    assert adapted(*tools, np.array(solved) * 2 - 1, **twice) == pytest.approx(expected)
    extreme = adapted(*tools, solved, **ends, temperature=1e-4)  # exp(-1e4) is 0
    assert extreme == pytest.approx([3 / 5, 1 / 5, 1 / 5])


@pytest.mark.parametrize("rewards", [[0.0, 0.0], [1.0, 1.0], [-1.0, -1.0], [0.0, 0.1 + 0.2 - 0.3]])
def test_sources_that_do_alike_weigh_alike(sampler, prompts, guards, outcomes, rewards):
    tools = (sampler, prompts, guards, outcomes)
    found = adapted(*tools, rewards, lowest=rewards, highest=rewards, temperature=0.01)
    assert found == pytest.approx([0.5, 0.5])


def test_a_source_that_is_never_solved_weighs_more_from_its_first_batch(
    sampler, prompts, guards, outcomes
):
    data = prompts(np.repeat([0, 1], 10))
    adaptive = sampler("multi_source", adaptive_weights=True, update_frequency=1)
    curriculum = made(adaptive, data, guards(), 10)
    solved = outcomes(np.arange(10), 8, lowest=1.0)
    curriculum.observe(solved)
    assert shares(curriculum) == pytest.approx(softmax(-1, -0.5))  # nothing is known of s1
    curriculum.observe(outcomes(np.arange(10, 20), 0, highest=0.0))
    assert shares(curriculum) == pytest.approx(softmax(-1, 0))


def test_bounds_hold_from_the_first_batch(sampler, prompts, guards, batches):
    data = prompts(np.repeat([0, 1, 2], [400, 400, 40]))
    weights = {"s0": 10, "s1": 1, "s2": 0}
    start = functools.partial(sampler, "multi_source", source_weights=weights)
    curriculum = made(start(adaptive_weights=True), data, guards(), 16)
    assert curriculum.started[0].values["weights"] == {"s0": 0.75, "s1": 0.25, "s2": 0}
    for batch in batches(curriculum, 20, 16):
        assert sources_of(data, batch) == [12, 4, 0]
    fixed = made(start(), data, guards(), 22)
    assert sources_of(data, batches(fixed, 1, 22)[0]) == [20, 2, 0]  # as given

    by_size = sampler("multi_source", sampling_strategy="proportional", adaptive_weights=True)
    found = shares(made(by_size, data, guards(), 16))
    assert found == pytest.approx([3 / 7, 3 / 7, 1 / 7])


def test_two_sources_stay_within_25_and_75_percent(sampler, prompts, guards, outcomes):
    tools = (sampler, prompts, guards, outcomes)
    extreme = adapted(*tools, [1.0, 0.0], temperature=0.01)
    assert extreme == pytest.approx([0.25, 0.75], abs=1e-12)
    assert adapted(*tools, [0.0, 1.0], temperature=0.01) == pytest.approx([0.75, 0.25])
    assert adapted(*tools, [0.4, 0.4]) == pytest.approx([0.5, 0.5])
    assert adapted(*tools, [0.6, 0.3]) == pytest.approx(softmax(-0.6, -0.3))


def test_many_sources_stay_within_the_ratio(sampler, prompts, guards, outcomes):
    rng = np.random.default_rng(2)
    for sources in (3, 5, 9):
        rewards = [0.0, 1.0, *rng.random(sources - 2)]
        weights = adapted(sampler, prompts, guards, outcomes, rewards, temperature=0.1)
        assert weights.sum() == pytest.approx(1)
        assert weights.max() / weights.min() == pytest.approx(3)
        assert (np.argsort(rewards)[0], np.argsort(rewards)[-1]) == (
            weights.argmax(),
            weights.argmin() if rewards[weights.argmin()] == 1 else 1,
        )


def test_sources_of_other_scales_have_ranges_of_their_own(sampler, prompts, guards, outcomes):
    tools = (sampler, prompts, guards, outcomes)
    ranges = {"s0": [0, 1], "s1": [-5, 5]}
    ends = {"lowest": [0, -5], "highest": [1, 5]}
    found = adapted(*tools, [0.7, -1.0], **ends, reward_ranges=ranges, temperature=0.5)
    assert found == pytest.approx(softmax(-1.4, -0.8))
    # s1 and s2 share the range that is seen from them, 0 to 2.
    part = adapted(*tools, [7.0, 1.0, 0.5], highest=[10, 1, 2], reward_ranges={"s0": [0, 10]})
    assert part == pytest.approx(softmax(-0.7, -0.5, -0.25))


def test_ranges_are_read_from_the_command_line(composed_values):
    ranges = "sampler.reward_ranges={reasoning_gym/gcd: [0, 1], code: [-0.5, 10]}"
    cfg = composed_values("sampler=multi_source", "sampler.adaptive_weights=true", ranges)
    found = build(cfg, "sampler")
    assert found.reward_ranges == {"reasoning_gym/gcd": [0, 1], "code": [-0.5, 10]}


def test_ranges_that_seem_to_differ_are_said_once(sampler, prompts, guards, outcomes):
    tools = (sampler, prompts, guards, outcomes)
    events, weights = adaptive_run(*tools, [0.7, 4.0, 0.0], highest=[1, 10, 0], update_frequency=1)
    assert [event.kind for event in events] == ["scales"] + ["weights"] * 5
    assert "sampler.reward_ranges={s0: [0, 1], s1: [0, 10]}" in events[0].text
    assert events[0].values == {"ranges": {"s0": [0, 1], "s1": [0, 10]}}
    assert weights == pytest.approx(softmax(-0.07, -0.4, 0))

    data = prompts(np.repeat([0, 1], 5))
    knobs = {"adaptive_weights": True, "update_frequency": 1}
    first = made(sampler("multi_source", **knobs), data, guards(), 10)
    seen = outcomes(np.arange(10), 4, highest=np.repeat([1, 10], 5))
    assert "scales" in [event.kind for event in first.observe(seen)]
    resumed = made(sampler("multi_source", **knobs), data, guards(), 10)
    resumed.load_state_dict(first.state_dict())
    assert [event.kind for event in resumed.observe(seen)] == ["weights"]


@pytest.mark.parametrize(
    ("lowest", "highest", "ranges"),
    [
        (0, 1, None),
        ([-1, 0], [1, 1], None),  # as good
        ([1, 0], [1, 1], None),  # always solved
        ([0, 0], [0, 10], None),  # never solved: of any scale
        (0, [1, 10], {"s0": [0, 1], "s1": [0, 10]}),
        (0, [1, 10], {"s1": [0, 10]}),
    ],
)
def test_ranges_that_do_not_differ_or_are_given_are_not_said(
    sampler, prompts, guards, outcomes, lowest, highest, ranges
):
    tools = (sampler, prompts, guards, outcomes)
    rewards = (np.add(lowest, highest) / 2) * np.ones(2)
    adapted(*tools, rewards, lowest=lowest, highest=highest, reward_ranges=ranges)


def test_half_batches_come_to_the_same_averages(sampler, prompts, guards, outcomes):
    data = prompts(np.repeat([0, 1], 50))
    rng = np.random.default_rng(3)
    rewards = rng.random((30, 2))
    curricula = [
        made(sampler("reward_curriculum", reward_threshold=2.0), data, guards(), 20)
        for _ in range(3)
    ]
    for row in rewards:
        for parts, curriculum in zip((1, 2, 5), curricula, strict=True):
            for part in np.array_split(np.arange(10), parts):
                both = np.concatenate([part, 50 + part])
                reward = row[data.source[both]]
                curriculum.observe(outcomes(rng.permutation(both), 4, reward=reward.mean()))
    for other in curricula[1:]:
        assert other.metrics() == pytest.approx(curricula[0].metrics(), abs=1e-9)
    whole = 0.0
    for i, row in enumerate(rewards):
        whole = row.mean() if not i else 0.9 * whole + 0.1 * row.mean()
    assert curricula[0].metrics()["reward_ema"] == pytest.approx(whole)


def test_prompts_without_a_difficulty_are_refused(sampler, prompts, guards):
    data = prompts([0, 0, 1, 1], difficulty=[0.1, 0.2, 0.3, np.nan])
    for option in ("time_curriculum", "reward_curriculum"):
        with pytest.raises(UserError, match="undefined for 1 of 2"):
            made(sampler(option), data, guards(), 2)
        made(sampler(option, complexity_source="s0"), data, guards(), 2)


@pytest.mark.parametrize(
    ("option", "knobs", "words"),
    [
        ("multi_source", {"source_weights": {"s0": 1, "math": 1}}, r"'math'.*there are: s0, s1"),
        ("multi_source", {"source_weights": {"s0": 1}}, "nothing for s1.*gets 0"),
        ("multi_source", {"source_weights": {"s0": 0, "s1": 0}}, "no source with prompts"),
        ("multi_source", {"source_weights": {"s0": -1, "s1": 1}}, r"source_weights\.s0"),
        ("multi_source", {"source_weights": {"s0": np.inf, "s1": 1}}, r"source_weights\.s0"),
        ("multi_source", {"source_weights": {"s0": np.nan, "s1": 1}}, r"source_weights\.s0"),
        ("multi_source", {"sampling_strategy": "other"}, "sampling_strategy=other"),
        (
            "multi_source",
            {"sampling_strategy": "proportional", "source_weights": {"s0": 1, "s1": 1}},
            "proportional goes by the number",
        ),
        ("multi_source", {"alpha": 0.0}, "alpha=0.0"),
        ("multi_source", {"temperature": 0.0}, "temperature=0.0"),
        ("multi_source", {"max_source_ratio": 0.5}, "max_source_ratio=0.5"),
        ("multi_source", {"update_frequency": 0}, "update_frequency=0"),
        ("multi_source", {"reward_ranges": {"s0": [0, 1]}}, "adaptive_weights=true"),
        *(
            ("multi_source", {"adaptive_weights": True, "reward_ranges": {"s0": ends}}, words)
            for ends, words in [
                ([0], "reward_ranges"),
                ([1, 1], "reward_ranges"),
                ([1, 0], "reward_ranges"),
                ([0, np.inf], "reward_ranges"),
                ([np.nan, 1], "reward_ranges"),
                (["a", 1], "reward_ranges"),
            ]
        ),
        (
            "multi_source",
            {"adaptive_weights": True, "reward_ranges": {"math": [0, 1]}},
            r"'math'.*there are: s0, s1",
        ),
        ("time_curriculum", {"complexity_source": "logicif"}, r"'logicif'.*there are: s0, s1"),
        ("reward_curriculum", {"complexity_source": "logicif"}, r"'logicif'.*there are: s0, s1"),
        ("time_curriculum", {"initial_complexity_percentile": 0}, "initial_complexity_perc"),
        ("time_curriculum", {"complexity_warmup_steps": -1}, "complexity_warmup_steps"),
        (
            "reward_curriculum",
            {"final_complexity_percentile": 20},
            "initial_complexity_perc.*final_complexity_perc",
        ),
        ("reward_curriculum", {"num_intervals": 0}, "num_intervals"),
        ("reward_curriculum", {"interval_decay": 0.0}, "interval_decay"),
    ],
)
def test_what_does_not_fit_is_refused(sampler, prompts, guards, option, knobs, words):
    with pytest.raises(UserError, match=words):
        made(sampler(option, **knobs), prompts([0, 0, 1, 1]), guards(), 2)


def test_time_opens_what_the_clock_says(sampler, logicif, guards, batches, outcomes):
    knobs = {"complexity_source": "logicif", "complexity_warmup_steps": 70}
    curriculum = made(sampler("time_curriculum", **knobs), logicif, guards(), 64)
    assert lines(curriculum.started)[-2:] == [
        "[TimeCurriculumSampler] Complexity curriculum for 'logicif'",
        "[TimeCurriculumSampler] Progress: 30% → 100% over 70 updates",
    ]
    place = np.full(len(logicif), -1)
    place[40_000 + np.argsort(logicif.difficulty[40_000:], kind="stable")] = np.arange(LOGICIF)
    said = []
    for step in range(80):
        (batch,) = batches(curriculum, 1, 64)
        opened = 800 * min(30 + step, 100)
        assert place[batch].max() < opened
        assert sources_of(logicif, batch) == [32, 32]
        assert curriculum.metrics()["samples"] == opened
        said += lines(curriculum.observe(outcomes(batch, 4)))
    percents = (40, 50, 60, 70, 80, 90, 100)
    assert said == [
        f"[TimeCurriculumSampler] Complexity: {p}% ({800 * p}/80000 items)" for p in percents
    ]
    assert "[TimeCurriculumSampler] Complexity: 50% (40000/80000 items)" in said


def test_time_goes_by_batches_even_when_nothing_comes_back(sampler, logicif, guards, batches):
    curriculum = made(
        sampler("time_curriculum", complexity_source="logicif"), logicif, guards(), 64
    )
    batches(curriculum, 100, 64)
    assert curriculum.metrics()["percentile"] == pytest.approx(99.3)  # of the hundredth batch
    batches(curriculum, 1, 64)
    assert curriculum.metrics()["percentile"] == 100
    assert curriculum.metrics()["samples"] == LOGICIF


def test_time_goes_by_batches_of_all_prompts_too(sampler, prompts, guards, batches):
    data = prompts(np.zeros(5), difficulty=np.arange(5))
    knobs = {"initial_complexity_percentile": 20, "complexity_warmup_steps": 4}
    curriculum = made(sampler("time_curriculum", **knobs), data, guards(), 5)
    samples = []
    for _ in range(6):
        assert sorted(batches(curriculum, 1, 5)[0]) == list(range(5))
        samples.append(curriculum.metrics()["samples"])
    assert samples == [1, 2, 3, 4, 5, 5]
    assert curriculum.metrics()["guards/filled_up"] == 4 + 3 + 2 + 1


def test_reward_unlocks_interval_after_interval(sampler, logicif, guards, batches, outcomes):
    knobs = {"complexity_source": "logicif", "reward_threshold": 0.125, "check_frequency": 2}
    curriculum = made(sampler("reward_curriculum", **knobs), logicif, guards(), 64)
    intervals = curriculum.started[-1]
    assert lines([intervals])[:5] == [
        "[RewardCurriculumSampler] Complexity source: 'logicif'",
        "[RewardCurriculumSampler] Initial: 30%, Final: 100%",
        "[RewardCurriculumSampler] Intervals: 11 (1 initial + 10 progressive)",
        "  Interval 0 (Initial 30%): 24000 samples, [0.123, 0.412]",
        "  Interval 1: 5600 samples, [0.412, 0.489]",
    ]
    assert intervals.values["intervals"] == [24_000] + [5_600] * 10
    place = np.full(len(logicif), -1)
    place[40_000 + np.argsort(logicif.difficulty[40_000:], kind="stable")] = np.arange(LOGICIF)

    drawn: list[int] = []
    events: list[Event] = []
    for step in range(82):
        (batch,) = batches(curriculum, 1, 64)
        drawn += batch
        # iftrain's rewards don't count; an average of 0.1 for 81 batches, then 0.128.
        gated = 0.1 if step < 81 else 0.38
        reward = np.where(logicif.source[batch] == 1, gated, 1.0)
        assert not events
        events += curriculum.observe(outcomes(batch, 4, reward=reward))
    assert place[drawn].max() < 24_000
    assert [event.kind for event in events] == ["level_up"]
    assert events[0].text.splitlines() == [
        RULE,
        "[RewardCurriculumSampler] LEVEL UP! 0 → 1",
        "[RewardCurriculumSampler] Batch 82: Reward 0.128 >= 0.125",
        "[RewardCurriculumSampler] Samples: 24000 → 29600",
        RULE,
    ]
    later = np.concatenate(batches(curriculum, 400, 64))
    assert 24_000 <= place[later].max() < 29_600
    newer = np.mean(place[later][place[later] >= 0] >= 24_000)
    assert newer == pytest.approx(5_600 / 29_600, abs=1e-3)  # a level's prompts are all alike
    assert curriculum.metrics()["samples"] == 29_600


def test_only_prompts_of_open_levels_open_the_next(sampler, prompts, guards, outcomes):
    data = prompts(np.zeros(100), difficulty=np.arange(100))
    knobs = {"min_batches_per_level": 1, "check_frequency": 1}
    curriculum = made(sampler("reward_curriculum", **knobs), data, guards(), 10)
    curriculum.observe(outcomes(np.arange(5), 2))  # 0 to 29 are open: the floor draws the others
    for _ in range(20):
        curriculum.observe(outcomes(np.arange(90, 100), 8))
    assert curriculum.metrics()["reward_ema"] == pytest.approx(0.25)
    assert curriculum.metrics()["level"] == 0


@pytest.mark.parametrize("option", ["time_curriculum", "reward_curriculum"])
def test_a_lane_without_the_source_has_no_curriculum(sampler, prompts, guards, batches, option):
    data = prompts(np.repeat([0, 1], 100), difficulty=np.tile(np.arange(100), 2))
    made_of = sampler(option, complexity_source="s0")
    curriculum = made(made_of, data, guards(quotas={"s0": 1, "s1": 1}), 40)
    (batch,) = np.array(batches(curriculum, 1, 40))
    of_s0 = data.source[batch] == 0
    assert of_s0.sum() == 20
    assert data.difficulty[batch[of_s0]].max() <= 29
    assert data.difficulty[batch[~of_s0]].max() > 60


def test_newer_intervals_weigh_more(sampler, prompts, guards, batches, outcomes):
    data = prompts(np.zeros(10_000), difficulty=np.arange(10_000))
    knobs = {"min_batches_per_level": 1, "check_frequency": 1, "focus_new_intervals": True}
    curriculum = made(sampler("reward_curriculum", **knobs), data, guards(), 100)
    for _ in range(2):
        assert lines(curriculum.observe(outcomes(np.arange(100), 8)))[1].startswith("[Reward")
    assert curriculum.metrics()["level"] == 2
    drawn = np.concatenate(batches(curriculum, 7, 100))
    parts = np.histogram(drawn, [0, 3_000, 3_700, 4_400])[0]
    assert parts.tolist() == [100, 200, 400]
    assert np.round(parts / 7).tolist() == [14, 29, 57]  # percent


def levels(sampler, prompts, guards, outcomes, count, **knobs):
    """Batches at which levels end, all of them with a reward of 1."""
    curriculum = made(sampler("reward_curriculum", **knobs), prompts(np.zeros(100)), guards(), 8)
    found = []
    for batch in range(1, count + 1):
        events = curriculum.observe(outcomes(np.arange(8), 8))
        found += [batch for event in events if event.kind == "level_up"]
    return found


def test_levels_last_and_are_looked_at_as_often_as_said(sampler, prompts, guards, outcomes):
    tools = (sampler, prompts, guards, outcomes)
    # At multiples of 3, at least 10 after the last: 12, then from 22 on 24, then 34 -> 36, ...
    assert levels(*tools, 60) == [12, 24, 36, 48, 60]
    assert levels(*tools, 12, min_batches_per_level=4, check_frequency=1) == [4, 8, 12]
    assert levels(*tools, 30, min_batches_per_level=1, check_frequency=7) == [7, 14, 21, 28]
    many = levels(*tools, 30, min_batches_per_level=1, check_frequency=1, num_intervals=4)
    assert many == [1, 2, 3, 4]
    assert levels(*tools, 30, reward_threshold=1.01) == []


def test_a_reward_at_the_threshold_but_for_rounding_ends_a_level(
    sampler, prompts, guards, outcomes
):
    knobs = {"reward_threshold": 0.3, "num_intervals": 1}
    for reward, ends in ((0.7 - 0.4, [12]), (0.3 - 1e-9, [])):
        curriculum = made(
            sampler("reward_curriculum", **knobs), prompts(np.zeros(100)), guards(), 8
        )
        batches = [curriculum.observe(outcomes(np.arange(8), 8, reward=reward)) for _ in range(20)]
        assert [i for i, each in enumerate(batches, 1) if lines(each, "level_up")] == ends


def test_without_a_source_every_one_has_its_own_intervals(sampler, prompts, guards, batches):
    data = prompts(np.repeat([0, 1], [100, 400]), difficulty=np.arange(500) % 100)
    curriculum = made(sampler("reward_curriculum"), data, guards(), 16)
    assert "[RewardCurriculumSampler] Complexity source: every source" in lines(curriculum.started)
    assert curriculum.started[-1].values["intervals"] == [150] + [35] * 10
    drawn = np.concatenate(batches(curriculum, 30, 16))
    assert data.difficulty[drawn].max() == 29  # the easiest 30 of 0 to 99, in both
    assert sources_of(data, drawn) == [240, 240]
    timed = made(sampler("time_curriculum"), data, guards(), 16)
    first = np.concatenate(batches(timed, 1, 16))
    assert data.difficulty[first].max() <= 29
    assert "Complexity curriculum for every source" in timed.started[-1].text


@pytest.mark.parametrize("option", ["time_curriculum", "reward_curriculum"])
def test_a_field_of_the_data_says_how_hard(sampler, prompts, guards, batches, option):
    rng = np.random.default_rng(1)
    score = rng.random(200)
    data = prompts(np.zeros(200), difficulty=rng.random(200), extra={"complexity_score": score})
    knobs = {"complexity_score": "complexity_score", "initial_complexity_percentile": 25}
    drawn = batches(made(sampler(option, **knobs), data, guards(), 25), 1, 25)[0]
    assert set(drawn) <= set(np.argsort(score)[:50].tolist())
    assert data.difficulty[drawn].max() > 0.5
