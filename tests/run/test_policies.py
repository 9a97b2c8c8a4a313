"""Answers that are none, prompts that are rendered, and a first look: from the command line."""

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from curriculum.run.rendered import Asked, rendered
from curriculum.run.scoring.scoring import answer_of
from curriculum.testing import write_rows

TEMPLATE = "system\nBe brief.\nuser\n{}\nassistant\n"
QUESTIONS = {f"What is {i} + {i}?": str(2 * i) for i in range(1, 7)}


@pytest.fixture
def measured(run, tmp_path):
    """Rows in a file, `c` and `n` of each problem, and what the run said and left."""

    def measured(rows, *overrides, name="a.jsonl"):
        path = write_rows(tmp_path / name, rows)
        done = run("data=rollouts", f"data.path={path}", *overrides)
        assert done.returncode == 0, done.stderr
        table = pd.read_parquet(tmp_path / "out" / "problems.parquet")
        result = json.loads((tmp_path / "out" / "result.json").read_text())
        return table[["c", "n"]].to_numpy().tolist(), done.stdout + done.stderr, result

    return measured


def cut_off(prompt, reward, reason):
    return {"prompt": prompt, "response": "x", "reward": reward, "finish_reason": reason}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("wrong", [[1, 3], [1, 1]]), ("excluded", [[1, 2], [1, 1]]), ("unknown", [[1, 2], [1, 1]])],
)
def test_an_answer_that_was_cut_off_counts_as_the_policy_says(measured, policy, expected, tmp_path):
    reasons = [(1.0, "stop"), (0.0, "stop"), (0.0, "length")]
    rows = [*(cut_off("a", *each) for each in reasons), cut_off("b", 1.0, None)]
    found, said, _ = measured(rows, f"data.truncated={policy}")
    assert found == expected
    assert ("1 answers were cut off: data.truncated=" in said) == (policy != "wrong")
    listed = tmp_path / "out" / "rejects" / "failed_rollouts.parquet"
    assert listed.exists() == (policy == "unknown")
    if policy == "unknown":
        (cause,) = pq.read_table(listed)["cause"].to_pylist()
        assert cause == "cut off by the limit of tokens (data.truncated=unknown)"


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("<think>4?</think>5", "5"),
        ("it may be 4</think> 5", " 5"),
        ("<think>it is 4", ""),
        ("<think>a</think>b<think>c</think>d", "d"),
        ("4", "4"),
    ],
)
def test_an_answer_is_what_follows_the_thoughts(response, answer):
    assert answer_of(response) == answer


def test_a_thought_that_never_ends_has_no_answer(measured):
    rows = [
        {"prompt": "2 + 2", "ground_truth": "4", "response": response}
        for response in ("<think>4", "<think>hm</think>4", "4")
    ]
    scored = ("reward=exact_match", "reward.strip_thinking=true")
    assert measured(rows, *scored)[0] == [[2, 3]]
    assert measured(rows, "reward=exact_match")[0] == [[1, 3]]


def test_a_key_chooses_among_several_rewards(measured):
    rows = [
        {"prompt": "a", "response": "x", "reward": {"score": -1.0, "acc": i % 2}} for i in range(4)
    ]
    assert measured(rows, "reward.key=acc")[0] == [[2, 4]]
    assert measured(rows)[0] == [[0, 4]]


def test_a_first_look_takes_some_problems(measured):
    rows = [
        {"prompt": f"{i}", "response": "x", "reward": float(j > i)}
        for j in range(4)
        for i in range(3)
    ]
    found, said, result = measured(rows, "data.limit=2")
    assert found == [[3, 4], [2, 4]]
    assert "the first of 3 problems are used" in said
    assert (result["counts"]["problems"], result["counts"]["rollouts"]) == (2, 8)


def test_what_was_taken_is_said_and_noted(measured):
    rows = [{"input": "q", "output": str(i), "score": 1.0, "uid": "u", "prompt": "p"} for i in "ab"]
    _, said, result = measured(rows)
    line = "prompt from prompt, response from output, reward from score; not used: input, uid"
    assert line in said and result["problems_took"][0].endswith(line)


def dump(questions, step=1):
    return [
        {
            "input": TEMPLATE.format(question),
            "output": "x",
            "gts": QUESTIONS[question],
            "score": float(i),
            "step": step,
        }
        for question in questions
        for i in range(2)
    ]


def test_a_dump_finds_the_problems_that_it_was_rendered_of(run, tmp_path):
    dumped = write_rows(tmp_path / "1.jsonl", dump(QUESTIONS))
    rows = [
        {"prompt": [{"role": "user", "content": each}], "reward_model": {"ground_truth": truth}}
        for each, truth in QUESTIONS.items()
    ]
    train = write_rows(tmp_path / "train.parquet", rows)
    curriculum = ("preset=curriculum", "export.val_fraction=0")
    done = run("data=verl", f"data.path={train}", f"generator.path={dumped}", *curriculum)
    assert done.returncode == 0, done.stderr
    stages = [pq.read_table(path) for path in (tmp_path / "out").glob("*train.parquet")]
    prompts = {row[0]["content"] for stage in stages for row in stage["prompt"].to_pylist()}
    assert prompts == set(QUESTIONS)
    refused = run("data=rollouts", f"data.path={dumped}", *curriculum)
    assert refused.returncode == 1
    assert "1.jsonl: the prompts of verl's dump have a chat template around" in refused.stderr
    assert run("data=rollouts", f"data.path={dumped}").returncode == 0


def asked(prompt, truth=None):
    return Asked(json.dumps(prompt), None if truth is None else json.dumps(truth))


def test_a_template_is_found_by_what_it_was_put_around():
    ours = [asked([{"role": "user", "content": each}], truth) for each, truth in QUESTIONS.items()]
    ours += [asked("1"), asked("2"), asked("What is 3 + 3?", "7")]
    theirs = [asked(TEMPLATE.format(each), truth) for each, truth in QUESTIONS.items()]
    theirs.append(asked(TEMPLATE.format("What is 9 + 9?"), "18"))
    found = rendered(theirs, ours).tolist()
    assert found == [0, 1, -1, 3, 4, 5, -1], "of two that ask the same neither is meant"
    assert rendered(theirs, []).tolist() == [-1] * 7
    odd = [asked("<u>1</u>"), asked("<u>1? Prove that 2</u>")]
    assert rendered(odd, [asked("1"), asked("3")]).tolist() == [-1, -1], "a guess is no template"
    assert rendered(odd[:1] * 2, [asked("1")]).tolist() == [0, 0]
