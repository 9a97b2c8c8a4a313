"""A verl configuration as overrides of ours: what is taken, what is not, and in which order."""

import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from omegaconf import OmegaConf

from curriculum.config import verl_reward_keys
from curriculum.config.verl_config import expanded, read
from curriculum.core.errors import UserError
from curriculum.rewards import verl

# As verl's ppo_trainer.yaml has it, but for its size.
PPO = {
    "data": {
        "tokenizer": None,
        "train_files": "~/data/rlhf/gsm8k/train.parquet",
        "val_files": "~/data/rlhf/gsm8k/test.parquet",
        "prompt_key": "prompt",
        "reward_fn_key": "data_source",
        "max_prompt_length": 512,
        "filter": {},
    },
    "actor_rollout_ref": {"model": {"path": "${oc.env:NOWHERE_TO_BE_SEEN}"}, "rollout": {"n": 5}},
    "reward_model": {"enable": False},
    "custom_reward_function": {"path": None, "name": "compute_score"},
    "trainer": {"n_gpus_per_node": 8, "logger": ["console", "wandb"]},
}
STRANGE = [
    "plain",
    "two words",
    " leading and trailing ",
    "",
    "a,b",
    "it's",
    "it''s",
    'the "best"',
    "{x:1}",
    "[1, 2]",
    "a=b",
    "a:b",
    "(c)",
    "# no comment",
    "$5 or $HOME",
    "50 %",
    "~/x",
    "*?",
    "\\boxed{(.*?)}",
    "ends in \\",
    "\\\\double\\\\",
    "\\'",
    "'\\",
    "'",
    "line\nbreak\ttab",
    "true",
    "null",
    "1e-3",
    "007",
    "école 数学 🎲",
]


@pytest.fixture
def config(tmp_path):
    """A configuration in a file of its own."""

    def config(values, name="ppo.yaml"):
        path = tmp_path / name
        path.write_text(values if isinstance(values, str) else OmegaConf.to_yaml(values))
        return path

    return config


@pytest.fixture
def ours(composed):
    """What run.py would compose from a command line."""

    def ours(*arguments):
        return composed(*expanded(list(arguments)))

    return ours


def with_reward(path="f.py", place="custom_reward_function", **more):
    own = {"path": str(path), **more}
    block = own if "." not in place else {place.partition(".")[2]: own}
    return {"data": {"train_files": "x.parquet"}, place.partition(".")[0]: block}


def test_what_verl_s_own_file_sets(config):
    found = read(str(config(PPO)), generator="replay")
    assert found.taken == {
        "data.path": "~/data/rlhf/gsm8k/train.parquet",
        "data.prompt_key": "prompt",
        "data.reward_fn_key": "data_source",
    }
    assert sorted(found.ignored) == [
        "actor_rollout_ref.model.path",
        "actor_rollout_ref.rollout.n",
        "custom_reward_function.name",
        "custom_reward_function.path",
        "data.filter",
        "data.max_prompt_length",
        "data.tokenizer",
        "data.val_files",
        "reward_model.enable",
        "trainer.logger",
        "trainer.n_gpus_per_node",
    ]


@pytest.mark.parametrize("place", ["custom_reward_function", "reward.custom_reward_function"])
def test_old_and_new_places_of_a_reward_function(config, ours, place):
    values = with_reward("f.py", place, name="score", reward_kwargs={"strict": True, "k": [1, 2.5]})
    assert read(str(config(values)), generator="replay").ignored == []
    cfg = ours(f"data.verl_config={config(values)}")
    assert cfg.reward._target_ == "curriculum.rewards.Function"
    assert (cfg.reward.path, cfg.reward.name) == ("f.py", "score")
    assert cfg.reward.reward_kwargs == {"strict": True, "k": [1, 2.5]}
    assert cfg.data._target_ == "curriculum.data.Verl"


def test_where_both_places_are_set_the_old_one_counts_whole_as_in_verl(config):
    """verl 0.7.1's migrate_legacy_reward_impl puts the old block in place of the new one."""
    values = with_reward("new.py", "reward.custom_reward_function", name="new")
    values["reward"]["custom_reward_function"]["reward_kwargs"] = {"new": 1}
    values |= with_reward("old.py", "custom_reward_function", name="old")
    found = read(str(config(values)), generator="replay")
    assert (found.taken["reward.path"], found.taken["reward.name"]) == ("old.py", "old")
    assert "reward.reward_kwargs" not in found.taken
    assert set(found.ignored) == {
        "reward.custom_reward_function.path",
        "reward.custom_reward_function.name",
        "reward.custom_reward_function.reward_kwargs.new",
    }


