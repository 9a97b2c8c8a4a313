"""What the old scripts took, given to run.py: the new form is in the message."""

import json

import pytest

from curriculum.config.legacy import SAME, TABLES, check_arguments, check_config
from curriculum.core.errors import UserError

ENTRIES = [(script, old, new) for script, table in TABLES.items() for old, new in table.items()]
OLD = [each for each in ENTRIES if each[2] != SAME]
# What stands in the descriptions of the scripts.
MENTIONED = {
    "filter_difficulty.py": [
        *("model.path", "model.use_shm", "data.path", "data.batch_size", "data.prompt_key"),
        *("data.max_prompt_length", "data.truncation", "data.trust_remote_code"),
        *("data.reward_fn_key", "generation.max_new_tokens", "generation.temperature"),
        *("generation.top_p", "generation.do_sample", "reward_model.enable"),
        *("reward_model.reward_manager", "reward_model.reward_kwargs", "output_dir"),
        *("num_samples", "bucketing_strategy", "custom_reward_function.path"),
        *("custom_reward_function.name", "custom_reward_function.reward_kwargs"),
    ],
    "bucket_rollouts_by_difficulty.py": [
        *("-i", "--input-dir", "-o", "--output-dir", "-m", "--metric", "-n", "--num-buckets"),
        *("--bucket-names", "--thresholds", "--prefix"),
    ],
    "analyze_rollouts.py": [
        *("--rollouts", "--model_path", "--output_dir", "--bucketing_strategy", "--reward_fn_key"),
    ],
    "generate_rollouts.py": [
        *("--use_vllm", "--vllm_url", "--data_path", "--output_path", "--num_samples"),
        "--temperature",
    ],
}


def test_a_file_behind_the_flag_of_a_sweep_is_no_old_metric(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rollouts").mkdir()
    for path in ("rollouts", "rollouts/not-there.jsonl", "hf://datasets/a/b"):
        check_arguments(["-m", path, "seed=1,2"])
    assert "metric=NAME" in refused("-m", "mean_reward")


def refused(*arguments):
    with pytest.raises(UserError) as error:
        check_arguments(arguments)
    return str(error.value)


@pytest.mark.parametrize(("script", "old", "new"), OLD)
def test_every_old_name_is_refused_with_its_new_form(script, old, new):
    if old.startswith("-"):
        lines = refused(old, "value"), refused("data=demo", old, "value", "output_dir=x")
    elif "=" in old:
        lines = refused(old), refused("data=demo", old, "output_dir=x")
    else:
        lines = refused(f"{old}=value"), refused("data=demo", f"++{old}=1")
    for message in lines:
        assert f"  {old}: " in message
        assert new in message


@pytest.mark.parametrize(
    ("argument", "instead"),
    [
        ("data.sampler.class_path=pkg://verl_extensions.multi_source_sampler", "curriculum.integr"),
        ("data.sampler.class_name=RewardCurriculumSampler", "`reward_curriculum`"),
        ("+data.sampler.reward_threshold=0.125", "`sampler.KEY=VALUE`"),
        ("sampler=CurriculumMultiSourceSampler", "`sampler=time_curriculum`"),
    ],
)
def test_the_keys_of_a_verl_with_samplers_are_refused(argument, instead):
    assert instead in refused(argument)


@pytest.mark.parametrize("old", sorted({old for _, old, _ in OLD if old.startswith("--")}))
def test_flags_with_an_equals_sign_are_refused_too(old):
    assert f"  {old}: " in refused(f"{old}=value")


@pytest.mark.parametrize("script", MENTIONED)
def test_every_name_in_a_description_is_in_its_table(script):
    assert set(MENTIONED[script]) <= set(TABLES[script])


@pytest.mark.parametrize("old", [old for _, old, new in ENTRIES if new == SAME])
def test_what_is_the_same_is_accepted(composed, old):
    check_arguments([f"{old}=value"])
    composed("data=rollouts", "data.path=x", f"{old}=value")


def test_a_block_stands_for_its_keys():
    message = refused("generation={temperature:0.8,top_p:0.9}")
    assert "generation.temperature: " in message
    assert "generation.top_p: " in message


@pytest.mark.parametrize("block", ["custom_reward_function", "reward_model"])
def test_a_key_inside_of_an_old_one_is_refused_too(block):
    assert "reward.reward_kwargs=" in refused(f"{block}.reward_kwargs.my_param=1")


def test_all_of_a_command_are_listed_once():
    message = refused(
        "model.path=/path/to/model",
        "data.path=/path/to/data.parquet",
        "output_dir=./results",
        "num_samples=5",
        "data.batch_size=5",
        "data.batch_size=5",
        "bucketing_strategy=adaptive",
    )
    lines = message.splitlines()[1:]
    assert lines[0] == "  filter_difficulty.py: `python run.py preset=filter_difficulty ...`"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "data.batch_size",
        "bucketing_strategy",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-m", "bucketer=percentile,pass_rate"],
        ["bucketer=percentile,pass_rate", "-m"],
        ["--multirun", "bucketer=percentile,pass_rate"],
        ["-m", "--config-dir", "mine", "bucketer=a,b"],
        ["-m", "+x=1,2"],
        ["-m", "~reward"],
        ["--info"],
        ["-i"],
        *(["-i", what] for what in ("all", "config", "defaults", "defaults-tree", "plugins")),
        ["-i", "searchpath"],
        ["--info", "config"],
        ["--cfg", "job", "--resolve"],
        ["-c", "job", "-p", "data"],
        ["--config-name", "my_filter"],
        ["--config-name=my_filter"],
        ["--config-path=/path", "-cn", "my_filter"],
        ["--config-dir", "generation"],
        ["--config-name", "model"],
        ["--help"],
        ["--hydra-help"],
        ["--shell-completion", "install=bash"],
        ["data=rollouts", "data.path=rollouts.parquet", "data.prompt_key=q", "output_dir=x"],
        ["data.reward_fn_key=data_source", "export.prefix=generation", "reward.name=model"],
        ["reward=function", "reward.reward_kwargs={model:1,generation:{temperature:2}}"],
    ],
    ids=" ".join,
)
def test_ours_and_hydra_s_are_let_through(arguments):
    check_arguments(arguments)


