"""`reward=instruction_following`: rows worked out by hand, and recorded verdicts of IFEval."""

import json
from importlib.util import find_spec

import pandas as pd
import pyarrow.parquet as pq
import pytest

from curriculum.core.errors import UserError
from curriculum.rewards import InstructionFollowing

needs_library = pytest.mark.skipif(
    find_spec("lm_eval") is None, reason="lm-eval is not installed (extra: ifeval)"
)
NO_COMMA_AND_TITLE = {
    "instruction_id_list": ["punctuation:no_comma", "detectable_format:title"],
    "kwargs": [{}, {}],
}
TWO_WORDS = {"relation": "at least", "num_words": 2}
FILLED = {"num_words": None, "relation": None, "letter": None}  # as datasets fills structs
LETTERS = {"let_relation": "at least", "let_frequency": 1}
FAILURES = {
    "an unknown instruction": (["letters:no_e"], [{}], "no check for: letters:no_e"),
    "an argument is missing": (
        *(["length_constraints:number_words"], [{"relation": "at least"}]),
        "draws what it lacks at random",
    ),
    "not a letter": (
        *(["keywords:letter_frequency"], [LETTERS | {"letter": "#"}]),
        "draws what it lacks at random",
    ),
    "arguments of one of two": (["punctuation:no_comma"] * 2, [{}], "should be"),
    "no instruction": ([], [], "should be"),
}


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """A sentence model without training, as nltk keeps it: no download, and rules alone."""
    folder = tmp_path_factory.mktemp("nltk_data")
    english = folder / "tokenizers" / "punkt_tab" / "english"
    english.mkdir(parents=True)
    for name in ("abbrev_types.txt", "sent_starters.txt", "collocations.tab", "ortho_context.tab"):
        (english / name).touch()
    return str(folder)


@pytest.fixture
def scored(run, tmp_path, sentences):
    """Rewards of (ground truth, response), and the causes of failures, in their order."""

    def scored(rows, *options):
        table = [
            {"prompt": f"question {i}", "response": response, "ground_truth": ground_truth}
            for i, (ground_truth, response) in enumerate(rows)
        ]
        path = tmp_path / "rollouts.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in table))
        done = run(
            *("preset=analyze_rollouts", "reward=instruction_following", "metric=mean_reward"),
            *(f"data.path={path}", *options),
            NLTK_DATA=sentences,
        )
        assert done.returncode == 0, done.stderr
        rewards = pd.read_parquet(tmp_path / "out" / "rollouts_with_rewards.parquet")["reward"]
        failed = tmp_path / "out" / "rejects" / "failed_rollouts.parquet"
        causes = pd.read_parquet(failed)["cause"].tolist() if failed.exists() else []
        return rewards.tolist(), causes

    return scored


@needs_library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [1.0, 0.0, 0.0, 0.0]),
        (["reward.loose=true"], [1.0, 0.0, 0.0, 1.0]),
        (["reward.partial=true"], [1.0, 0.5, 0.0, 0.5]),
    ],
    ids=["strict", "loose", "partial"],
)
def test_all_the_instructions_must_be_followed(scored, options, expected):
    responses = ["<<Rain>>\nRain.", "Rain.", "Rain, yes.", "Sure, here:\n<<Rain>>\nRain."]
    rows = [(NO_COMMA_AND_TITLE, response) for response in responses]
    assert scored(rows, *options)[0] == expected


@needs_library
def test_every_form_of_the_ground_truth(scored):
    names, kwargs = ["length_constraints:number_words", "punctuation:no_comma"], [TWO_WORDS, {}]
    whole = {"instruction_id_list": names, "kwargs": kwargs}
    forms = [
        whole,
        [whole],
        [{"instruction_id_list": [n], "kwargs": [k]} for n, k in zip(names, kwargs, strict=True)],
        json.dumps(whole),
        str([{"instruction_id": names, "kwargs": [TWO_WORDS, None]}]),
        {"instruction_id_list": names, "kwargs": [FILLED | TWO_WORDS, FILLED]},
    ]
    rows = [(form, response) for form in forms for response in ("two words", "word", "two, words")]
    assert scored(rows) == ([1.0, 0.0, 0.0] * len(forms), [])


@needs_library
def test_what_can_t_be_checked_is_a_failure_with_its_cause(scored):
    rows: list[tuple[object, str]] = [(NO_COMMA_AND_TITLE, "<<Rain>>")]
    for names, kwargs, _ in FAILURES.values():
        rows.append(({"instruction_id_list": names, "kwargs": kwargs}, "words"))
    rows.append(("42", "42"))
    _, causes = scored(rows)
    for cause, expected in zip(causes, [*FAILURES.values(), ("should be",)], strict=True):
        assert expected[-1] in cause


@needs_library
@pytest.mark.slow
def test_recorded_verdicts_of_ifeval(run, tmp_path, test_data, sentences):
    lines = (test_data / "ifeval" / "en_input_data.jsonl").read_text().splitlines()
    truths = {
        f"ifeval-en-{line['key']}": {
            "instruction_id_list": [each.removeprefix("en:") for each in names],
            "kwargs": line["kwargs"],
        }
        for line in map(json.loads, lines)
        for names in [line["instruction_id_list"]]
    }
    rows = pd.read_parquet(test_data / "ifeval" / "long_en.parquet")
    table = rows[["prompt", "response", "problem_id", "model"]].rename(columns={"model": "system"})
    table["recorded"] = rows["reward"]
    table["original_ground_truth"] = rows["problem_id"].map(truths)
    table.to_parquet(tmp_path / "ifeval.parquet")
    done = run(
        *("preset=analyze_rollouts", "reward=instruction_following", "metric=mean_reward"),
        f"data.path={tmp_path}/ifeval.parquet",
        NLTK_DATA=sentences,
    )
    assert done.returncode == 0, done.stderr
    path = tmp_path / "out" / "rollouts_with_rewards.parquet"
    columns = ["problem_id", "response", "recorded", "reward"]
    scored = pq.read_table(path, columns=columns).to_pandas(ignore_metadata=True)
    assert len(scored) == 9197
    # Two prompts ask for # and !, in whose place the checks count a letter drawn at random.
    not_letters = scored["problem_id"].isin(["ifeval-en-1122", "ifeval-en-1129"])
    assert (scored["reward"].isna() == (scored["response"].isna() | not_letters)).all()
    # The others differ by the untrained sentence model, or by langdetect, which was not seeded.
    scored = scored.dropna(subset="reward")
    assert (scored["reward"] == scored["recorded"]).mean() > 0.998


@needs_library
def test_without_a_sentence_model_the_run_says_how_to_get_it(run, tmp_path):
    row = {"prompt": "q", "response": "r", "ground_truth": NO_COMMA_AND_TITLE}
    (tmp_path / "rollouts.jsonl").write_text(json.dumps(row))
    done = run(
        *("data=rollouts", f"data.path={tmp_path}/rollouts.jsonl", "reward=instruction_following"),
        NLTK_DATA=str(tmp_path),
        HOME=str(tmp_path),
    )
    assert done.returncode == 1
    assert "python -m nltk.downloader punkt_tab" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(find_spec("lm_eval") is not None, reason="lm-eval is installed")
def test_without_the_library_the_extra_is_named():
    with pytest.raises(UserError, match=r"pip install -e '\.\[ifeval\]'"):
        InstructionFollowing(loose=False, partial=False)
