"""What a stranger's configuration can't have Hydra do."""

import pytest
import yaml

from curriculum.config.build import load
from curriculum.core.errors import UserError


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("model.path", "a${ oc.env:MY_TOKEN}b", "model.path reads the environment variable MY_"),
        ("model.path", "${oc.env:HOME,${oc.env:PATH}}", "reads the environment variable PATH"),
        ("model.path", "${${name}:PATH}", "model.path has ${${name}:...}; there is hydra, now"),
        ("data.id_key", "${nothing.known:x}", "data.id_key has ${nothing.known:...}"),
        ("hydra.callbacks.x", {"_target_": "os.mkdir", "path": "MARK"}, "would be run"),
        ("hydra.callbacks.x", {"_target_": "hydra.utils.call"}, "would be run"),
        ("hydra.callbacks.x", {"_target_": "curriculum.core.atomic.os.mkdir"}, "would be run"),
        ("hydra.sweeper._target_", "os.mkdir", "would be run"),
        ("hydra.job_logging.handlers.x", {"()": "os.mkdir", "path": "MARK"}, "`logging` alone"),
        ("hydra.job_logging.handlers.x", {"class": "logging.os.mkdir"}, "`logging` alone"),
        ("hydra.job_logging.handlers.x", {"stream": "ext://os.environ"}, "`logging` alone"),
        ("reward._target_", "os.mkdir", "neither this package's nor a plugin's"),
    ],
)
def test_what_a_file_may_not(run, tmp_path, key, value, says):
    if isinstance(value, dict) and "path" in value:
        value = {**value, "path": str(tmp_path / "mark")}
    for part in reversed(key.split(".")):
        value = {part: value}
    mine = yaml.safe_dump({"defaults": ["config", "_self_"], **value})
    (tmp_path / "mine.yaml").write_text(mine)
    done = run("-cd", str(tmp_path), "-cn", "mine")
    assert done.returncode == 1
    assert says in done.stderr
    assert not (tmp_path / "mark").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("name=${oc.env:MY_TOKEN}", "name reads the environment variable MY_TOKEN"),
        ("+hydra.callbacks.x={_target_: os.system, command: 'exit 1'}", "would be run"),
    ],
)
def test_what_a_command_line_may_not(run, tmp_path, argument, says):
    done = run(argument)
    assert done.returncode == 1
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_option_that_a_sweep_chooses(run, tmp_path):
    group = tmp_path / "reward"
    group.mkdir()
    target = "_target_: curriculum.rewards.ExactMatch"
    (group / "mine.yaml").write_text(f"# mine\n{target}\nmore: ${{oc.env:PATH}}\n")
    done = run("-cd", str(tmp_path), "-m", "reward=mine,exact_match", "until=problems")
    assert done.returncode == 1
    assert "reward.more reads the environment variable PATH" in done.stderr


def test_some_may_be(run, tmp_path):
    done = run("name='${oc.env:HOME} ${now:%Y} ${hydra:job.name}'", "until=problems")
    assert done.returncode == 0, done.stderr


def test_a_class_that_a_module_of_ours_has_imported_is_none_of_ours():
    with pytest.raises(UserError, match="not a plugin's own"):
        load("curriculum.integrations.hydra.JobReturn", "reward")