def test_an_empty_new_place_leaves_the_old_one(config):
    values = with_reward("old.py", "custom_reward_function", name="old")
    values["reward"] = {"custom_reward_function": {"path": None, "name": None}}
    found = read(str(config(values)), generator="replay")
    assert (found.taken["reward.path"], found.taken["reward.name"]) == ("old.py", "old")


def test_a_new_place_without_a_path_does_not_name_the_old_one_s_function(config):
    """verl 0.7.1 has `name: compute_score` in both places, whatever a user sets in the old one."""
    values = with_reward("old.py", "custom_reward_function", name="my_score")
    values["reward"] = {"custom_reward_function": {"path": None, "name": "compute_score"}}
    assert read(str(config(values)), generator="replay").taken["reward.name"] == "my_score"


def test_lists_of_training_files(config, ours):
    files = ["/a/b c.parquet", "/d,e.parquet", "s3://f/*.parquet"]
    cfg = ours(f"data.verl_config={config({'data': {'train_files': files}})}")
    assert cfg.data.path == files


def test_keys_of_a_difficulty_filtering_config(config, ours):
    text = """
    model: {path: /m}
    data: {path: /x.parquet, train_files: /y.parquet, prompt_key: q}
    reward_model: {reward_manager: naive}
    output_dir: ./difficulty_results
    bucketing_strategy: adaptive
    """
    path = config(text)
    # naive is the default of all of verl's files: it does not ask for verl's rewards.
    naive = "reward_model.reward_manager"
    assert read(str(path), generator="replay").ignored == ["model.path", "data.train_files", naive]
    cfg = ours(f"data.verl_config={path}")
    assert (cfg.data.path, cfg.data.prompt_key) == ("/x.parquet", "q")
    assert cfg.output_dir == "./difficulty_results"
    assert cfg.bucketer._target_ == "curriculum.bucketers.Adaptive"
    assert cfg.reward._target_ == "curriculum.rewards.Auto"


OVERLONG = {"enable": True, "len": 4, "penalty_factor": 1.0, "log": False}
KWARGS = {"max_resp_len": "${data.max_response_length}", "overlong_buffer_cfg": OVERLONG}
# How each verl says it: the keys of its own file, defaults that are not asked for among them.
UP_TO_061 = {"reward_model": {"enable": False, "reward_manager": "dapo", "reward_kwargs": KWARGS}}
OF_070 = {
    "reward_manager": {"source": "register", "name": "dapo", "module": {"path": None}},
    "reward_model": {
        "enable": False,
        "reward_manager": "naive",
        "reward_loop_source": "register",
        "reward_kwargs": KWARGS,
    },
}
OF_070_BY_ITS_OLD_KEY = {
    "reward_manager": {"source": "register", "name": "${oc.select:reward_model.reward_manager,x}"},
    "reward_model": {"reward_manager": "dapo", "reward_kwargs": KWARGS},
}
FROM_071 = {
    "reward_model": {"enable": None, "reward_manager": None, "reward_loop_source": None},
    "custom_reward_function": {"path": None, "name": None},
    "reward": {
        "custom_reward_function": {"path": None, "name": "compute_score"},
        "reward_manager": {"source": "register", "name": "dapo", "module": {"path": None}},
        "reward_model": {"enable": False},
        "reward_kwargs": KWARGS,
    },
}
FROM_071_BY_ITS_OLD_KEYS = {
    "reward_model": {"reward_manager": "dapo", "reward_kwargs": KWARGS},
    "reward": {
        "reward_manager": {"source": "register", "name": "naive"},
        "reward_kwargs": {"other": 1},
    },
}
AGES = [UP_TO_061, OF_070, OF_070_BY_ITS_OLD_KEY, FROM_071, FROM_071_BY_ITS_OLD_KEYS]
FILES = {"data": {"train_files": "x.parquet", "max_response_length": 16}}


