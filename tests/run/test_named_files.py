"""`python run.py FILE`: what a file is taken as, and what is said where there is none."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum.config.overrides import escaped, value_of
from curriculum.core.errors import UserError
from curriculum.run.named_files import expanded

SOLVED = {"prompt": "1+1", "response": "2", "reward": 1.0}
FAILED = {"prompt": "2+2", "response": "5", "reward": 0.0}
ANSWERED = {"prompt": "1+1", "response": "2", "answer": "2"}
ASKED = {"question": "1+1", "answer": "2"}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes rows into a file, JSONL or parquet, of the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(name, *rows):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(list(rows)), path)
        else:
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    return write


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("row", "option", "said"),
    [
        (SOLVED, "rollouts", "rollouts with their rewards"),
        ({"prompt": "1+1", "responses": ["2", "3"], "rewards": [1, 0]}, "rollouts", "with their"),
        ({"problem": "1+1", "pass_rate": "7/8"}, "rollouts", "with their rewards"),
        ({"input": "1+1", "output": "2", "score": 1, "step": 3}, "rollouts", "with their rewards"),
        (ANSWERED, "rollouts", "rollouts without rewards"),
        (ASKED, "verl", "problems without rollouts"),
        ({"prompt": "1+1", "reward_model": {"ground_truth": "2"}}, "verl", "problems"),
    ],
)
def test_what_a_file_holds_chooses_the_option(write, capsys, suffix, row, option, said):
    write(f"mine.{suffix}", row)
    assert expanded([f"mine.{suffix}"]) == [f"data={option}", f"data.path=mine.{suffix}"]
    told = capsys.readouterr().err
    assert told.startswith(f"mine.{suffix}: ")
    assert said in told
    command = f"python run.py data={option} data.path=mine.{suffix}\n"
    assert told.endswith(command)
    assert told.count("\n") == 1


def test_a_folder_a_glob_and_several_files(write):
    write("a/1.jsonl", SOLVED)
    write("a/2.jsonl", FAILED)
    assert expanded(["a"]) == ["data=rollouts", "data.path=a"]
    assert expanded(["a/*.jsonl"]) == ["data=rollouts", "data.path=a/*.jsonl"]
    assert expanded(["a/1.jsonl", "seed=1", "a/2.jsonl"]) == [
        "data=rollouts",
        "data.path=[a/1.jsonl,a/2.jsonl]",
        "seed=1",
    ]


def test_any_name_of_a_file_is_read(write, run, read_result, tmp_path):
    for name in ("step=100.jsonl", "a,b.jsonl", "${x}.jsonl", "it's one.jsonl"):
        write(name, SOLVED, FAILED)
        assert value_of(expanded([name])[1]) == escaped(name)
    done = run(str(tmp_path / name), "until=metrics")
    assert done.returncode == 0, done.stderr
    assert read_result(tmp_path / "out")["total_problems"] == 2


def test_overrides_flags_and_files_in_any_order(write):
    write("mine.jsonl", SOLVED)
    chosen = ["data=rollouts", "data.path=mine.jsonl"]
    assert expanded(["-m", "seed=1,2", "mine.jsonl", "~a"]) == ["-m", "seed=1,2", *chosen, "~a"]
    assert expanded(["-cn", "mine.jsonl"]) == ["-cn", "mine.jsonl"]


def test_where_columns_have_other_names_the_command_line_says_so(write):
    write("mine.jsonl", {"asked": "1+1", "said": "2", "good": 1})
    with pytest.raises(UserError, match=r"mine\.jsonl has no prompt .*columns: asked, said, good"):
        expanded(["mine.jsonl"])
    columns = "data.columns={prompt: asked, response: said, reward: good}"
    assert expanded(["mine.jsonl", columns])[0] == "data=rollouts"


def test_what_was_chosen_reads_the_file(write):
    write("mine.jsonl", SOLVED)
    asked = ["data=verl", "mine.jsonl"]
    assert expanded(asked) == ["data=verl", "data.path=mine.jsonl"]
    assert expanded(["preset=prepare_stages", "mine.jsonl"])[1:] == ["data.path=mine.jsonl"]
    assert "data=rollouts" in expanded(["preset=filter_difficulty", "mine.jsonl"])
    with pytest.raises(UserError, match="name the data once"):
        expanded(["mine.jsonl", "data.path=other.jsonl"])


def test_what_is_not_there_is_an_error_with_the_nearest_name(write):
    write("rollouts/first.jsonl", SOLVED)
    near = {
        "rollouts/frist.jsonl": "rollouts/first.jsonl",
        "rolouts/first.jsonl": "rollouts/first.jsonl",
        "Rollouts": "rollouts",
        "percentile": "bucketer=percentile",
    }
    for typed, meant in near.items():
        with pytest.raises(UserError, match=f"no file .* did you mean {meant}\\?"):
            expanded([typed])
    with pytest.raises(UserError, match=r"data=huggingface data\.path=openai/gsm8k"):
        expanded(["openai/gsm8k"])


def test_a_folder_of_buckets_and_that_of_another_run(write, tmp_path):
    write("buckets/easy.jsonl", SOLVED)
    (tmp_path / "buckets" / "buckets.json").write_text('{"names": ["easy"]}')
    (tmp_path / "buckets" / "result.json").write_text("{}")
    assert expanded(["buckets"]) == ["data=buckets", "data.path=buckets"]
    write("run/events.jsonl", {"kind": "unlock"})
    (tmp_path / "run" / "result.json").write_text("{}")
    with pytest.raises(UserError, match="run is the folder of a run"):
        expanded(["run"])


@pytest.mark.slow
def test_a_sweep_over_a_file(write, run, tmp_path):
    write("mine.jsonl", *[SOLVED, FAILED] * 3)
    done = run(str(tmp_path / "mine.jsonl"), "-m", "measure.threshold=0.5,1", "until=metrics")
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("out/*/result.json"))) == 2


def test_without_rewards_a_run_says_which_may_be_chosen(write, run, tmp_path):
    write("mine.jsonl", ANSWERED)
    path = str(tmp_path / "mine.jsonl")
    assert "choose one of\n  reward=exact_match" in run(path).stderr
    assert run(path, "reward=exact_match", "until=rewards").returncode == 0
    write("asked.jsonl", ASKED)
    assert "generator=transformers makes some" in run(str(tmp_path / "asked.jsonl")).stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "problems"),
    [("humaneval_codegen16b/long.parquet", 164), ("math_cot_100/math_cot_100.jsonl", 100)],
)
def test_real_rollouts_leave_a_page(run, read_result, test_data, tmp_path, name, problems):
    done = run(str(test_data / name))
    assert done.returncode == 0, done.stderr
    assert read_result(tmp_path / "out")["total_problems"] == problems
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    "name", ["gsm8k/train.jsonl", "math/math500.jsonl", "verl_polaris_eval/aime24.parquet"]
)
def test_real_problems_are_told_from_rollouts(test_data, name):
    assert expanded([str(test_data / name)])[0] == "data=verl"
