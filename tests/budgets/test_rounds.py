"""Rounds: who gets more, what is said of it, and how right `budget=sequential` is."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from curriculum.bucketers import PassRate, Percentile
from curriculum.budgets import Budget, Fixed, Sequential, Setting, Tally
from curriculum.budgets.parts.question import Question, question_of
from curriculum.budgets.sequential import equal_fixed
from curriculum.config.build import typed
from curriculum.core.errors import UserError
from curriculum.core.records import ROLLOUT_SCHEMA, Asked, Problems, Rollouts
from curriculum.metrics import PassRate as Passing
from curriculum.run.rounds import in_rounds
from curriculum.testing import make_problems

NOTHING = np.zeros(1, np.int64)
AT_FIRST_SIGHT = {"cap": 64, "confidence": 0.9}


class World:
    """Problems of known pass rates; rollouts of them, counted."""

    def __init__(self, rate, failing=0.0, seed=0):
        self.rate, self.rng, self.failing = np.asarray(rate), np.random.default_rng(seed), failing
        self.asked: list[list[Asked]] = []

    def generate(self, asked):
        self.asked.append(asked)
        rows = [(each.problem, each.first + i) for each in asked for i in range(each.samples)]
        problem, sample = map(list, zip(*rows, strict=True))
        nothing = [None] * len(rows)
        index = pa.table([problem, sample, nothing, nothing], schema=ROLLOUT_SCHEMA)
        text = pa.array([f"{p} {s}" for p, s in rows])
        return Rollouts(index, lambda: iter([text]), lambda: iter([index]))

    def score(self, rollouts):
        passes = self.rng.random(len(rollouts)) < self.rate[rollouts.problem]
        failed = self.rng.random(len(rollouts)) < self.failing
        reward = pa.array(np.where(failed, np.nan, passes), from_pandas=True)
        failure = pa.array(["broken" if each else None for each in failed], pa.string())
        return pa.table({"reward": reward, "failure": failure})

    def run(self, budget, batch_size=0, problems=None, hint=None):
        problems = problems or make_problems(len(self.rate))
        setting = Setting(batch_size, PassRate().pass_rates_between)
        return in_rounds(budget, setting, problems, Passing(), self.generate, self.score, hint)


def budget(**knobs):
    """One that stops early; its tables are small."""
    return Sequential(**{**AT_FIRST_SIGHT, **knobs})


def verdict_of(own, rounds):
    setting = Setting(0, PassRate().pass_rates_between)
    return own.judge(rounds.tally, own.question(rounds.tally, setting))


def results_of(own, rounds):
    return own.findings(rounds.tally, Setting(0, PassRate().pass_rates_between)).results


def test_every_sample_is_asked_for_once_and_lines_up():
    world = World(np.linspace(0, 1, 60))
    rounds = world.run(budget())
    index = rounds.rollouts.index
    pairs = list(zip(index["problem"].to_pylist(), index["sample_idx"].to_pylist(), strict=True))
    counts = np.bincount(index["problem"].to_numpy(), minlength=60)
    assert sorted(pairs) == [(p, i) for p, many in enumerate(counts) for i in range(many)]
    assert counts.tolist() == rounds.tally.asked.tolist() == rounds.tally.n.tolist()
    assert len(rounds.rewards) == len(pairs)
    texts = [text for part in rounds.rollouts.responses() for text in part.to_pylist()]
    assert texts == [f"{p} {i}" for p, i in pairs]
    passes = np.array(rounds.rewards["reward"].to_pylist())
    by_hand = np.bincount(index["problem"].to_numpy(), weights=passes, minlength=60)
    assert by_hand.tolist() == rounds.tally.c.tolist()


def test_the_first_round_is_for_all_and_later_ones_for_those_that_are_unsure():
    world = World([0.0] * 30 + [1.0] * 30 + [0.5] * 30)
    rounds = world.run(budget())
    assert [each.problem for each in world.asked[0]] == list(range(90))
    assert {each.samples for each in world.asked[0]} == {4}
    spent = rounds.tally.asked.reshape(3, 30).mean(axis=1)
    assert spent[0] < 20 and spent[1] < 20 and spent[2] > 25
    assert rounds.tally.asked.max() <= 64
    assert len(world.asked[-1]) < 45


def test_who_is_sure_stops_and_who_is_not_is_undecided():
    own = budget(price=0.0)
    rounds = World(np.linspace(0, 1, 200), seed=1).run(own)
    risk, asked = verdict_of(own, rounds).risk, rounds.tally.asked
    assert (asked[risk > 0.1] == 64).all()
    assert (asked == 64).sum() > 20
    results = results_of(own, rounds)
    assert results["undecided"] == (risk > 0.1).sum() > 0
    assert results["rollouts"] == asked.sum()
    assert results["expected_error"] == pytest.approx(risk.mean())


def test_claims_hold_and_rollouts_are_saved():
    """The expected error is the true one, and a fixed budget needs as many as it says."""
    rng = np.random.default_rng(3)
    rate = rng.beta(0.4, 0.6, 4000)
    question = Question((0.2, 0.5, 0.8), (3, 2, 1, 0))
    own = Sequential()
    rounds = World(rate, seed=4).run(own)
    wrong = (verdict_of(own, rounds).answer != question.of(rate)).mean()
    results = results_of(own, rounds)
    assert results["expected_error"] == pytest.approx(wrong, abs=0.012)
    fixed = results["as_sure_fixed"]
    passes = rng.binomial(fixed, rate)
    wrong_fixed = (question.of(passes / fixed) != question.of(rate)).mean()
    assert wrong_fixed == pytest.approx(wrong, abs=0.015)
    assert results["rollouts_a_problem"] < fixed / 2


def test_a_round_that_leaves_room_in_a_batch_asks_for_more():
    world = World([0.5] * 10)
    world.run(budget(keep=[0.45, 0.55], price=0.0), batch_size=200)
    assert {each.samples for each in world.asked[0]} == {4}
    # Room for 20 each, but not more than they have had.
    assert [{each.samples for each in asked} for asked in world.asked[1:3]] == [{4}, {8}]
    assert max(each.samples for each in world.asked[3]) == 16
    assert len(world.asked) <= 9


def test_failed_rollouts_are_no_wrong_answers():
    own = budget(keep=[0.1, 0.9])
    rounds = World([1.0] * 200, failing=0.5).run(own)
    assert (rounds.tally.c == rounds.tally.n).all()
    assert (rounds.tally.n < rounds.tally.asked).any()
    assert (verdict_of(own, rounds).answer == 0).all()
    assert rounds.tally.asked.max() <= 64


def test_problems_that_can_not_be_scored_are_asked_once():
    class Broken(World):
        def score(self, rollouts):
            table = super().score(rollouts)
            broken = rollouts.problem == 3
            reward = np.where(broken, np.nan, table["reward"].to_numpy())
            failure = ["broken" if each else None for each in broken]
            columns = [pa.array(reward, from_pandas=True), pa.array(failure, pa.string())]
            return pa.table(columns, names=["reward", "failure"])

    rounds = Broken([0.5] * 10).run(budget(keep=[0.45, 0.55], price=0.0))
    assert (rounds.tally.asked[3], rounds.tally.n[3]) == (4, 0)
    assert rounds.tally.asked.max() == 64


def test_each_source_has_a_prior_of_its_own():
    """One failure in four means little where nearly all is solved, much where half is."""
    rate = [1.0] * 400 + [0.5] * 400
    table = make_problems(800).table
    place = table.column_names.index("data_source")
    sources = pa.array(["easy"] * 400 + ["even"] * 400)
    problems = Problems(table.set_column(place, table.schema.field("data_source"), sources))
    apart = World(rate).run(budget(), problems=problems)
    assert apart.tally.asked[:400].mean() < 6
    together = World(rate).run(budget())
    assert apart.tally.asked.mean() < together.tally.asked.mean()


EARLIER = np.full(2000, 16)  # rollouts of an earlier run


def with_hint(earlier_rate):
    """What rounds cost without and with an earlier run's counts, and how right they are with it."""
    rate = np.random.default_rng(5).beta(0.5, 1.5, 2000)
    hint = EARLIER, np.random.default_rng(6).binomial(EARLIER, earlier_rate(rate))
    own = budget(keep=[0.1, 0.9], hint="earlier", step=8)
    plain, rounds = World(rate, seed=7).run(own), World(rate, seed=7).run(own, hint=hint)
    wrong = verdict_of(own, rounds).answer != Question((0.1, 0.9), (0, 1, 0)).of(rate)
    results = results_of(own, rounds)
    assert results["expected_error"] == pytest.approx(wrong.mean(), abs=0.018)
    spent = [each.tally.asked.mean() for each in (plain, rounds)]
    return *spent, results["hint"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "earlier", [lambda rate: rate, lambda rate: rate**0.4, lambda rate: 1 - rate]
)
def test_an_earlier_run_that_tells_of_the_problems_saves_rollouts_whatever_it_tells(earlier):
    plain, hinted, told = with_hint(earlier)
    assert hinted < 0.95 * plain
    assert told["weight"] > 0.9 and told["problems"] == 2000