@pytest.mark.parametrize("values", AGES, ids=["0.6.1", "0.7.0", "0.7.0 old", "0.7.1", "0.7.1 old"])
def test_the_reward_manager_of_every_age(config, ours, values):
    cfg = ours(f"data.verl_config={config(FILES | values)}")
    assert cfg.reward._target_ == "curriculum.rewards.Verl"
    assert cfg.reward.manager == "dapo"
    assert cfg.reward.reward_kwargs == {"max_resp_len": 16, "overlong_buffer_cfg": OVERLONG}
    assert cfg.reward.path is None


@pytest.mark.parametrize("place", ["custom_reward_function", "reward.custom_reward_function"])
def test_a_function_goes_with_a_manager_that_adds_to_it(config, ours, place):
    values = with_reward("f.py", place, name="mine", reward_kwargs={"k": 1}) | FILES
    values["reward_model"] = {"reward_manager": "batch", "reward_kwargs": {"k": 2}}
    cfg = ours(f"data.verl_config={config(values)}")
    assert (cfg.reward._target_, cfg.reward.manager) == ("curriculum.rewards.Verl", "batch")
    assert (cfg.reward.path, cfg.reward.name) == ("f.py", "mine")
    assert (cfg.reward.function_kwargs, cfg.reward.reward_kwargs) == ({"k": 1}, {"k": 2})


def test_naive_adds_nothing_to_a_function_so_verl_is_not_needed(config, ours):
    values = with_reward("f.py", name="mine", reward_kwargs={"k": 1})
    values["reward_model"] = {"reward_manager": "naive", "reward_kwargs": {"k": 2}}
    path = config(values)
    cfg = ours(f"data.verl_config={path}")
    assert cfg.reward._target_ == "curriculum.rewards.Function"
    assert (cfg.reward.name, cfg.reward.reward_kwargs) == ("mine", {"k": 1})
    cfg = ours(f"data.verl_config={path}", "reward=verl")
    assert (cfg.reward.manager, cfg.reward.name) == ("naive", "mine")
    assert (cfg.reward.function_kwargs, cfg.reward.reward_kwargs) == ({"k": 1}, {"k": 2})


def test_the_command_line_chooses_between_function_and_manager(config, ours):
    values = with_reward("f.py", name="mine") | UP_TO_061
    values["data"] = FILES["data"]
    path = config(values)
    cfg = ours(f"data.verl_config={path}", "reward=function")
    assert (cfg.reward._target_, cfg.reward.path) == ("curriculum.rewards.Function", "f.py")
    assert cfg.reward.reward_kwargs is None
    cfg = ours(f"data.verl_config={path}", "reward=math_verify")
    assert cfg.reward._target_ == "curriculum.rewards.MathVerify"
    cfg = ours(f"data.verl_config={path}", "reward.manager=prime", "reward.key=score")
    assert (cfg.reward.manager, cfg.reward.key, cfg.reward.path) == ("prime", "score", "f.py")


@pytest.mark.parametrize(
    ("values", "ignored", "note"),
    [
        (
            {"reward_model": {"reward_manager": "gdpo"}},
            ["reward_model.reward_manager"],
            "reward_model.reward_manager=gdpo is ignored: reward=verl has naive, dapo, batch, pri",
        ),
        (
            {"reward": {"reward_manager": {"source": "importlib", "name": "dapo"}}},
            ["reward.reward_manager.source", "reward.reward_manager.name"],
            "reward.reward_manager.name=dapo is ignored: reward=verl has naive, dapo, batch, pri",
        ),
        (
            {"reward_model": {"reward_manager": "dapo", "enable": True}},
            ["reward_model.reward_manager", "reward_model.enable"],
            "=dapo is ignored for the model of reward_model.enable=true: see reward=reward_model",
        ),
    ],
    ids=["unknown", "a file's", "a model"],
)
def test_managers_that_can_not_be_had_are_ignored_and_told(
    run, config, read_result, tmp_path, values, ignored, note
):
    path = config({"data": {"prompt_key": "prompt"}} | values)
    done = run(f"data.verl_config={path}", "data=demo")
    assert done.returncode == 0, done.stderr
    assert f"{path}: " in done.stderr and note in done.stderr
    result = read_result(tmp_path / "out")
    assert result["verl_config"]["ignored"] == ignored
    assert result["choices"]["reward"] == "auto"


