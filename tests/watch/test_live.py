"""Runs and sweeps of other processes, followed while they are under way."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from curriculum.config.conf import conf_dir
from curriculum.watch import sweep
from curriculum.watch.run import look

PROBLEMS = 12


class Slow(ThreadingHTTPServer):
    """Speaks OpenAI's protocol, and answers as many requests as it is allowed."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.allowed = threading.Semaphore(0)
        self.ended = threading.Event()

    def handle_error(self, request, client_address):
        """A client that is gone is nothing to report."""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Slow

    def log_message(self, *arguments):
        pass

    def reply(self, answer):
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.reply({"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.allowed.acquire()
        if self.server.ended.is_set():
            return
        choices = [
            {"index": k, "finish_reason": "stop", "message": {"content": str(k % 2)}}
            for k in range(body["n"])
        ]
        self.reply({"choices": choices, "usage": {"completion_tokens": len(choices)}})


@pytest.fixture
def server():
    slow = Slow()
    threading.Thread(target=slow.serve_forever, args=(0.02,), daemon=True).start()
    yield slow
    slow.ended.set()
    slow.allowed.release(1000)
    slow.shutdown()
    slow.server_close()


@pytest.fixture
def start(server, tmp_path):
    """A process of `run.py` whose rollouts are made by the server, ended with the test."""
    rows = [{"prompt": f"{i}?", "ground_truth": "1"} for i in range(PROBLEMS)]
    pd.DataFrame(rows).to_json(tmp_path / "problems.jsonl", orient="records", lines=True)

    @contextmanager
    def start(*overrides):
        command = [
            *(sys.executable, "run.py", *overrides, "data=verl"),
            f"data.path={tmp_path}/problems.jsonl",
            *("reward=exact_match", "reward.workers=1", "generator=openai", "model.path=tiny"),
            *(f"generator.url=http://127.0.0.1:{server.server_port}/v1", "generator.batch_size=4"),
            *("generator.concurrency=1", f"output_dir={tmp_path}/out"),
            f"store_dir={tmp_path}/store",
        ]
        process = subprocess.Popen(
            command,
            cwd=conf_dir().parent,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    return start


def wait(until, seconds=60):
    """What is true in the end."""
    end = time.monotonic() + seconds
    while not (found := until()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)
    return found


@pytest.mark.slow
def test_rounds_of_rollouts_are_followed_to_the_page_of_the_run(server, start, visit, tmp_path):
    out = tmp_path / "out"
    with start("budget=sequential", "budget.first=4", "budget.cap=8") as process:
        wait((out / ".hydra" / "overrides.yaml").exists)
        wait(lambda: (seen := look(out)).bars and seen.bars[0].amount == "0 of 48 rollouts")
        visitor = visit(out)
        assert "running" in visitor.get().body
        # A request is a problem's four samples, and a batch.
        server.allowed.release(5)
        wait(lambda: "20 of 48 rollouts" in visitor.state()["html"])
        seen = look(out)
        assert (seen.rollouts, seen.rounds) == (20, [])
        server.allowed.release(7)
        seen = wait(lambda: (seen := look(out)).rounds and seen)
        (first, rollouts), *_ = seen.rounds
        assert (first.number, first.problems, rollouts) == (1, PROBLEMS, 48)
        wait(lambda: "0 of 48 rollouts" in visitor.state()["html"])
        server.allowed.release(1000)
        assert process.wait(60) == 0
    wait(lambda: visitor.state()["report"] == "report.html")
    spent = json.loads((out / "result.json").read_text())["budget"]["rollouts"]
    assert look(out).rollouts == spent == 96


@pytest.mark.slow
def test_a_killed_run_and_the_next_count_their_rollouts_once(server, start, tmp_path):
    out = tmp_path / "out"
    server.allowed.release(5)
    with start("num_samples=4"):
        wait(lambda: (out / "run.log").exists() and look(out).rollouts == 20)
    seen = look(out)
    assert (seen.standing.status, seen.bars[0].amount) == ("unfinished", "20 of 48 rollouts")
    server.allowed.release(2)
    with start("num_samples=4"):
        wait(lambda: (seen := look(out)).standing.status == "running" and seen.rollouts >= 24)
        assert look(out).bars[0].total == 48


@pytest.mark.slow
def test_jobs_of_a_sweep_are_followed_one_by_one(server, start, visit, tmp_path):
    out = tmp_path / "out"
    with start("-m", "num_samples=4", "bucketer.edges=null,none.json,null") as process:
        wait(lambda: (out / "0" / ".hydra" / "overrides.yaml").exists())
        visitor = visit(out)
        server.allowed.release(5)
        wait(lambda: "20 of 48 rollouts" in visitor.state()["html"])
        assert "20 of 48 rollouts" in visitor.get("0/").body
        assert 'src="../live.js"' in visitor.get("0/").body
        rows = sweep.view(out).shown["jobs"]
        assert [row["status"] for row in rows] == ["running", "to come", "to come"]
        assert rows[1]["choice"] == "bucketer.edges=none.json"
        for name in ("3/", "../0/", "0/0/", "0/../0/", ".hydra/", "0/live.js"):
            assert visitor.get(name).status == 404
        server.allowed.release(1000)
        assert process.wait(60) == 1
    rows = sweep.view(out).shown["jobs"]
    assert [row["status"] for row in rows] == ["completed", "failed", "completed"]
    assert "none.json" in rows[1]["error"] and rows[0]["told"] == "48 rollouts"
    assert wait(lambda: visitor.state()["report"]) == "report.html"
    assert visitor.get("1/").headers["Location"] == "report.html"
    assert "This run failed" in visitor.get("1/report.html").body
