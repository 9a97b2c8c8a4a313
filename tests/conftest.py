"""Running `run.py` as a user does, and the small inputs that several tests need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from curriculum.config import source
from curriculum.config.conf import conf_dir

ROOT = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all tests: the demo is read and scored once."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def run(store: Path, tmp_path: Path) -> Run:
    """`python run.py ...` in the checkout, its output in `tmp_path / "out"` unless told."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own = (
            []
            if any("output_dir=" in each for each in arguments)
            else [f"output_dir={tmp_path}/out"]
        )
        own += [] if any("store_dir=" in each for each in arguments) else [f"store_dir={store}"]
        # A dry run takes a second, and most tests are about what comes before it.
        said = ("trainer", "sampler", "seed", "--config-name")
        trains = any(each.startswith(said) for each in arguments)
        own += [] if trains else ["trainer=none"]
        return subprocess.run(
            [sys.executable, "run.py", *arguments, *own],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env=os.environ | environment,
        )

    return run


@pytest.fixture
def composed() -> Iterator[Callable[..., DictConfig]]:
    """The configuration that overrides give, without running anything."""
    source.register()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield lambda *overrides: compose("config", list(overrides))


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
