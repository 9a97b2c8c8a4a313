"""Running `run.py` as a user does, and the small inputs that several tests need."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from curriculum.compare import sweep_end
from curriculum.config import source
from curriculum.config.conf import conf_dir
from curriculum.core.errors import TRACEBACK

# libyaml reads the same ten times as fast, and runs of tests read all of conf/ again and again.
yaml.SafeLoader = yaml.CSafeLoader

# Output is as in a pipe; xdist says that its processes have terminals, 80 wide.
os.environ.pop("COLUMNS", None)

ROOT = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]
# Hydra composes once only to know hydra.mode, a third of what a small run costs: all files and
# arguments but these leave it null.
MAY_SAY_THE_MODE = ("-c", "--config", "hydra.mode", "resume=")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all tests, whichever process they run in: the demo is scored once."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "store"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def run(store: Path, tmp_path: Path) -> Run:
    """`python run.py ...` in the checkout and in this process, which has all modules loaded.

    Its output goes to `tmp_path / "out"` unless told, whatever is there.
    """

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_here([*arguments, *_own(arguments, store, tmp_path)], ROOT, environment)

    return run


def run_here(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """`python run.py ...` in a folder and in this process."""
    main = import_module("run")
    command = ["run.py", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with (
        _logging_kept(),
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", command)
        patch.chdir(folder)
        if not any(each.startswith(MAY_SAY_THE_MODE) for each in arguments):
            patch.setattr(Hydra, "get_mode", lambda *_, **__: None)
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            code = main.start()
        except SystemExit as end:
            code = end.code
        finally:
            sweep_end.failed_jobs.clear()
            os.environ.pop(TRACEBACK, None)  # set by a run for as long as its process lives
            GlobalHydra.instance().clear()
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Hydra sets the root's handlers, which then hold a stream that is gone."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        for handler in set(root.handlers) - set(handlers):
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.fixture
def run_process(store: Path, tmp_path: Path) -> Run:
    """The same in a process of its own, for what only that shows."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "run.py", *arguments, *_own(arguments, store, tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env=os.environ | environment,
        )

    return run


def _own(arguments: tuple[str, ...], store: Path, tmp_path: Path) -> list[str]:
    """Where a test's run has its files."""
    own = [] if any("output_dir=" in each for each in arguments) else [f"output_dir={tmp_path}/out"]
    if own and (tmp_path / "out").exists() and "overwrite=true" not in arguments:
        own.append("overwrite=true")
    return own + ([] if any("store_dir=" in each for each in arguments) else [f"store_dir={store}"])


@pytest.fixture
def composed() -> Iterator[Callable[..., DictConfig]]:
    """The configuration that overrides give, without running anything."""
    source.register()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield lambda *overrides: compose("config", list(overrides))


@pytest.fixture
def composed_values(composed: Callable[..., DictConfig]) -> Callable[..., dict[str, Any]]:
    """The same as plain values, as code gets them."""

    def composed_values(*overrides: str) -> dict[str, Any]:
        cfg = composed(*overrides)
        return cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))

    return composed_values


def result(folder: Path) -> dict:
    return json.loads((folder / "result.json").read_text())


@pytest.fixture
def read_result() -> Callable[[Path], dict]:
    return result


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real data that is not in this repository: CURRICULUM_TEST_DATA names its folder."""
    folder = os.environ.get("CURRICULUM_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CURRICULUM_TEST_DATA names no folder of real data")
    return Path(folder)
