"""vLLM in this process and behind its server, with a small model that is trained first."""

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest

from curriculum.config.conf import conf_dir
from curriculum.generators.parts.vllm_server import MODULE

psutil = pytest.importorskip("psutil", reason="psutil, which comes with vLLM, is not installed")
for library in ("vllm", "torch", "transformers", "reasoning_gym"):
    pytest.importorskip(library, reason=f"{library} is not installed; CI has it with vLLM")

STEPS = 400  # of training: for pass rates that are neither 0 nor 1
SAMPLES = 64
KEY = "the-key-of-a-server-that-was-there-before"
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "THE_KEY": KEY,
}
PROBLEMS = ["data=reasoning_gym", "data.size=2", "reward=exact_match"]  # two of each of 24 levels
TRANSFORMERS = ["generator=transformers", "generator.dtype=float32"]
IN_PROCESS = [
    *("generator=vllm", "generator.engine={enforce_eager: true}", "generator.dtype=float32"),
    *("generator.max_model_len=64", "generator.batch_size=64"),
]
SERVER_ARGS = ["--enforce-eager", "--dtype=float32", "--max-model-len=64"]
OWN_SERVER = [
    *("generator=openai", "generator.server=vllm"),
    f"generator.server_args={SERVER_ARGS}".replace(" ", ""),
]
GONE_IN = 20  # seconds
STOPS_BEFORE_ITS_FOURTH_PART = """
import os, signal, sys

parts = 0

def stop(event, arguments):
    global parts
    if event == "os.rename" and "/part-" in str(arguments[1]):
        parts += 1
        if parts == 4:
            os.kill(os.getpid(), signal.SIGSTOP)

if "run.py" in sys.orig_argv:  # not what the run starts
    sys.addaudithook(stop)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A checkpoint of the demo's model, trained for less long."""
    from curriculum.data.parts.demo_problems import demo_problems
    from curriculum.demo import make_rollouts
    from curriculum.demo.small_model import save_checkpoint
    from curriculum.demo.training import Phase

    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make_rollouts, "Phase", lambda: Phase(STEPS))
        save_checkpoint(*make_rollouts.trained_model(demo_problems(2), 0), folder)
    return folder


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    """A vLLM server that wants a key: the options that reach it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    arguments = ["--model", str(model), "--port", str(port), "--generation-config", "vllm"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, "--host", "127.0.0.1", *arguments, *SERVER_ARGS],
            env=os.environ | ENVIRONMENT | {"VLLM_API_KEY": KEY},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    started = [process, *wait_for(300, lambda: ready(url) or process.poll() is not None, process)]
    assert process.poll() is None, log.read_text()
    yield ["generator=openai", f"generator.url={url}/v1", "generator.key_env=THE_KEY"]
    process.terminate()
    process.wait()
    assert gone(started[1:])


@pytest.fixture(scope="module")
def generated(model, tmp_path_factory):
    """The flat file of a run that stops after its rollouts, in the order of problem and sample."""

    def generated(*options, samples=SAMPLES):
        folder = tmp_path_factory.mktemp("run")
        done = subprocess.run(
            command(model, folder, *options, f"num_samples={samples}"),
            cwd=conf_dir().parent,
            capture_output=True,
            text=True,
            env=os.environ | ENVIRONMENT,
        )
        assert done.returncode == 0, done.stderr
        return flat_of(folder)

    return generated


@pytest.fixture(scope="module")
def by_transformers(generated):
    return generated(*TRANSFORMERS)


@pytest.fixture(scope="module")
def by_server(generated, server):
    return generated(*server)


@pytest.fixture(scope="module")
def in_process(generated):
    return generated(*IN_PROCESS)


def command(model, folder, *options):
    """Of a run that leaves everything in a folder."""
    return [
        *(sys.executable, "run.py", *PROBLEMS, f"model.path={model}", f"num_samples={SAMPLES}"),
        *("generator.max_new_tokens=12", "until=rollouts", f"output_dir={folder}/out"),
        *(f"store_dir={folder}/store", *options),
    ]


def flat_of(folder):
    flat = pd.read_parquet(folder / "out" / "rollouts.parquet")
    return flat.sort_values(["data_idx", "sample_idx"], ignore_index=True)


def ready(url):
    try:
        with urlopen(f"{url}/health", timeout=5):
            return True
    except (URLError, OSError):
        return False


def wait_for(seconds, condition, process):
    """Wait for it; return what the process has started meanwhile."""
    deadline = time.monotonic() + seconds
    started = set()
    while not condition():
        assert time.monotonic() < deadline
        if process.poll() is None:
            started |= set(psutil.Process(process.pid).children(recursive=True))
        time.sleep(0.02)
    return started


def gone(processes):
    return not psutil.wait_procs(processes, GONE_IN)[1]


def killed(model, folder, *options):
    """Kill a run when it has done some of its work, and see that nothing of it stays."""
    hook = folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(STOPS_BEFORE_ITS_FOURTH_PART)
    running = subprocess.Popen(
        command(model, folder, *options),
        cwd=conf_dir().parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": str(hook)},
    )
    os.waitid(os.P_PID, running.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    started = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert len(started) > 1
    assert gone(started)
    assert len(parts(folder)) == 3
    return parts(folder)


def parts(folder):
    """When each was written."""
    found = (folder / "store").glob("rollouts-*/part-*.parquet")
    return {path.name: path.stat().st_mtime_ns for path in found}


def taken_up(model, folder, *options):
    """Run until it is done, and see that nothing of it stays."""
    with (folder / "log").open("w") as output:
        running = subprocess.Popen(
            command(model, folder, *options),
            cwd=conf_dir().parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | ENVIRONMENT,
        )
    started = wait_for(300, lambda: running.poll() is not None, running)
    log = (folder / "log").read_text()
    assert running.returncode == 0, log
    assert len(started) > 1, log
    assert gone(started)
    return flat_of(folder)


def passes(flat):
    """(P,) how many of each problem's responses are its answer."""
    truth = flat["original_reward_model"].map(lambda reward_model: reward_model["ground_truth"])
    return (flat["response"] == truth).groupby(flat["data_idx"]).sum().to_numpy()


