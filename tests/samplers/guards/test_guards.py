"""What keeps any sampler within bounds, around samplers that would not keep to them."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations
from curriculum.samplers import Curriculum, Sampler, Sampling
from curriculum.samplers.names import BUILT_IN

BATCH = 10
OPTIONS = sorted(BUILT_IN)


@dataclass(frozen=True)
class Favourites(Sampler):
    """The same few prompts of each source whenever they are allowed, then the next ones."""

    few: int | None = None  # draw of the first ones alone ...
    by_chance: bool = False  # ... any of them

    def start(self, prompts, batch_size, group_size, rng):
        order = np.argsort(np.arange(len(prompts)) % 100, kind="stable")
        return FavouritesSampling(self, rng, order[: self.few])


@dataclass
class FavouritesSampling(Sampling):
    favourites: Favourites
    rng: np.random.Generator
    order: np.ndarray

    def draw(self, count, allowed, batch):
        order = self.rng.permutation(self.order) if self.favourites.by_chance else self.order
        return order[allowed(order)][:count]


CHOSEN = Favourites(20, by_chance=True)
THREE = Favourites(3)


def made(sampler, prompts, guards, batch_size=BATCH, seed=0):
    return Curriculum(sampler, prompts, batch_size, guards, np.random.default_rng(seed))


def gaps(drawn, size):
    """The most batches before each prompt comes up, at first and from one time to the next."""
    last, first, most = np.full(size, -1), np.full(size, -1), np.zeros(size, np.int64)
    for step, batch in enumerate(drawn):
        most[batch] = np.maximum(most[batch], np.where(last[batch] < 0, 0, step - last[batch]))
        first[batch] = np.where(first[batch] < 0, step + 1, first[batch])
        last[batch] = step
    return first, most


@pytest.mark.parametrize("floor", [0.1, 0.25, 1.0])
@pytest.mark.parametrize("sampler", [Favourites(), CHOSEN])
def test_the_floor_comes_to_every_prompt(prompts, guards, batches, floor, sampler):
    data = prompts(np.zeros(200))
    promised = math.ceil(200 / (floor * BATCH))
    drawn = batches(made(sampler, data, guards(floor=floor)), 6 * promised, BATCH)
    assert all(len(set(batch)) == BATCH for batch in drawn)
    first, most = gaps(drawn, 200)
    assert first.min() >= 1
    assert first.max() <= promised + 1
    assert most.max() <= 2 * promised + 1  # from the first card of a pass to the last of the next


def test_the_floor_is_no_larger_than_said(prompts, guards, batches):
    data = prompts(np.zeros(200))
    drawn = batches(made(Favourites(), data, guards(floor=0.25)), 100, BATCH)
    # Favourites would draw 0 to 4 and 100 to 104; 250 of 1000 places are the floor's.
    others = sum(each % 100 >= 5 for batch in drawn for each in batch)
    assert others <= 250
    assert others >= 250 * 0.9  # some of its turns come to the favourites


def test_the_floor_leaves_the_mix_of_sources_as_it_is(prompts, guards, batches):
    data = prompts(np.repeat([0, 1, 2], 100))
    # Favourites draws its 10 as 4, 3 and 3 of the sources; source 3 has prompts but no share.
    plain = np.bincount(data.source[batches(made(Favourites(), data, guards()), 1, BATCH)[0]])
    assert plain.tolist() == [4, 3, 3]
    for batch in batches(made(Favourites(), data, guards(floor=0.5)), 200, BATCH):
        assert np.bincount(data.source[batch]).tolist() == [4, 3, 3]


def test_a_source_without_a_share_gets_none_from_the_floor(sampler, prompts, guards, batches):
    data = prompts(np.repeat([0, 1], 50))
    unmixed = sampler("time_curriculum", source_weights={"s0": 0, "s1": 1})
    for batch in batches(made(unmixed, data, guards(floor=0.5)), 50, BATCH):
        assert set(data.source[batch]) == {1}


@pytest.mark.parametrize("quotas", [{"s0": 1, "s1": 1, "s2": 0}, {"s0": 5, "s1": 3, "s2": 1}])
@pytest.mark.parametrize("floor", [0.0, 0.3])
def test_quotas_are_exact(prompts, guards, batches, quotas, floor):
    data = prompts(np.repeat([0, 1, 2], [150, 30, 220]))
    curriculum = made(Favourites(), data, guards(quotas=quotas, floor=floor), 7)
    drawn = batches(curriculum, 90, 7)
    counts = np.array([np.bincount(data.source[batch], minlength=3) for batch in drawn])
    shares = np.array(list(quotas.values())) / sum(quotas.values())
    off = counts.cumsum(0) - 7 * np.arange(1, 91)[:, None] * shares
    assert np.abs(off).max() <= 1 + 1e-9
    assert (counts[:, shares == 0] == 0).all()


def test_with_quotas_each_source_learns_from_its_own(sampler, prompts, guards, outcomes):
    data = prompts(np.tile([0, 1], 50))
    curriculum = made(sampler("target_difficulty"), data, guards(quotas={"s0": 1, "s1": 1}), 20)
    rows = np.arange(20)
    curriculum.observe(outcomes(rows, np.where(rows % 2, 8, 4)))  # s0 half, s1 all of them
    assert curriculum.metrics()["s0/target_difficulty"] == 0
    assert curriculum.metrics()["s1/target_difficulty"] == pytest.approx(50 * math.tanh(1))


@pytest.mark.parametrize(
    ("quotas", "words"),
    [
        ({"s0": 1}, "nothing for s1.*gets 0"),
        ({"s0": 1, "s1": 1, "math": 1}, r"'math'.*there are: s0, s1"),
        ({"s0": 0, "s1": 0}, "not all 0"),
        ({"s0": -1, "s1": 2}, r"quotas\.s0=-1"),
        ({"s0": math.inf, "s1": 2}, r"quotas\.s0=inf"),
    ],
)
def test_quotas_that_fit_no_sources_are_refused(prompts, guards, quotas, words):
    with pytest.raises(UserError, match=words):
        made(Favourites(), prompts([0, 0, 1, 1]), guards(quotas=quotas), 2)


@pytest.mark.parametrize("option", [*OPTIONS, "one_source"])
def test_every_sampler_goes_with_all_guards(sampler, prompts, guards, batches, outcomes, option):
    own = {"complexity_source": "s0"} if option == "one_source" else {}
    chosen = sampler("reward_curriculum" if own else option, **own)
    data = prompts(
        np.repeat([0, 1], [80, 40]),
        bucket=np.arange(120) % 4,
        difficulty=np.arange(120) % 17,
        n=np.full(120, 16),
        c=np.arange(120) % 17,
    )
    bounds = guards(floor=0.2, quotas={"s0": 3, "s1": 1}, no_repeat=20, collapse=0.1)
    curriculum = made(chosen, data, bounds, 8)
    for batch in batches(curriculum, 60, 8):
        assert np.bincount(data.source[batch]).tolist() == [6, 2]
        curriculum.observe(outcomes(batch, 4))


@pytest.mark.parametrize("floor", [0.0, 0.3])
@pytest.mark.parametrize(
    ("apart", "cycle"),
    [(1, 1), (2, 2), (11, 2), (12, 3), (21, 3), (25, 4), (60, 7), (80, 9)],
)
def test_no_prompt_again_too_soon(prompts, guards, batches, floor, apart, cycle):
    """As the last of its batch, a prompt is 1, 11, 21, ... draws before the first of the next."""
    data = prompts(np.zeros(90))
    curriculum = made(Favourites(), data, guards(no_repeat=apart, floor=floor))
    last: dict[int, int] = {}
    drawn = batches(curriculum, 80, BATCH)
    for place, each in enumerate(np.concatenate(drawn).tolist()):
        assert place - last.get(each, -99) >= apart
        last[each] = place
    assert curriculum.metrics()["guards/gave_way"] == 0
    if not floor:  # and no longer than it must
        assert sorted({each for batch in drawn for each in batch}) == list(range(cycle * BATCH))
        assert all(sorted(a) == sorted(b) for a, b in zip(drawn, drawn[cycle:], strict=False))


def test_a_rule_that_leaves_no_batch_is_refused(prompts, guards):
    made(Favourites(), prompts(np.zeros(40)), guards(no_repeat=31))
    with pytest.raises(UserError, match=r"no_repeat=32 leaves none of the 40 .* batch of 10"):
        made(Favourites(), prompts(np.zeros(40)), guards(no_repeat=32))


@pytest.mark.parametrize("floor", [0.0, 0.3])
def test_no_prompt_too_often(prompts, guards, batches, floor):
    data = prompts(np.zeros(80))
    curriculum = made(Favourites(), data, guards(max_repeats=3, floor=floor))
    drawn = np.concatenate(batches(curriculum, 20, BATCH))  # of 24, while enough are left
    assert np.bincount(drawn, minlength=80).max() == 3
    assert curriculum.metrics()["guards/gave_way"] == 0
    if not floor:
        drawn = np.append(drawn, batches(curriculum, 4, BATCH))
        assert np.bincount(drawn, minlength=80).tolist() == [3] * 80
        assert curriculum.metrics()["guards/gave_way"] == 0


def test_guards_that_leave_too_few_give_way_and_say_so(prompts, guards, batches):
    data = prompts(np.zeros(40))
    often = made(Favourites(), data, guards(max_repeats=2))
    batches(often, 8, BATCH)
    assert often.metrics()["guards/gave_way"] == 0
    for batch in batches(often, 5, BATCH):
        assert len(set(batch)) == BATCH
    assert often.metrics()["guards/gave_way"] == 5 * BATCH

    soon = made(THREE, prompts(np.zeros(40)), guards(no_repeat=25))
    for i in range(3):  # its three come again in every batch, and others fill it up
        assert {0, 1, 2} <= set(batches(soon, 1, BATCH)[0])
        assert soon.metrics()["guards/gave_way"] == 3 * i
        assert soon.metrics()["guards/filled_up"] == 7 * (i + 1)

    few = prompts(np.zeros(12))
    plain = made(Favourites(), few, guards())
    batches(plain, 9, BATCH)
    assert plain.metrics()["guards/gave_way"] == 0


@pytest.mark.parametrize("floor", [0.5, 1.0])
def test_where_the_floor_has_too_few_what_was_drawn_stays(prompts, guards, batches, floor):
    curriculum = made(Favourites(), prompts(np.zeros(25)), guards(max_repeats=1, floor=floor))
    for batch in batches(curriculum, 8, BATCH):
        assert len(set(batch)) == BATCH


def test_a_sampler_with_too_few_is_filled_up_and_says_so_once(prompts, guards, batches, outcomes):
    data = prompts(np.repeat([0, 1, 2], 50))
    curriculum = made(THREE, data, guards(quotas={"s0": 1, "s1": 1, "s2": 0}))
    events: list[Event] = []
    for step, batch in enumerate(batches(curriculum, 50, BATCH)):
        assert len(set(batch)) == BATCH
        assert {0, 1, 2, 50, 51, 52} <= set(batch)
        assert max(batch) < 100  # a source without a quota doesn't help out
        events += curriculum.observe(outcomes(batch, 4)) if step else []
    assert [event.kind for event in events] == ["filled_up"]
    assert events[0].values == {"missing": 4}
    assert "a batch of 10" in events[0].text
    assert curriculum.metrics()["guards/filled_up"] == 200
    assert curriculum.metrics()["guards/gave_way"] == 0


@pytest.mark.parametrize("option", OPTIONS)
def test_without_guards_nothing_gives_way(sampler, prompts, guards, batches, option):
    data = prompts(np.zeros(23), bucket=np.arange(23) % 2, difficulty=np.arange(23))
    knobs: dict[str, object] = {"schedule": "balanced"} if option == "easy_to_hard" else {}
    knobs |= {"initial_complexity_percentile": 90} if "curriculum" in option else {}
    curriculum = made(sampler(option, **knobs), data, guards())
    for batch in batches(curriculum, 60, BATCH):
        assert len(set(batch)) == BATCH
    assert curriculum.metrics()["guards/gave_way"] == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"floor": 1.5}, "floor=1.5"),
        ({"no_repeat": -1}, "no_repeat"),
        ({"max_repeats": 0}, "max_repeats"),
        ({"collapse": 1.0}, "collapse=1.0"),
        ({"patience": 0}, "patience=0"),
    ],
)
def test_guards_out_of_range_are_refused(guards, given, words):
    with pytest.raises(UserError, match=words):
        guards(**given)


@pytest.fixture
def measured(prompts):
    """Two sources of 100, every prompt solved 8 times of 16."""
    return prompts(np.repeat([0, 1], 100), n=np.full(200, 16), c=np.full(200, 8))


ROWS = np.r_[0:20, 100:120]
BROKEN = np.where(ROWS < 100, 0, 4)  # s0 fails at once, s1 goes on


def metric(curriculum, name):
    return curriculum.metrics()[name]


def test_a_source_that_fails_at_once_is_not_believed(sampler, measured, guards, outcomes):
    curriculum = made(sampler("pools"), measured, guards(collapse=0.1), 40)
    for _ in range(3):
        assert not curriculum.observe(outcomes(ROWS, 4))
    assert metric(curriculum, "pool/hard") == 0
    for step in range(5):
        events = curriculum.observe(outcomes(ROWS, BROKEN))
        assert [event.kind for event in events] == ["frozen"] * (step == 0)
        assert metric(curriculum, "pool/hard") == 0
        assert metric(curriculum, "guards/frozen_sources") == 1
        assert metric(curriculum, "guards/held_back_groups") == 20 * (step + 1)
    curriculum.observe(outcomes(ROWS[20:], 8))  # the other source is believed all the while
    assert metric(curriculum, "pool/easy") == 20
    (thawed,) = curriculum.observe(outcomes(ROWS, 4))
    assert thawed.kind == "thawed"
    assert thawed.values["source"] == "s0"
    assert "s0" in thawed.text
    assert metric(curriculum, "guards/frozen_sources") == 0
    curriculum.observe(outcomes(ROWS[:20], np.repeat([8, 4], 10)))
    assert metric(curriculum, "pool/easy") == 10  # of s0; s1's have come back as normal


def test_an_outage_moves_no_average(sampler, measured, guards, outcomes):
    knobs = {"complexity_source": "s0", "reward_threshold": 2.0}
    frozen, without = (
        made(sampler("reward_curriculum", **knobs), measured, guards(collapse=collapse), 40)
        for collapse in (0.1, None)
    )
    for curriculum in (frozen, without):
        for passed in (4, 4, BROKEN, BROKEN, BROKEN):
            curriculum.observe(outcomes(ROWS, passed))
    assert metric(frozen, "reward_ema") == pytest.approx(0.5)
    assert metric(without, "reward_ema") == pytest.approx(0.5 * 0.9**3)


def test_what_stays_low_counts_again_after_a_while(sampler, measured, guards, outcomes):
    curriculum = made(sampler("pools"), measured, guards(collapse=0.1, patience=4), 40)
    curriculum.observe(outcomes(ROWS, 4))
    kinds = []
    for _ in range(8):
        events = curriculum.observe(outcomes(ROWS, BROKEN))
        kinds.append([event.kind for event in events])
        hard = metric(curriculum, "pool/hard")
        assert hard == (20 if ["thawed"] in kinds else 0)
    assert kinds == [["frozen"], [], [], [], ["thawed"], [], [], []]


def test_after_an_outage_the_next_one_is_noticed_too(sampler, measured, guards, outcomes):
    curriculum = made(sampler("pools"), measured, guards(collapse=0.1, patience=2), 40)
    kinds = []
    once, for_long, back = [BROKEN], [BROKEN] * 3, [4] * 40
    for passed in (4, *once, 4, 4, *for_long, *back, *once):
        kinds += [event.kind for event in curriculum.observe(outcomes(ROWS, passed))]
    assert kinds == ["frozen", "thawed", "frozen", "thawed", "frozen"]


def test_hard_prompts_that_fail_as_often_as_measured_are_no_outage(
    sampler, prompts, guards, outcomes
):
    c = np.repeat([15, 1, 0], 200)
    data = prompts(np.zeros(600), n=np.full(600, 16), c=c)
    rng = np.random.default_rng(0)
    for rows in (np.arange(200, 400), np.arange(400, 600)):  # only hard ones are drawn now
        curriculum = made(sampler("pools"), data, guards(collapse=0.1), 100)
        curriculum.observe(outcomes(np.arange(100), 7))
        for _ in range(40):
            some = rng.choice(rows, 100, replace=False)
            assert not curriculum.observe(outcomes(some, rng.binomial(8, c[some] / 16)))


def test_what_was_never_measured_is_no_outage(sampler, prompts, guards, outcomes):
    curriculum = made(sampler("pools"), prompts(np.zeros(100)), guards(collapse=0.1), 50)
    for _ in range(20):
        assert not curriculum.observe(outcomes(np.arange(50), 0))
    assert metric(curriculum, "pool/hard") == 50


def test_cut_off_rollouts_are_no_wrong_answers(sampler, measured, guards):
    prompt, passed = np.repeat(np.arange(20), 8), np.tile([1, 1, 0, 0, 0, 0, 0, 0], 20) > 0
    answered = np.tile([1, 1, 1, 1, 0, 0, 0, 0], 20) > 0
    answered[:8] = False  # of the first prompt, none came to an end
    reward = passed.astype(np.float64)
    whole = Observations.of_rollouts(prompt, reward, passed, answered)
    assert whole.prompt.tolist() == list(range(1, 20))
    assert (whole.n == 4).all() and (whole.passed == 2).all() and (whole.reward == 0.5).all()
    assert whole.advantage == pytest.approx(np.ones(19))
    curriculum = made(sampler("pools"), measured, guards(collapse=0.1), 20)
    for _ in range(10):
        assert not curriculum.observe(whole)
    assert metric(curriculum, "pool/normal") == 200
    nothing = Observations.of_rollouts(prompt, reward, passed, np.zeros(160, np.bool_))
    assert len(nothing) == 0
    assert not curriculum.observe(nothing)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_rewards_are_finite_or_there_is_none(wrong):
    prompt, reward = np.array([0, 0, 1]), np.array([1, wrong, 0.5])
    with pytest.raises(UserError, match="finite"):
        Observations.of_rollouts(prompt, reward, reward >= 1)
    failed = np.array([True, False, True])
    assert Observations.of_rollouts(prompt, reward, reward >= 1, failed).n.tolist() == [1, 1]


def test_groups_by_hand():
    reward = np.array([1, 0.5, 0, 1, 0.1, 0.1, 0.1, 2])
    prompt = np.array([7, 3, 7, 7, 9, 9, 9, 3])
    found = Observations.of_rollouts(prompt, reward, reward >= 1)
    assert found.prompt.tolist() == [3, 7, 9]
    assert found.n.tolist() == [2, 3, 3]
    assert found.passed.tolist() == [1, 2, 0]
    assert found.reward == pytest.approx([1.25, 2 / 3, 0.1])
    assert found.lowest.tolist() == [0.5, 0, 0.1]
    assert found.highest.tolist() == [2, 1, 0.1]
    # 3: both 0.75 off, deviation 0.75; 7: (1/3 + 1/3 + 2/3) / 3 = 4/9 of sqrt(2)/3; 9: none.
    assert found.advantage == pytest.approx([1, 4 / 9 / (math.sqrt(2) / 3), 0])


def test_rewards_that_are_equal_but_for_rounding_carry_no_gradient():
    reward, none = np.array([0.3, 0.7 - 0.4]), np.zeros(2, np.bool_)
    assert reward[0] != reward[1]
    found = Observations.of_rollouts(np.zeros(2, np.int64), reward, none)
    assert found.advantage.tolist() == [0]


OTHERS = [
    "sampler",
    "seed",
    "prompts",
    "measured",
    "batch_size",
    "quotas",
    "max_repeats",
    "version",
]


@pytest.mark.parametrize("change", OTHERS)
def test_a_state_of_something_else_is_refused(sampler, prompts, guards, batches, change):
    def start(option="pools", size=60, batch_size=BATCH, seed=0, passed=0, **bounds):
        data = prompts(np.zeros(size), n=np.full(size, 8), c=np.full(size, passed))
        return made(sampler(option), data, guards(**bounds), batch_size, seed)

    curriculum = start()
    batches(curriculum, 3, BATCH)
    state = curriculum.state_dict()
    others = {
        "sampler": lambda: start("thompson"),
        "seed": lambda: start(seed=1),
        "prompts": lambda: start(size=61),
        "measured": lambda: start(passed=1),
        "quotas": lambda: start(quotas={"s0": 1}),
        "max_repeats": lambda: start(max_repeats=5),
        "batch_size": lambda: start(batch_size=12),
        "version": start,
    }
    if change == "version":
        state = state | {"version": 99}
    named = "prompts" if change == "measured" else change
    with pytest.raises(UserError, match=f"saved state.*{named}"):
        others[change]().load_state_dict(state)
    start().load_state_dict(curriculum.state_dict())


@pytest.mark.parametrize(
    ("option", "knobs"),
    [
        ("thompson", {"references": ["weak", "strong"], "discount": 0.8}),
        ("reward_curriculum", {"num_intervals": 3}),
        ("reward_curriculum", {"complexity_source": "s0"}),
        ("bandit", {"arms": "sources"}),
    ],
)
def test_a_state_that_does_not_fit_the_knobs_is_refused(
    sampler, prompts, guards, batches, option, knobs
):
    rate = np.linspace(0, 1, 60)
    data = prompts(np.tile([0, 1], 30), extra={"weak": rate / 2, "strong": rate})
    plain = made(sampler(option), data, guards())
    batches(plain, 3, BATCH)
    with pytest.raises(UserError, match="saved state doesn't fit its settings"):
        made(sampler(option, **knobs), data, guards()).load_state_dict(plain.state_dict())


@pytest.mark.parametrize(
    ("option", "knobs", "bounds"),
    [
        ("thompson", {"target": 0.3}, {}),
        ("time_curriculum", {"complexity_warmup_steps": 7}, {}),
        ("pools", {}, {"floor": 0.1, "no_repeat": 20, "collapse": 0.2}),
    ],
)
def test_a_run_may_go_on_with_other_knobs(sampler, prompts, guards, batches, option, knobs, bounds):
    data = prompts(np.tile([0, 1], 30))
    plain = made(sampler(option), data, guards())
    batches(plain, 3, BATCH)
    changed = made(sampler(option, **knobs), data, guards(**bounds))
    changed.load_state_dict(plain.state_dict())
    for batch in batches(changed, 9, BATCH):
        assert len(set(batch)) == BATCH


def test_a_batch_of_more_than_all_prompts_is_refused(prompts, guards):
    data = prompts(np.repeat([0, 1], [6, 4]))
    made(Favourites(), data, guards(), 10)
    with pytest.raises(UserError, match=r"batch_size=11.*10 prompts"):
        made(Favourites(), data, guards(), 11)
    with pytest.raises(UserError, match=r"batch_size=7.*6 prompts"):
        made(Favourites(), data, guards(quotas={"s0": 1, "s1": 0}), 7)


def test_what_can_not_be_drawn_from_is_refused(prompts, guards):
    with pytest.raises(UserError, match="no prompt"):
        made(Favourites(), prompts([0]).take(np.zeros(0, np.int64)), guards())
    with pytest.raises(UserError, match="batch_size=0"):
        made(Favourites(), prompts([0]), guards(), 0)


def test_an_epoch_is_as_many_batches_as_the_prompts_fill(prompts, guards):
    for size, batch_size, expected in ((60, 10, 60), (69, 10, 60), (7, 7, 7), (10, 10, 10)):
        curriculum = made(Favourites(), prompts(np.zeros(size)), guards(), batch_size)
        assert len(curriculum) == expected
        assert [len(list(curriculum)) for _ in range(3)] == [expected] * 3
