"""What tests with real models share."""

import json
import os
import subprocess
import sys

import pytest

from curriculum.config.conf import conf_dir

# run.py again and again, in forks of a process that has imported what takes long. All but the last
# are killed, each before it gives the nth of its parts a name.
KILLED = """
import json, os, signal, sys

import curriculum.run.job, torch, transformers.generation
import run

sys.path.insert(0, "")
left = 0

def kill(event, arguments):
    global left
    if event == "os.rename" and "/part-" in str(arguments[1]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
at_parts = json.loads(sys.argv.pop(1))
for left in [*at_parts, 0]:
    child = os.fork()
    if not child:
        sys.exit(run.start())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A checkpoint of the small model's form with random weights."""
    from curriculum.demo.small_model import build_model, build_tokenizer, save_checkpoint

    folder = tmp_path_factory.mktemp("model")
    save_checkpoint(build_model(0), build_tokenizer(), folder)
    return folder


@pytest.fixture
def run_killed():
    """Exit codes of `run.py ...`, killed before the nth part that it has made, and so on."""

    def run_killed(at_parts, *arguments):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, json.dumps(at_parts), *arguments],
            cwd=conf_dir().parent,
            env=os.environ | {"PYTHONPATH": str(conf_dir().parent)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return [int(line) for line in done.stdout.splitlines() if line.lstrip("-").isdigit()]

    return run_killed