def probability_of_such_a_difference(one, other):
    """How likely it is for passes to differ as much or more if the pass rates are the same.

    The statistic is the sum over problems of chi-squares. It is compared to draws: given how many
    of a problem's responses pass in both, those in one of them are hypergeometric.
    """
    one, both = passes(one), passes(one) + passes(other)
    mixed = (both > 0) & (both < 2 * SAMPLES)
    one, both = one[mixed], both[mixed]
    assert len(both) > 15
    failed = 2 * SAMPLES - both
    variance = both * failed / (4 * (2 * SAMPLES - 1))
    draws = np.random.default_rng(0).hypergeometric(both, failed, SAMPLES, (20_000, len(both)))
    drawn, seen = (((each - both / 2) ** 2 / variance).sum(-1) for each in (draws, one))
    return (1 + (drawn >= seen - 1e-9).sum()) / 20_001


def differing(one, other):
    """The share of responses that differ.

    A few may although their seeds are the same: what is computed together decides how numbers are
    rounded, and rounding now and then decides a token.
    """
    keys = ["data_idx", "sample_idx"]
    pd.testing.assert_frame_equal(one[keys], other[keys])
    return (one["response"] != other["response"]).mean()


def test_pass_rates_agree_whatever_makes_the_rollouts(by_transformers, in_process, by_server):
    assert probability_of_such_a_difference(by_transformers, in_process) > 0.001
    assert probability_of_such_a_difference(by_transformers, by_server) > 0.001


def test_pass_rates_that_differ_would_be_noticed(by_transformers, generated, server):
    colder = generated(*server, "generator.temperature=0.5")
    assert probability_of_such_a_difference(by_transformers, colder) < 0.001


def test_without_sampling_responses_are_the_same_whatever_makes_them(generated, server):
    greedy = generated(*TRANSFORMERS, "generator.do_sample=false", samples=1)
    assert greedy["response"].nunique() > 15
    for engine in (server, IN_PROCESS):
        other = generated(*engine, "generator.temperature=0", samples=1)
        assert other["response"].tolist() == greedy["response"].tolist()


def test_a_seed_gives_the_same_rollouts_however_they_are_asked_for(
    generated, server, by_server, in_process
):
    one_by_one = generated(*server, "generator.samples_per_request=1", "generator.concurrency=8")
    assert differing(one_by_one, by_server) < 0.01
    assert differing(in_process, by_server) < 0.01
    assert differing(generated(*server, "generator.seed=1"), by_server) > 0.3


def test_a_run_in_process_that_was_killed_ends_like_one_never_killed(tmp_path, model, in_process):
    there = killed(model, tmp_path, *IN_PROCESS)
    assert differing(taken_up(model, tmp_path, *IN_PROCESS), in_process) < 0.01
    assert there.items() <= parts(tmp_path).items(), "written again"
    assert len(there) < len(parts(tmp_path))


def test_a_server_of_the_run_s_own_ends_with_it_also_where_it_is_killed(tmp_path, model, by_server):
    small_parts = [*OWN_SERVER, "generator.batch_size=64"]
    there = killed(model, tmp_path, *small_parts)
    assert differing(taken_up(model, tmp_path, *small_parts), by_server) < 0.01
    assert there.items() <= parts(tmp_path).items(), "written again"
    assert len(there) < len(parts(tmp_path))


def test_a_prompt_that_leaves_no_room_for_a_response_is_an_error(run_process, tmp_path, model):
    options = [*PROBLEMS, f"model.path={model}", *IN_PROCESS, "generator.max_model_len=4"]
    done = run_process(*options, f"store_dir={tmp_path}/store", **ENVIRONMENT)
    assert done.returncode == 1
    assert "the engine takes 4 with the response: raise generator.max_model_len" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_can_t_start_is_an_error_with_its_last_words(run, tmp_path, model):
    argument = "generator.server_args=[--no-such-argument]"
    options = [*PROBLEMS, f"model.path={model}", *OWN_SERVER, argument]
    done = run(*options, f"store_dir={tmp_path}/store", **ENVIRONMENT)
    assert done.returncode == 1
    assert "error: the vLLM server ended; the end of " in done.stderr
    assert "unrecognized arguments: --no-such-argument" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_key_is_an_error_that_does_not_show_it(run, tmp_path, model, server):
    options = [*PROBLEMS, f"model.path={model}", *server, f"store_dir={tmp_path}/store"]
    done = run(*options, **ENVIRONMENT | {"THE_KEY": "not-the-key"})
    assert done.returncode == 1
    assert f"error: the server at {server[1].partition('=')[2]} (401;" in done.stderr
    assert "not-the-key" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
