"""Every option composes, builds, and says what its keys are."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from curriculum.config.build import build
from curriculum.config.conf import GROUPS, conf_dir, pipeline_keys
from curriculum.layouts import LAYOUTS

FILES = sorted(conf_dir().rglob("*.yaml"))
OPTIONS = [(path.parent.name, path.stem) for path in FILES if path.parent.name in GROUPS]
PRESETS = sorted(path.stem for path in (conf_dir() / "preset").glob("*.yaml"))
CONVENTIONS = sorted(path.stem for path in (conf_dir() / "convention").glob("*.yaml"))
SWEEPS = sorted((conf_dir().parent / "sweeps").glob("*.yaml"))
NEEDS = {
    ("reward", "verl"): ["verl"],
    ("reward", "instruction_following"): ["lm_eval"],
    ("reward", "reward_model"): ["torch", "transformers"],
    ("data", "reasoning_gym"): ["reasoning_gym"],
    ("data", "huggingface"): ["datasets"],
    ("data", "gsm8k"): ["datasets"],
    ("reward", "reasoning_gym"): ["reasoning_gym"],
    ("generator", "transformers"): ["torch", "transformers"],
    ("trainer", "trl"): ["trl", "torch"],
    ("trainer", "local"): ["torch", "transformers"],
    ("generator", "vllm"): ["vllm"],
    ("generator", "openai"): ["openai"],
}
NEEDED = {
    ("generator", "openai"): ["generator.url=http://127.0.0.1:8000/v1"],
    ("reward", "reward_model"): ["reward.model=small"],
}
REQUIRED = {
    "data": ["data.path=x.parquet"],
    "reward": [f"reward.path={__file__}"],
    "bucketer": ["bucketer.thresholds=[0.5]"],
}


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_builds(composed, group, option):
    missing = [f"{group}={option}", *NEEDED.get((group, option), [])]
    if len(missing) == 1 and "???" in (conf_dir() / group / f"{option}.yaml").read_text():
        missing += REQUIRED[group]
    for needed in NEEDS.get((group, option), []):
        pytest.importorskip(needed, reason=f"{group}={option} needs {needed}; CI has it elsewhere")
    cfg = cast(dict[str, Any], OmegaConf.to_container(composed(*missing), resolve=True))
    if option != "none":
        assert build(cfg, group) is not None


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_keys_of_an_option_are_the_fields_of_its_class(group, option):
    node = cast(DictConfig, OmegaConf.load(conf_dir() / group / f"{option}.yaml"))
    target = node["_target_"]
    own = dataclasses.fields(get_class(target)) if target is not None else ()
    fields = {each.name for each in own if each.init}
    assert set(node) - {"_target_"} == fields - set(pipeline_keys(group))


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_defaults_of_a_class_are_those_of_the_file_that_has_its_name(group, option):
    node = cast(DictConfig, OmegaConf.load(conf_dir() / group / f"{option}.yaml"))
    cls = get_class(node["_target_"]) if node["_target_"] is not None else None
    if cls is None or cls.__name__.lower() != option.replace("_", ""):
        return  # another file of the class may choose otherwise
    plain = OmegaConf.to_container(node, resolve=False)
    assert isinstance(plain, dict)
    for field in dataclasses.fields(cls):
        said = plain.get(field.name, "???")
        if "${" in str(said) or said == "???":  # of the convention, or required
            continue
        made = field.default_factory
        default = field.default if made is dataclasses.MISSING else made()
        assert default == said, f"{group}.{field.name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_key_has_a_comment_and_every_file_a_headline(path: Path):
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# ")
    keys = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]
    for line in keys:
        opens_a_block = line.rstrip().endswith(":")
        internal = "_target_" in line or "hydra" in path.name or _in_hydra(lines, line)
        assert "#" in line or opens_a_block or internal, f"{path}: {line}"


def _in_hydra(lines: list[str], line: str) -> bool:
    return "hydra:" in lines and lines.index(line) > lines.index("hydra:")


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_only_choose_options(preset):
    node = cast(DictConfig, OmegaConf.load(conf_dir() / "preset" / f"{preset}.yaml"))
    assert list(node) == ["defaults"]
    assert all("override /" in next(iter(each)) for each in node["defaults"])


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_sweep_composes_and_has_a_headline(run, path):
    assert path.read_text().startswith("# ")
    shown = run("-cn", path.stem, "--cfg", "hydra")
    assert shown.returncode == 0, shown.stderr
    assert "mode: MULTIRUN" in shown.stdout


def test_a_configuration_of_ones_own_comes_before_a_ready_made_one(run, tmp_path):
    (tmp_path / "bucketers.yaml").write_text("defaults: [config, _self_]\nseed: 7\n")
    shown = run("-cd", str(tmp_path), "-cn", "bucketers", "--cfg", "job")
    assert "seed: 7\n" in shown.stdout, shown.stderr


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions_have_the_same_keys_and_a_layout_there_is(convention):
    def keys(node):
        return {k: keys(v) for k, v in node.items()} if hasattr(node, "items") else None

    def load(name):
        return OmegaConf.load(conf_dir() / "convention" / f"{name}.yaml")

    assert set(load(convention).layouts) <= set(LAYOUTS)
    assert keys(load(convention)) == keys(load("standard"))


def test_composing_loads_nothing_heavy():
    script = """