@pytest.mark.slow
def test_an_earlier_run_that_tells_nothing_changes_nothing():
    plain, hinted, told = with_hint(np.random.default_rng(8).permutation)
    assert told["weight"] < 0.1
    assert hinted == pytest.approx(plain, rel=0.05)


def test_what_an_earlier_run_knows_is_said():
    hint = np.array([16, 16, 0]), np.array([16, 0, 0])
    own = budget(hint="outputs/before")
    rounds = World([1.0, 0.0, 0.5]).run(own, hint=hint)
    setting = Setting(0, PassRate().pass_rates_between)
    facts = own.findings(rounds.tally, setting).facts
    assert facts["Hint"].startswith("outputs/before knows 2 of 3 problems")
    assert "Hint" not in budget().findings(rounds.tally, setting).facts


def test_percentile_asks_about_quantiles_of_what_is_known():
    rng = np.random.default_rng(0)
    tally = Tally.empty(["a"] * 5000)
    n = np.full(5000, 32)
    tally = tally.seeing(np.arange(5000), n, rng.binomial(n, rng.random(5000)))
    question = question_of(None, Percentile().pass_rates_between, 64, tally.n, tally.c)
    assert question.cuts == pytest.approx((0.25, 0.5, 0.75), abs=0.03)
    assert question.answer == (3, 2, 1, 0)