def test_a_function_counts_under_a_manager_that_is_unknown(config, ours):
    values = with_reward("f.py") | {"reward_model": {"reward_manager": "mine", "enable": True}}
    cfg = ours(f"data.verl_config={config(values)}")
    assert (cfg.reward._target_, cfg.reward.path) == ("curriculum.rewards.Function", "f.py")


def test_interpolations_are_resolved(config, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    text = """
    root: ${oc.env:HOME}/data
    data: {train_files: ["${root}/a.parquet", "${root}/b.parquet"], prompt_key: "${names.key}"}
    names: {key: question}
    custom_reward_function: {path: "${oc.env:HOME}/f.py", reward_kwargs: {root: "${root}"}}
    """
    assert read(str(config(text)), generator="replay").taken == {
        "data.path": ["/home/me/data/a.parquet", "/home/me/data/b.parquet"],
        "data.prompt_key": "question",
        "reward.path": "/home/me/f.py",
        "reward.reward_kwargs": {"root": "/home/me/data"},
    }


def test_what_is_missing_in_verl_s_config_is_not_set(config):
    found = read(
        str(config("data:\n  train_files: x\n  prompt_key: ???\n  reward_fn_key:")),
        generator="replay",
    )
    assert found.taken == {"data.path": "x"}


def test_parts_of_a_defaults_list_that_lie_beside_it(config, tmp_path, ours):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "legacy.yaml").write_text("train_files: x.parquet\nprompt_key: text\n")
    (tmp_path / "rewards.yaml").write_text("custom_reward_function: {path: f.py, name: mine}\n")
    path = config("defaults: [rewards, data: legacy, _self_]\ndata: {prompt_key: own}\n")
    found = read(str(path), generator="replay")
    assert found.taken == {
        "data.path": "x.parquet",
        "data.prompt_key": "own",
        "reward.path": "f.py",
        "reward.name": "mine",
    }
    assert not any("defaults" in key for key in found.ignored)
    assert ours(f"data.verl_config={path}").reward.name == "mine"


@pytest.mark.parametrize("name", ["ppo.yaml", "ppo.v2.yaml", "ppo.yml", "p,p o.yaml"])
def test_parts_that_are_elsewhere_are_told(config, caplog, name):
    path = config("defaults: [ppo_trainer, _self_]\ndata: {train_files: x.parquet}\n", name)
    with caplog.at_level(logging.WARNING):
        found = read(str(path), generator="replay")
    assert found.taken == {"data.path": "x.parquet"}
    assert "its defaults list is not followed" in caplog.text
    assert str(path) in caplog.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: {train_files: [", "can't be read as YAML"),
        ("- a\n- b\n", "holds no mapping"),
        ("just words", "sets none of data.path"),
        ("", "sets none of data.path"),
        ("trainer: {nnodes: 1}", "sets none of data.path"),
        ("custom_reward_function: {path: null, name: compute_score}", "sets none of"),
        ("data: {train_files: '${nowhere}/x'}", "data.train_files can't be resolved"),
        ("data: {train_files: '${oc.env:NOT_SET_AT_ALL}'}", "data.train_files can't be resolved"),
        ("data: 5", "sets none of"),
    ],
)
def test_files_of_no_use_are_explained(config, text, words):
    path = config(text)
    with pytest.raises(UserError, match=words) as error:
        expanded([f"data.verl_config={path}"])
    assert f"data.verl_config={path}" in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"data\.verl_config=.*nowhere\.yaml: there is no such"):
        expanded([f"data.verl_config={tmp_path}/nowhere.yaml"])
    with pytest.raises(UserError, match="there is no such file"):
        expanded([f"data.verl_config={tmp_path}"])


def test_binary_files_are_explained(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "train.parquet")
    with pytest.raises(UserError, match="can't be read as YAML"):
        expanded([f"data.verl_config={tmp_path}/train.parquet"])


def test_strange_characters_arrive_as_they_are(config, ours):
    kwargs = {"texts": STRANGE, "deep": [{"text": text} for text in STRANGE]}
    values = with_reward(f"/tmp/{''.join(STRANGE)}.py", name="f", reward_kwargs=kwargs)
    values["data"]["train_files"] = [f"/tmp/{text}.parquet" for text in STRANGE]
    cfg = ours(f"data.verl_config={config(values)}")
    assert cfg.data.path == values["data"]["train_files"]
    assert cfg.reward.path == values["custom_reward_function"]["path"]
    assert cfg.reward.reward_kwargs == kwargs


