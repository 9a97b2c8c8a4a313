"""Every command of the README and the docs, as it stands, in the order of its page."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from curriculum.config import legacy
from curriculum.config.conf import conf_dir
from tests.conftest import run_here

ROOT = conf_dir().parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:^`(?P<path>[\w./-]+)`\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.M | re.S
)
# Making the environment: CI does that itself, by the README's words.
ENVIRONMENT = ("git clone", "make", "python3 -m venv", "source", "pip")

OF_ITS_OWN = re.compile("launcher=|tracker=wandb|generator=vllm")  # a process
# Rollouts, or what reads them, and models that are trained.
GENERATED = re.compile("generator=transformers|example/generated|trainer=local|-cn proof")

ids = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.fixture
def checkout(tmp_path, store):
    """A folder like a checkout, so that commands leave nothing in the real one but its store."""
    for name in ("run.py", "conf", "plugins", "sweeps", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "store").symlink_to(store)
    return tmp_path


def blocks(page):
    return [match.groupdict() for match in BLOCK.finditer(page.read_text())]


def commands(page):
    lines = [
        line
        for block in blocks(page)
        if block["kind"] == "bash"
        for line in block["text"].splitlines()
    ]
    return [line for line in lines if line.strip() and not line.startswith(ENVIRONMENT)]


def install(folder, project):
    """What `pip install -e` does for entry points, without a network."""
    name = project["project"]["name"]
    info = folder / f"{name}-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
    points = project["project"]["entry-points"]
    lines = [
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points[group].items())
        for group in points
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_command_works(checkout, page):
    if page.stem == "generation":
        for needed in ("torch", "transformers", "reasoning_gym"):
            pytest.importorskip(needed, reason=f"{needed} is not installed; CI has it elsewhere")
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = os.environ | {"PATH": os.pathsep.join(paths)}
    (checkout / "example").mkdir()
    folders = []
    for block in blocks(page):
        if block["path"] is not None:
            path = checkout / block["path"]
            path.parent.mkdir(exist_ok=True)
            path.write_text(block["text"])
            if path.name == "pyproject.toml":
                install(path.parent, tomllib.loads(block["text"]))
                folders.append(str(path.parent))
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    for command in [*commands(page), *python_blocks(page)]:
        if possible(command):
            done = executed(command, checkout, environment)
            assert done.returncode == 0, f"{command}\n{done.stderr}"


def executed(command, folder, environment):
    """A command done; in this process where none of its parts needs one of its own."""
    if isinstance(command, str) and not environment["PYTHONPATH"]:
        words = shlex.split(command)
        if words[:2] == ["python", "run.py"] and not OF_ITS_OWN.search(command):
            return run_here(words[2:], folder, {})
    return subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
    )


def possible(command):
    """Whether what a command needs is here; CI has it all somewhere."""
    imported = re.findall(r"^(?:from|import) (trl|torch|datasets)\b", str(command[-1]), re.M)
    if not isinstance(command, str) and not all(map(find_spec, imported)):
        return False
    if "trainer=trl" in command and find_spec("trl") is None:
        return False
    if "vllm" in command:
        return find_spec("vllm") is not None
    if "launcher=slurm" in command:
        return shutil.which("sinfo") is not None and (
            subprocess.run(["sinfo"], capture_output=True).returncode == 0
        )
    # Where vLLM is, it is for vLLM's commands; the others are run where it is not.
    return not GENERATED.search(str(command)) or (
        find_spec("torch") is not None and find_spec("vllm") is None
    )


def python_blocks(page):
    """Python that is no file of its own."""
    return [
        [sys.executable, "-c", block["text"]]
        for block in blocks(page)
        if block["kind"] == "python" and block["path"] is None
    ]


def test_the_tables_of_old_names_are_those_of_the_program():
    printed = subprocess.run(
        [sys.executable, "-m", "curriculum.config.legacy"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    page = (ROOT / "docs" / "from-scripts.md").read_text()
    assert page.strip().endswith(printed.strip())
    assert all(f"### {script}" in page for script in legacy.TABLES)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing
