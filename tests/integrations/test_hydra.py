"""Hydra's private doors are where we left them: one test each, through what they do for us."""

from typing import cast

import cloudpickle
import pytest
from hydra import compose, initialize_config_dir
from hydra.core import utils
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import LocalLauncher
from omegaconf import OmegaConf

from curriculum.config.conf import conf_dir
from curriculum.integrations import hydra
from curriculum.sweep.launchers import Local


def test_a_command_line_is_parsed_as_hydra_does():
    arguments = hydra.parsed(["-m", "-cn", "mine", "-cd", "folder", "seed=1,2", "-h"])
    assert (arguments.config_name, arguments.config_dir) == ("mine", "folder")
    assert arguments.overrides == ["seed=1,2"]
    assert arguments.help
    assert not hydra.parsed(["--hydra-help"]).help


def test_a_launcher_of_ours_takes_the_place_of_hydras():
    place = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"
    before = Plugins.instance().class_name_to_class[place]
    hydra.replace_launcher(LocalLauncher, Local)
    try:
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=cast(HydraContext, None),
            task_function=print,
            config=OmegaConf.create({"hydra": {"launcher": {"_target_": place}}}),
        )
    finally:
        hydra.replace_launcher(LocalLauncher, before)
    assert type(launcher) is Local


def test_hydras_state_can_be_sent_to_another_process():
    state = hydra.state()
    assert ConfigStore in state["instances"]
    assert cloudpickle.loads(cloudpickle.dumps(state)).keys() == state.keys()


def test_a_sweep_is_split_into_its_jobs():
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        jobs = hydra.split_sweep(loader, ["bucketer=glob(p*)", "seed=1,2", "+a='b,c'"])
    assert jobs == [
        ["bucketer=pass_rate", "seed=1", "+a='b,c'"],
        ["bucketer=pass_rate", "seed=2", "+a='b,c'"],
        ["bucketer=percentile", "seed=1", "+a='b,c'"],
        ["bucketer=percentile", "seed=2", "+a='b,c'"],
    ]


def test_what_a_job_raised_is_had_without_a_line_on_standard_error(capsys):
    job = JobReturn(overrides=["seed=1"])
    job.return_value, job.status = ValueError("why"), JobStatus.FAILED
    assert str(hydra.error_of(job)) == "why"
    assert capsys.readouterr().err == ""


def test_another_configuration_is_composed_within_a_job(tmp_path):
    (tmp_path / "other.yaml").write_text("key: 3\n")
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        with hydra.set_aside(), initialize_config_dir(str(tmp_path), version_base="1.3"):
            assert compose("other").key == 3
        assert compose("config").seed == 0
    with pytest.raises(AssertionError):  # none is in use
        compose("config")


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        (["seed=1", "-m", "bucketer=a,b"], ["-m", "seed=1", "bucketer=a,b"]),
        (
            ["-cn", "mine", "a=1", "--cfg", "job", "~b"],
            ["-cn", "mine", "--cfg", "job", "a=1", "~b"],
        ),
        (["a=1"], ["a=1"]),
    ],
)
def test_flags_may_stand_between_overrides(typed, given):
    assert hydra.flags_first(typed) == given
    assert hydra.parsed(given).overrides == hydra.parsed(typed).overrides


def test_what_hydra_saves_of_a_job_has_no_secret(tmp_path, monkeypatch):
    monkeypatch.setattr(utils, "_save_config", utils._save_config)  # to have it back
    hydra.save_without_secrets()
    config = OmegaConf.create({"api_key": "a", "url": "https://u:p@host", "b": "${oc.env:HOME}"})
    utils._save_config(config, "config.yaml", tmp_path / ".hydra")
    saved = OmegaConf.to_container(OmegaConf.load(tmp_path / ".hydra" / "config.yaml"))
    assert saved == {"api_key": "[secret]", "url": "https://[secret]@host", "b": "${oc.env:HOME}"}