@pytest.mark.parametrize("text", ["it's, {a} $path\\", "'", "\\'", " x ", "true", "{a:1}", "[a,b]"])
def test_strange_paths_arrive_as_they_are(config, ours, text):
    values = with_reward(text) | {"output_dir": text}
    values["data"]["train_files"] = text
    cfg = ours(f"data.verl_config={config(values)}")
    assert (cfg.data.path, cfg.reward.path, cfg.output_dir) == (text, text, text)


def test_values_keep_their_type(config, ours):
    numbers = [0, -3, 1.5, 1e-05, 1e30, float("inf")]
    wanted: list[Any] = [None, True, False, *numbers, [], {}, [[1], [None]], "1"]
    found = ours(f"data.verl_config={config(with_reward(reward_kwargs={'x': wanted}))}")
    values = OmegaConf.to_object(found.reward.reward_kwargs.x)
    assert isinstance(values, list)
    assert values == wanted
    assert list(map(type, values)) == list(map(type, wanted))


def test_keys_inside_of_keyword_arguments_keep_their_text(config, ours):
    """Weights by data source, for instance: names of datasets have slashes and more."""
    keys = ["my-key", "openai/gsm8k", "two words", "a.b", "a|b", "$x", "100%", "v1", "a_b"]
    weights = dict.fromkeys(keys, 2)
    cfg = ours(f"data.verl_config={config(with_reward(reward_kwargs={'weights': weights}))}")
    assert cfg.reward.reward_kwargs.weights == weights


@pytest.mark.parametrize("key", ["a:b", "a,b", "{x}", "it's", "ñ", "1"])
def test_keys_that_a_command_line_can_not_say_are_kept_or_refused(config, ours, key):
    path = config(with_reward(reward_kwargs={"weights": {key: 2}}))
    try:
        cfg = ours(f"data.verl_config={path}")
    except UserError as error:
        assert "reward_kwargs" in str(error)
    else:
        assert cfg.reward.reward_kwargs.weights == {key: 2}


def test_a_literal_dollar_and_brace_stays_one(config, ours):
    text = "data: {train_files: x}\ncustom_reward_function: {path: f, reward_kwargs: {t: '\\${x}'}}"
    assert read(str(config(text)), generator="replay").taken["reward.reward_kwargs"] == {
        "t": "${x}"
    }
    cfg = ours(f"data.verl_config={config(text)}")
    assert cfg.reward.reward_kwargs.t == "${x}"


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("a=b.yaml", "data.verl_config='{}'"),
        ("a b.yaml", "data.verl_config='{}'"),
        ("a,b.yaml", "data.verl_config='{}'"),
        ("a,b.yaml", 'data.verl_config="{}"'),
        ("a.yaml", "++data.verl_config={}"),
    ],
)
def test_paths_of_the_file_itself(config, ours, name, argument):
    path = config({"data": {"train_files": "x"}}, name)
    cfg = ours(argument.format(path))
    assert cfg.data.path == "x"
    assert cfg.data.verl_config == str(path)


def test_the_command_line_counts(config, ours):
    values = with_reward(name="theirs", reward_kwargs={"a": 1})
    values["data"]["prompt_key"] = "theirs"
    values |= {"bucketing_strategy": "adaptive", "output_dir": "theirs"}
    path = config(values)
    for arguments in (
        (f"data.verl_config={path}", "data.path=mine", "reward.name=mine", "output_dir=mine"),
        ("data.path=mine", "reward.name=mine", "output_dir=mine", f"data.verl_config={path}"),
    ):
        cfg = ours(*arguments, "bucketer=pass_rate")
        assert (cfg.data.path, cfg.data.prompt_key) == ("mine", "theirs")
        assert (cfg.reward.path, cfg.reward.name) == ("f.py", "mine")
        assert cfg.reward.reward_kwargs == {"a": 1}
        assert cfg.output_dir == "mine"
        assert cfg.bucketer._target_ == "curriculum.bucketers.PassRate"


