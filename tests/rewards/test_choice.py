"""Which reward a run uses, and what the simple ones give."""

from functools import partial

import pytest

from curriculum.core.errors import UserError
from curriculum.core.records import Sample
from curriculum.rewards import Auto, ExactMatch, ReasoningGym, Recorded
from curriculum.testing import check_reward


def sample(response, ground_truth):
    return Sample("test", "question", response, ground_truth, None)


@pytest.mark.parametrize(
    ("recorded", "sources", "chosen"),
    [
        (True, ["openai/gsm8k"], Recorded),
        (True, ["reasoning_gym/chain_sum"], Recorded),
        (False, ["reasoning_gym/chain_sum", "reasoning_gym/spell_backward"], ExactMatch),
    ],
)
def test_auto_takes_recorded_rewards_else_the_verifier_of_the_source(recorded, sources, chosen):
    assert Auto().choose(recorded, sources) == chosen()


def test_auto_takes_the_scorers_of_reasoning_gym_for_its_other_tasks():
    pytest.importorskip("reasoning_gym", reason="reasoning-gym is not installed")
    for sources in (["reasoning_gym/sudoku"], ["reasoning_gym/sudoku", "reasoning_gym/gcd"]):
        assert Auto().choose(False, sources) == ReasoningGym(partial=False)
        assert Auto().choose(True, sources) == Recorded()


@pytest.mark.parametrize("sources", [["openai/gsm8k"], ["reasoning_gym/sudoku", "mine"]])
def test_auto_names_the_choices_where_there_is_no_reward(sources):
    with pytest.raises(UserError) as caught:
        Auto().choose(False, sources)
    others = ("math_verify", "instruction_following", "reward_model", "verl")
    for choice in ("exact_match", "function", *others):
        assert f"reward={choice}" in str(caught.value)
    assert "pip install -e '.[verl]'" in str(caught.value)


@pytest.mark.parametrize(
    ("response", "ground_truth", "reward"),
    [
        ("42", "42", 1.0),
        (" 42\n", "42", 1.0),
        ("42", 42, 1.0),
        ("42.", "42", 0.0),
        ("Yes", "yes", 0.0),
        ("", "42", 0.0),
    ],
)
def test_exact_match_forgives_nothing_but_white_space_around_it(response, ground_truth, reward):
    assert ExactMatch().score([sample(response, ground_truth)]) == [reward]


def test_exact_match_keeps_the_contract_of_rewards():
    check_reward(partial(ExactMatch), [sample("1", "1"), sample("1", "2"), sample("", "")])


def test_recorded_rewards_are_not_computed():
    with pytest.raises(UserError, match="not computed"):
        Recorded().score([sample("1", "1")])