def test_hydra_s_flags_still_do_what_they_did(run):
    done = run("-i", "searchpath")
    assert done.returncode == 0, done.stderr
    assert "Config search path" in done.stdout
    shown = run("-c", "job", "-p", "bucketer", "bucketer=percentile", "bucketer.n=7")
    assert shown.returncode == 0
    assert "'n': 7\n" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-i", "./rollouts", "-o", "./bucketed", "-m", "mean_reward", "-n", "3"], 4),
        (["num_samples=4", "generation.temperature=0.8", "bucketing_strategy=adaptive"], 2),
    ],
    ids=["bucket_rollouts", "filter_difficulty"],
)
def test_a_command_of_an_old_script(run, tmp_path, arguments, words):
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: old names, and what to say instead")
    assert len(done.stderr.splitlines()) == 2 + words
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


@pytest.fixture
def own(run, tmp_path):
    """run.py with a YAML of the user's on top of the configuration."""

    def own(text, *arguments):
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        (folder / "my.yaml").write_text("defaults: [config, _self_]\n" + text)
        return run("--config-dir", str(folder), "--config-name", "my", *arguments)

    return own


def test_old_keys_in_a_file_of_the_user(own, tmp_path):
    done = own("bucketing_strategy: adaptive\ngeneration:\n  temperature: 0.8\n  top_p: 0.9\n")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for words in (
        "bucketing_strategy: `bucketer=percentile`, `pass_rate`, `mean_reward` or `adaptive`",
        "generation.temperature: `generator.temperature=0.7`",
        "generation.top_p: `generator.top_p=0.9`",
    ):
        assert words in done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["status"] == "failed"
    assert "bucketing_strategy" in result["error"]


def test_unknown_keys_in_a_file_of_the_user(own):
    done = own("nonsense: 1\nbucketer:\n  n: 5\n")
    assert done.returncode == 1
    assert "unknown: nonsense (keys: " in done.stderr
    assert "bucketer" in done.stderr
    assert "Traceback" not in done.stderr


def test_right_keys_in_a_file_of_the_user(own, tmp_path):
    text = "bucketer:\n  n: 3\n  names: [a, b, c]\nmeasure:\n  std_weight: 0.5\n"
    done = own(text, "bucketer=percentile")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert {name: each["count"] for name, each in result["buckets"].items()} == {
        "a": 336,
        "b": 336,
        "c": 336,
    }
    assert result["config"]["measure"]["std_weight"] == 0.5


def test_a_file_of_the_old_script(run, tmp_path):
    (tmp_path / "my_filter.yaml").write_text(
        "model: {path: /path/to/model}\n"
        "data: {path: /path/to/data.parquet, batch_size: 8, max_prompt_length: 1024}\n"
        "generation: {max_new_tokens: 1024, temperature: 0.8, do_sample: true}\n"
        "reward_model: {enable: false, reward_manager: naive}\n"
        f"output_dir: {tmp_path}/out\nnum_samples: 10\nbucketing_strategy: percentile\n"
    )
    done = run(
        f"--config-path={tmp_path}",
        "--config-name=my_filter",
        f"output_dir={tmp_path}/out",
        f"+store_dir={tmp_path}/store",
        f"hydra.run.dir={tmp_path}/out",
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for name in ("data.batch_size", "generation.temperature", "bucketing_strategy"):
        assert f"  {name}: " in done.stderr


def test_a_configuration_with_our_own_names_passes():
    check_config(
        {
            "data": {"path": "x", "prompt_key": "q"},
            "reward": {"reward_kwargs": {"temperature": 1, "model": {"path": 2}}},
            "output_dir": "x",
        }
    )