def test_other_options_than_its_own_take_only_what_they_know(config, ours):
    values = with_reward(name="theirs")
    values["data"]["prompt_key"] = "theirs"
    cfg = ours(f"data.verl_config={config(values)}", "data=demo", "reward=exact_match")
    assert cfg.data._target_ == "curriculum.data.Demo"
    assert cfg.data.prompt_key == "theirs"
    assert cfg.reward._target_ == "curriculum.rewards.ExactMatch"
    assert "path" not in cfg.reward

    cfg = ours(f"data.verl_config={config(values)}", "data=rollouts", "data.path=mine")
    assert cfg.data.path == "mine"
    assert (cfg.reward.path, cfg.reward.name) == ("f.py", "theirs")


def test_keys_without_a_path_leave_the_data_as_it_is(config, ours):
    cfg = ours(f"data.verl_config={config({'data': {'prompt_key': 'q', 'batch_size': 4}})}")
    assert cfg.data._target_ == "curriculum.data.Demo"
    assert cfg.data.prompt_key == "q"


def test_with_a_preset(config, ours):
    path = config({"data": {"train_files": "x"}, "bucketing_strategy": "mean_reward"})
    cfg = ours("preset=filter_difficulty", f"data.verl_config={path}")
    assert cfg.data._target_ == "curriculum.data.Verl"
    assert cfg.data.path == "x"
    assert cfg.measure.scale == 100
    assert cfg.bucketer._target_ == "curriculum.bucketers.MeanReward"
    assert cfg.bucketer.names == ["easy", "medium", "hard", "very_hard"]


def test_a_command_line_without_it_is_left_alone():
    arguments = ["-m", "bucketer=a,b", "data=rollouts", "data.path='x=y'"]
    assert expanded(arguments) == arguments


FUNCTION = """
def score(data_source, solution_str, ground_truth, extra_info=None, *, right, wrong="0", none=1):
    assert none is None
    return float(right) if solution_str == ground_truth else float(wrong)
"""


@pytest.fixture
def training(tmp_path):
    """Problems, rollouts without rewards, a reward function, all with odd names, and the config."""
    folder = tmp_path / "it's a, {folder}"
    folder.mkdir()
    problems = [
        {
            "data_source": "mine",
            "question": [{"role": "user", "content": f"question {i}"}],
            "reward_model": {"style": "rule", "ground_truth": str(i)},
            "extra_info": {"index": i},
        }
        for i in range(8)
    ]
    for part in (0, 1):
        pd.DataFrame(problems[part::2]).to_parquet(folder / f"{part}.parquet")
    rollouts = [
        {"question": f"question {i}", "response": str(i) if j < i else "?", "data_idx": i}
        for i in range(8)
        for j in range(7)
    ]
    pd.DataFrame(rollouts).to_parquet(tmp_path / "rollouts.parquet")
    (folder / "my reward.py").write_text(FUNCTION)
    values = {
        "data": {
            "train_files": [str(folder / "0.parquet"), str(folder / "1.parquet")],
            "prompt_key": "question",
            "reward_fn_key": "data_source",
            "max_prompt_length": 512,
        },
        "custom_reward_function": {
            "path": str(folder / "my reward.py"),
            "name": "score",
            "reward_kwargs": {"right": 0.75, "wrong": "-0.25", "none": None},
        },
        "trainer": {"project_name": "${oc.env:NOT_SET_AT_ALL}"},
    }
    path = folder / "ppo, mine.yaml"
    path.write_text(OmegaConf.to_yaml(values))
    return tmp_path, path, values


def means(folder):
    table = pd.read_parquet(folder / "difficulty_metrics_percentile.parquet")
    return sorted(round(mean, 9) for mean in table["mean_reward"])


EXPECTED = [round((0.75 * i - 0.25 * (7 - i)) / 7, 9) for i in range(8)]


def quoted(path):
    return "'" + str(path).replace("'", "\\'") + "'"


