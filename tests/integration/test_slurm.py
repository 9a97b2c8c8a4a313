"""Sweeps on a real SLURM: jobs that fail, are killed, come back, and want the same rollouts."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
PROBLEMS, SAMPLES, UNDER_WAY = 24, 2, 2
QUICK = ("hydra.launcher.cpus_per_task=1", "trainer=none")


@pytest.fixture(autouse=True, scope="module")
def _slurm():
    if shutil.which("sinfo") is None or subprocess.run(["sinfo"], capture_output=True).returncode:
        pytest.skip("there is no SLURM here")


class Model(ThreadingHTTPServer):
    """A server of completions that counts, and waits before a prompt until it is let go on."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Completions)
        self.asked = []
        self.waits: dict[str, threading.Event] = {}  # by prompt

    def handle_error(self, request, client_address):
        """A client that was killed is nothing to report."""


class Completions(BaseHTTPRequestHandler):
    server: Model
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.reply({"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][-1]["content"]
        self.server.asked.append(prompt)
        if prompt in self.server.waits:
            self.server.waits[prompt].wait()
        texts = [str((body["seed"] + k) % 3) for k in range(body["n"])]
        choices = [
            {"index": k, "finish_reason": "stop", "message": {"content": text}}
            for k, text in enumerate(texts)
        ]
        self.reply({"choices": choices, "usage": {"completion_tokens": len(choices)}})

    def reply(self, answer):
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(content)


@pytest.fixture
def model():
    server = Model()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    for event in server.waits.values():
        event.set()
    server.shutdown()
    server.server_close()


def write_problems(path):
    rows = [
        {
            "prompt": [{"role": "user", "content": f"{path.stem} {i}"}],
            "data_source": path.stem,
            "reward_model": {"ground_truth": str(i % 3)},
        }
        for i in range(PROBLEMS)
    ]
    pd.DataFrame(rows).to_parquet(path)


def command(folder, *arguments):
    where = [f"output_dir={folder}/sweep", f"store_dir={folder}/store"]
    return [sys.executable, "run.py", "-m", "hydra/launcher=slurm", *QUICK, *where, *arguments]


def generating(model):
    url = f"http://127.0.0.1:{model.server_port}/v1"
    return (
        "data=verl",
        "reward=exact_match",
        "generator=openai",
        f"generator.url={url}",
        "generator.model=tiny",
        "generator.api=chat",
        f"generator.batch_size={SAMPLES}",
        f"generator.concurrency={UNDER_WAY}",
        f"num_samples={SAMPLES}",
    )


@pytest.fixture
def start(tmp_path):
    """A sweep under way, gone after the test."""
    started = []

    def start(*arguments):
        with (tmp_path / "launcher.log").open("w") as log:
            sweep = subprocess.Popen(
                command(tmp_path, *arguments), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )
        started.append(sweep)
        return sweep

    yield start
    for sweep in started:
        sweep.kill()
        sweep.wait()
    subprocess.run(["scancel", "--user", str(os.getuid())], check=True)


def until(condition, seconds=90):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{condition} did not come true"
        time.sleep(0.2)
    return value


def log_of(folder, job):
    path = folder / "sweep" / str(job) / "run.log"
    return path.read_text() if path.exists() else ""


def worker_and_waiter(folder, jobs):
    """Which of two jobs generates, and which waits for it and says so."""
    said = "rollouts: another run is making it"
    waiting = until(lambda: [job for job in jobs if said in log_of(folder, job)])
    assert len(waiting) == 1
    return (set(jobs) - set(waiting)).pop(), waiting[0]


def slurm_id(folder, job):
    hydra = (folder / "sweep" / str(job) / ".hydra" / "hydra.yaml").read_text()
    return next(
        line.split()[-1].strip("'") for line in hydra.splitlines() if line.startswith("    id: ")
    )


def results(folder):
    found = {}
    for path in (folder / "sweep").glob("*/result.json"):
        found[int(path.parent.name)] = json.loads(path.read_text())
    return found


def test_a_sweep_survives_what_clusters_do(tmp_path, model, start):
    for name in ("a", "b"):
        write_problems(tmp_path / f"{name}.parquet")
    paths = ",".join(f"{tmp_path}/{name}.parquet" for name in "abc")  # there is no c
    for prompt in ("a 12", "b 12"):
        model.waits[prompt] = threading.Event()
    sweep = start(*generating(model), f"data.path={paths}", "bucketer=percentile", "bucketer.n=3,4")
    killed, heir = worker_and_waiter(tmp_path, (0, 1))
    requeued, other = worker_and_waiter(tmp_path, (2, 3))
    until(lambda: {"a 12", "b 12"} <= set(model.asked))
    subprocess.run(["scancel", slurm_id(tmp_path, killed)], check=True)
    subprocess.run(["scancel", "--signal=USR2", slurm_id(tmp_path, requeued)], check=True)
    # Those that waited take over; the cancelled one is killed half a minute after it was asked.
    for prompt, event in model.waits.items():
        until(lambda prompt=prompt: model.asked.count(prompt) == 2)
        event.set()
    assert sweep.wait(300) == 1  # some jobs have failed

    by_job = results(tmp_path)
    status = {job: result["status"] for job, result in by_job.items()}
    expected = dict.fromkeys(range(6), "completed") | dict.fromkeys((killed, 4, 5), "failed")
    assert status == expected
    assert by_job[killed]["error"].startswith("killed: ")
    assert "c.parquet" in by_job[4]["error"]
    for job in (heir, requeued, other):
        assert by_job[job]["total_rollouts"] == PROBLEMS * SAMPLES

    asked = Counter(model.asked)
    assert set(asked) == {f"{name} {i}" for name in "ab" for i in range(PROBLEMS)}
    again = Counter(prompt[0] for prompt, times in asked.items() if times > 1)
    assert max(asked.values()) == 2  # what was under way in the killed runs, and nothing else
    assert all(times <= UNDER_WAY for times in again.values())
    assert len(list((tmp_path / "store").glob("rollouts-*/manifest.json"))) == 2

    table = (tmp_path / "launcher.log").read_text()
    assert "killed: " in table and "failed" in table
    content = json.loads((tmp_path / "sweep" / "comparison.json").read_text())
    assert [run["status"] for run in content["runs"]] == [expected[job] for job in range(6)]
    resumed_only_what_was_missing(tmp_path, model, killed)


def resumed_only_what_was_missing(folder, model, killed):
    write_problems(folder / "c.parquet")
    before, asked = results(folder), len(model.asked)
    again = [sys.executable, "run.py", f"resume={folder}/sweep"]
    done = subprocess.run(again, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    after = results(folder)
    ran = {job for job in after if after[job]["finished"] != before[job].get("finished")}
    assert ran == {killed, 4, 5}
    assert {result["status"] for result in after.values()} == {"completed"}
    assert Counter(model.asked[asked:]) == Counter(f"c {i}" for i in range(PROBLEMS))


def test_a_preempted_job_goes_on_where_it_was(tmp_path, model, start):
    write_problems(tmp_path / "a.parquet")
    model.waits["a 12"] = threading.Event()
    low = "hydra.launcher.partition=low"
    path = f"data.path={tmp_path}/a.parquet"
    sweep = start(*generating(model), path, "bucketer=percentile", "bucketer.n=3", low)
    until(lambda: "a 12" in model.asked)
    # All processors, at a higher priority.
    urgent = ["srun", "--partition=main", "--exclusive", "sleep", "1"]
    subprocess.run(urgent, check=True, capture_output=True)
    first = set(model.asked)
    assert len(first) < PROBLEMS
    model.waits["a 12"].set()
    assert sweep.wait(300) == 0, (tmp_path / "launcher.log").read_text()
    (result,) = results(tmp_path).values()
    assert result["total_rollouts"] == PROBLEMS * SAMPLES
    repeated = [prompt for prompt, times in Counter(model.asked).items() if times > 1]
    assert 1 <= len(repeated) <= UNDER_WAY + 1  # one more may be back, and not written down yet
    assert "this job is preempted" in log_of(tmp_path, 0)


def test_a_sweep_whose_launcher_died_is_compared_and_resumed(tmp_path, model, start):
    write_problems(tmp_path / "a.parquet")
    model.waits["a 12"] = threading.Event()
    path = f"data.path={tmp_path}/a.parquet"
    sweep = start(*generating(model), path, "bucketer=percentile", "bucketer.n=2,3")
    worker_and_waiter(tmp_path, (0, 1))
    sweep.kill()
    sweep.wait()
    compare = [sys.executable, "-m", "curriculum.compare", str(tmp_path / "sweep")]
    shown = subprocess.run(compare, cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 1
    assert shown.stdout.count("running") == 2
    resumed = [sys.executable, "run.py", f"resume={tmp_path}/sweep"]
    done = subprocess.run(resumed, cwd=ROOT, capture_output=True, text=True)
    assert "left to it" in done.stdout + done.stderr
    model.waits["a 12"].set()
    until(lambda: set(results(tmp_path)) == {0, 1})
    shown = subprocess.run(compare, cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stdout
    assert Counter(model.asked) == Counter(f"a {i}" for i in range(PROBLEMS))


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "hydra/launcher=slurm", "bucketer=percentile,pass_rate,adaptive"),
        ("-cd", "sweeps", "-cn", "curricula", "hydra/launcher=slurm", "seed=1", "trainer.steps=5"),
    ],
)
def test_a_sweep_ends_with_its_table_and_its_page(tmp_path, arguments):
    where = [f"output_dir={tmp_path}/sweep", f"store_dir={tmp_path}/store"]
    own = ["hydra.launcher.cpus_per_task=1", *where]
    done = subprocess.run(
        [sys.executable, "run.py", *arguments, *own],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    assert all(result["status"] == "completed" for result in results(tmp_path).values())
    assert "(control)" in done.stdout or "Agreement of buckets" in done.stdout
    assert done.stdout.rstrip().endswith("/report.html")
    assert (tmp_path / "sweep" / "report.html").stat().st_size > 10_000