import atexit, runpy, sys
atexit.register(lambda: print("loaded:", *sys.modules))
sys.argv = ["run.py", "--cfg", "job"]
runpy.run_path("run.py", run_name="__main__")
"""
    command = [sys.executable, "-c", script]
    shown = subprocess.run(
        command, cwd=conf_dir().parent, capture_output=True, text=True, check=True
    )
    loaded = set(shown.stdout.splitlines()[-1].removeprefix("loaded: ").split())
    heavy = {"torch", "transformers", "verl", "vllm", "wandb", "sklearn", "scipy", "pandas"}
    assert "hydra" in loaded
    assert not loaded & heavy


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["bucketer=nope"], ["adaptive", "percentile", "threshold"]),
        (["preset=nope"], ["bucket_rollouts", "analyze_rollouts"]),
        (["bucketer.buckets=3"], ["bucketer", "edge_is_easier, edges, names, thresholds"]),
        (["bukketer=3"], ["bucketer", "convention", "data"]),
        (["bucketer=percentile", "bucketer.n=abc"], ["bucketer.n=abc", "whole number"]),
        (["bucketer=percentile", "bucketer.n=0"], ["bucketer.n=0", "1 to 1000"]),
        (["reward=function"], ["reward.path", "required"]),
        (["reward=function", "reward.path=no.py"], ["no no.py", "pkg://"]),
        (["data=rollouts", "data.path=nowhere.parquet"], ["no file nowhere.parquet", "data.path"]),
        (["data=verl", "data.path=README.md"], ["README.md", ".parquet or .jsonl"]),
        (["+bucketer.extra=1"], ["bucketer.extra", "edges, names"]),
        (["bucketer._target_=curriculum.Nope"], ["bucketer._target_", "curriculum.Nope"]),
        (["reward.workers=-3"], ["reward.workers=-3"]),
        (["reward.workers=two"], ["reward.workers=two", "whole number"]),
        (["reward.time_limit=abc"], ["reward.time_limit=abc", "number"]),
        (["reward.max_failures=all"], ["reward.max_failures=all"]),
        (["data.max_rejected=all"], ["data.max_rejected=all"]),
        (["measure.level=90"], ["measure.level=90", "below 1"]),
        (["measure.prior=[0.5]"], ["measure.prior=[0.5]"]),
        (["measure.threshold=abc"], ["measure.threshold=abc"]),
        (["measure.mean_at_k=5"], ["measure", "mean_at_k"]),
        (["export.prefix=a/b"], ["export.prefix=a/b"]),
        (["export.prefix=null"], ["export.prefix"]),
        (["convention.layouts=[foo]"], ["convention.layouts", "foo", "analyze_rollouts"]),
        (["store_dir=null"], ["store_dir"]),
        (
            ["bucketer=pass_rate", "bucketer.thresholds=[80,50,20]"],
            ["bucketer.thresholds.0=80", "0 to 1"],
        ),
        (["bucketer.names=[a/b,c,d,e]"], ["a/b"]),
        (["data=rollouts", "data.path=s4://x.parquet"], ["s4://x.parquet can't be read"]),
        (["data.path=x.parquet"], ["data=rollouts data.path="]),
        (["bucketer._target_=os.system"], ["os.system", "neither"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes_end_the_run_with_what_to_choose_from(run, tmp_path, overrides, words):
    done = run(*overrides)
    assert done.returncode == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr
    assert "Error executing job" not in done.stderr  # Hydra's
    assert not (tmp_path / "out" / "buckets.json").exists()


@pytest.mark.slow
def test_mistakes_in_a_sweep_are_told_for_each_job_and_hydra_adds_nothing(run):
    done = run("-m", "bucketer=percentile", "bucketer.n=0,-1")
    assert done.returncode == 1
    assert all(done.stderr.count(f"failed: bucketer.n={n}") == 1 for n in (0, -1))
    assert "Error executing job" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_who_asks_for_full_errors_gets_them(run_process):
    done = run_process("bucketer=percentile", "bucketer.n=0", HYDRA_FULL_ERROR="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "UserError: bucketer.n=0" in done.stderr