def test_a_run_that_reads_problems_and_reward_through_it(run, training, read_result):
    folder, path, values = training
    plain = folder / "ppo.yaml"
    plain.write_bytes(Path(path).read_bytes())
    done = run(
        "preset=filter_difficulty",
        f"data.verl_config={plain}",
        f"generator.path={folder}/rollouts.parquet",
    )
    assert done.returncode == 0, done.stderr
    assert means(folder / "out") == EXPECTED
    result = read_result(folder / "out")
    assert result["reward"] == "Function"
    assert result["verl_config"] == {
        "file": str(plain),
        "taken": {
            "data.path": values["data"]["train_files"],
            "data.prompt_key": "question",
            "data.reward_fn_key": "data_source",
            "reward.path": values["custom_reward_function"]["path"],
            "reward.name": "score",
            "reward.reward_kwargs": {"right": 0.75, "wrong": "-0.25", "none": None},
        },
        "ignored": ["data.max_prompt_length", "trainer.project_name"],
    }
    assert f"{plain}: taken: data.path=" in done.stderr
    assert f"{plain}: ignored, see result.json: data 1, trainer 1" in done.stderr


@pytest.mark.slow
def test_a_sweep_of_it(run, training, read_result):
    folder, path, values = training
    plain = folder / "ppo.yaml"
    plain.write_bytes(Path(path).read_bytes())
    done = run(
        "-m",
        "preset=filter_difficulty",
        f"data.verl_config={plain}",
        f"generator.path={folder}/rollouts.parquet",
        "bucketer=percentile,pass_rate",
        "data.reward_fn_key=reward_model",
    )
    assert done.returncode == 0, done.stderr
    assert means(folder / "out" / "0") == EXPECTED
    for job in ("0", "1"):
        result = read_result(folder / "out" / job)
        assert result["verl_config"]["taken"] == {
            "data.path": values["data"]["train_files"],
            "data.prompt_key": "question",
            "reward.path": values["custom_reward_function"]["path"],
            "reward.name": "score",
            "reward.reward_kwargs": {"right": 0.75, "wrong": "-0.25", "none": None},
        }
        assert "trainer.project_name" in result["verl_config"]["ignored"]


def test_what_the_command_line_sets_is_not_said_to_be_taken(run, config, read_result, tmp_path):
    path = config({"data": {"train_files": "x", "prompt_key": "prompt"}, "output_dir": "theirs"})
    done = run(f"data.verl_config={path}", "data=demo")
    assert done.returncode == 0, done.stderr
    assert read_result(tmp_path / "out")["verl_config"]["taken"] == {"data.prompt_key": "prompt"}
    assert (tmp_path / "out" / "problems.parquet").exists()


def test_a_mistake_in_it_is_an_error_without_a_traceback(run, config, tmp_path):
    done = run(f"data.verl_config={config('trainer: {nnodes: 1}')}")
    assert done.returncode == 1
    assert done.stderr.startswith("error: data.verl_config=")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_in_a_file_of_the_user_it_comes_too_late(run, tmp_path, config):
    path = config({"data": {"train_files": "x"}})
    (tmp_path / "my.yaml").write_text(
        f"defaults: [config, _self_]\ndata: {{verl_config: {json.dumps(str(path))}}}\n"
    )
    done = run("--config-dir", str(tmp_path), "--config-name", "my")
    assert done.returncode == 1
    assert "data.verl_config is read from the command line only" in done.stderr


def test_a_path_with_quotes_in_it(ours, training):
    _, path, values = training
    cfg = ours(f"data.verl_config={quoted(path)}")
    assert cfg.data.path == values["data"]["train_files"]
    assert cfg.data.verl_config == str(path)


@pytest.mark.parametrize(
    ("generator", "has", "has_not"),
    [
        ("transformers", ["max_prompt_length", "do_sample", "use_shm"], []),
        ("vllm", ["max_prompt_length", "temperature", "use_shm"], ["do_sample"]),
        (
            "openai",
            ["temperature", "max_new_tokens"],
            ["max_prompt_length", "do_sample", "use_shm"],
        ),
    ],
)
def test_a_generator_takes_what_it_has_a_key_for(config, generator, has, has_not):
    rollout = {"temperature": 0.7, "do_sample": True}
    actor = {"rollout": rollout, "model": {"use_shm": True}}
    values = {
        "data": {"train_files": "x.parquet", "max_prompt_length": 8, "max_response_length": 9}
    }
    found = read(str(config({**values, "actor_rollout_ref": actor})), generator=generator)
    keys = {key.removeprefix("generator.") for key in found.taken}
    assert set(has) <= keys and not set(has_not) & keys
    assert len(found.ignored) == len(has_not)


def test_the_managers_that_a_configuration_may_name_are_those_of_the_reward():
    assert verl_reward_keys.MANAGERS == verl.MANAGERS