def test_cuts_that_no_rollouts_can_tell_from_0_or_1_are_not_asked_about():
    bucketer = PassRate([0.75, 0.5, 0.25, 0], None, False)
    question = question_of(None, bucketer.pass_rates_between, 64, NOTHING, NOTHING)
    assert question.cuts == (0.25, 0.5, 0.75)


def test_where_no_pass_rates_lie_between_the_buckets_a_band_is_the_way_out():
    def nothing(quantile):
        raise UserError("the edges are no pass rates")

    with pytest.raises(UserError, match=r"the edges are no pass rates.*budget.keep=\[0.1,0.9\]"):
        Sequential().check(Setting(0, nothing))
    Sequential(keep=[0.1, 0.9]).check(Setting(0, nothing))


def test_edges_that_no_rollouts_can_tell_from_0_leave_nothing_to_decide():
    setting = Setting(0, lambda quantile: [0.01])
    with pytest.raises(UserError, match=r"nothing to decide.*budget\.cap=64"):
        Sequential(cap=64).check(setting)
    Sequential(cap=128).check(setting)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"first": 0}, "budget.first=0"),
        ({"first": 9, "cap": 8}, "budget.first=9 is more than budget.cap=8"),
        ({"step": 0}, "budget.step=0"),
        ({"cap": 513}, "budget.cap=513"),
        ({"confidence": 0.3}, "budget.confidence=0.3"),
        ({"price": -1}, "budget.price=-1"),
        ({"keep": [0.9, 0.1]}, "two pass rates"),
        ({"keep": [0.1]}, "budget.keep"),
        ({"keep": [0, 0.9]}, "budget.keep.0=0"),
    ],
)
def test_knobs_that_make_no_sense_are_refused(knobs, message):
    with pytest.raises(UserError, match=message):
        typed(Sequential, knobs, "budget")


def test_equal_fixed_is_none_where_no_budget_is_as_sure():
    tally = Tally.empty(["a"] * 10).seeing(np.arange(10), np.full(10, 8), np.full(10, 4))
    question = Question((0.5,), (1, 0))
    assert equal_fixed(tally, question, 1e-6) is None
    assert equal_fixed(tally, question, 0.6) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "decides which rollouts to make"),
        (["generator.path=x.jsonl"], "decides which rollouts to make"),
    ],
)
def test_rollouts_on_disk_are_not_made_in_rounds(run, options, message):
    done = run("budget=sequential", *options)
    assert done.returncode == 1
    assert message in done.stderr and "Traceback" not in done.stderr


RATE = [0.0, 1.0, 0.5, 1.0]


@dataclass(frozen=True)
class UntilItPasses(Budget):
    """Two more rollouts of each problem without a pass, in so many rounds."""

    rounds: int = 3

    def asked(self, tally, setting):
        never = np.flatnonzero((tally.c == 0) & (tally.rounds < self.rounds))
        return [Asked(int(row), int(tally.asked[row]), 2) for row in never]


class Unscored(World):
    def score(self, rollouts):
        raise AssertionError("a fixed budget looks at no reward")


def test_a_fixed_budget_is_one_round_that_waits_for_no_reward():
    world = Unscored(RATE)
    rounds = world.run(Fixed(3))
    assert world.asked == [[Asked(problem, 0, 3) for problem in range(4)]]
    assert rounds.rewards is None
    assert rounds.tally.asked.tolist() == [3] * 4 and rounds.tally.rounds == 1


def test_a_budget_of_ones_own_looks_at_what_came_back():
    world = World(RATE)
    rounds = world.run(UntilItPasses())
    assert rounds.tally.asked.tolist()[:2] == [6, 2] and rounds.tally.asked[3] == 2
    assert world.asked[2][0].first == 4
    assert len(rounds.rewards) == len(rounds.rollouts) == rounds.tally.asked.sum()
    assert rounds.tally.n.tolist() == rounds.tally.asked.tolist()


def test_nothing_to_say_in_the_end_is_the_default():
    setting = Setting(0, lambda quantile: [])
    for budget in (Fixed(), UntilItPasses()):
        budget.check(setting)
        assert budget.findings(Tally.empty(["a"]), setting) is None


def test_shards_that_are_missing_end_the_rounds():
    class Waiting(World):
        def generate(self, asked):
            return None

    assert Waiting(RATE).run(Fixed()) is None


def test_a_budget_that_asks_for_nothing_is_told_so():
    with pytest.raises(UserError, match=r"UntilItPasses.*no rollouts"):
        World(RATE).run(UntilItPasses(rounds=0))
