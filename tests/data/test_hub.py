"""Datasets of the hub by name, from a server that answers as the hub does."""

import hashlib
import json
import re
import shutil
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

pytest.importorskip("datasets", reason="datasets is not installed; CI has it elsewhere")

pytestmark = pytest.mark.slow

NAME = "openai/gsm8k"
INSTRUCTION = ' Let\'s think step by step and output the final answer after "####".'
FIRST, SECOND = "a" * 40, "b" * 40  # commits
ADDRESS = re.compile(r"(?:/api)?/datasets/([^/]+/[^/]+)(?:/([^/]+)/([^/]+)(?:/(.*))?)?")
CARD = """---
configs:
- config_name: main
  data_files:
  - {split: train, path: main/train.jsonl}
  - {split: test, path: main/test.jsonl}
- config_name: socratic
  data_files:
  - {split: train, path: socratic/train.jsonl}
---
"""


class Server(ThreadingHTTPServer):
    commits: dict[str, dict[str, bytes]]


class Hub(BaseHTTPRequestHandler):
    """One dataset, public, with commits {sha: {path: bytes}}, the last one the newest."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        found = ADDRESS.fullmatch(urllib.parse.unquote(urllib.parse.urlparse(self.path).path))
        name, kind, revision, path = found.groups(default="") if found else [""] * 4
        commits = self.server.commits
        sha = list(commits)[-1] if revision in ("", "main") else revision
        if name != NAME:
            self.answer(404, {}, error="RepoNotFound")
        elif sha not in commits:
            self.answer(404, {}, error="RevisionNotFound")
        elif kind == "resolve":
            self.file(sha, commits[sha].get(path))
        elif kind in ("", "revision"):
            self.answer(200, {"id": NAME, "sha": sha, "siblings": [], "tags": []})
        else:
            files, deep = commits[sha], "recursive=true" in self.path
            if kind == "paths-info":
                self.answer(200, list(_infos(files, _paths(asked))))
            else:
                self.answer(200, list(_tree(files, f"{path}/" if path else "", deep)))

    do_HEAD = do_POST = do_GET

    def file(self, sha, content):
        if content is None:
            self.answer(404, {}, error="EntryNotFound", commit=sha)
        else:
            self.answer(200, content, commit=sha)

    def answer(self, status, body, error=None, commit=None):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        headers = {"X-Error-Code": error, "X-Repo-Commit": commit, "ETag": f'"{_id(content)}"'}
        for key, value in {**headers, "Content-Length": len(content)}.items():
            if value is not None:
                self.send_header(key, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args):
        """Nothing: what is asked is no part of a test's output."""


def _id(content):
    return hashlib.sha1(content).hexdigest()


def _paths(asked):
    try:
        return json.loads(asked)["paths"]
    except ValueError:
        return urllib.parse.parse_qs(asked)["paths"]


def _infos(files, wanted):
    for path, content in files.items():
        if path in wanted:
            yield {"type": "file", "path": path, "size": len(content), "oid": _id(content)}
    for path in wanted:
        if any(each.startswith(f"{path}/") for each in files):
            yield {"type": "directory", "path": path, "oid": ""}


def _tree(files, folder, deep):
    inside = [path for path in files if path.startswith(folder)]
    below = {folder + path[len(folder) :].partition("/")[0] for path in inside}
    yield from _infos(files, inside if deep else below)


def content(start):
    """Questions that begin with a number, which tells commit, split and subset apart."""

    def file(number):
        row = {"question": f"{number} + 1?", "answer": f"Sum.\n#### {number + 1}"}
        return json.dumps(row).encode()

    return {
        "README.md": CARD.encode(),
        "main/train.jsonl": file(start),
        "main/test.jsonl": file(start + 1),
        "socratic/train.jsonl": file(start + 2),
    }


@pytest.fixture
def hub():
    server = Server(("127.0.0.1", 0), Hub)
    server.commits = {FIRST: content(100)}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def read(run_process, tmp_path, hub):
    """What data=gsm8k finds, as the number its question begins with; else what is wrong."""

    def read(*overrides, **environment):
        rows = [
            {"prompt": f"{number} + 1?{INSTRUCTION}", "response": str(number + 1)}
            for number in (*range(100, 103), *range(200, 203))
        ]
        path = tmp_path / "rollouts.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        done = run_process(
            *("data=gsm8k", f"generator.path={path}", "reward=exact_match", *overrides),
            f"store_dir={tmp_path}/store",
            HF_HOME=str(tmp_path / "cache"),
            HF_ENDPOINT=f"http://127.0.0.1:{hub.server_address[1]}",
            HF_HUB_DISABLE_XET="1",  # another protocol for files, with servers of its own
            **environment,
        )
        if done.returncode:
            assert "Traceback" not in done.stderr, done.stderr
            return done.stderr
        (row,) = pd.read_parquet(tmp_path / "out" / "problems.parquet").to_dict("records")
        assert (row["data_source"], row["mean_reward"]) == (NAME, 1.0)
        return int(row["ground_truth"]) - 1

    return read


def test_a_name_is_a_dataset_of_the_hub(read):
    assert read() == 100
    assert read("data.split=test") == 101
    assert read("data.subset=socratic") == 102


def test_a_new_commit_is_read_and_an_old_one_where_it_is_named(read, hub):
    assert read() == 100
    hub.commits[SECOND] = content(200)
    assert read() == 200
    assert read(f"data.revision={FIRST}") == 100


def test_what_was_read_once_is_there_without_the_hub(read, hub, tmp_path):
    assert read() == 100
    hub.commits[SECOND] = content(200)
    assert read(HF_HUB_OFFLINE="1") == 100
    assert read() == 200
    shutil.rmtree(tmp_path / "store")
    assert read(HF_HUB_OFFLINE="1") == 200
    assert "['main']" in read("data.subset=socratic", HF_HUB_OFFLINE="1")
    # The library would give the newest that it has.
    assert SECOND in read(f"data.revision={FIRST}", HF_HUB_OFFLINE="1")


def test_the_stamp_is_the_commit_with_the_hub_and_without(read, tmp_path):
    read()
    read(HF_HUB_OFFLINE="1")
    (manifest,) = (tmp_path / "store").glob("problems-*/manifest.json")
    (file,) = json.loads(manifest.read_text())["made_of"]["files"]
    assert file == [f"hf://datasets/{NAME}", 0, FIRST]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data.subset=nope", ["'nope' not found", "['main', 'socratic']"]),
        ("data.subset=null", ["['main', 'socratic']"]),
        ("data.split=nope", ['"nope"', "['train', 'test']", "data.split"]),
        ("data.revision=nope", ["nope", NAME]),
        ("data.path=nobody/nothing", ["nobody/nothing", "data.path"]),
    ],
)
def test_what_is_not_there_is_told_with_what_is(read, override, words):
    told = read(override)
    assert all(word in told for word in words), told


def test_rollouts_of_a_dataset_of_the_hub_are_read_by_its_address(run_process, tmp_path, hub):
    rows = [{"prompt": f"q{i // 2}", "response": str(i), "reward": i % 2} for i in range(8)]
    for name, part in (("a", rows[:4]), ("b", rows[4:])):
        path = tmp_path / f"{name}.parquet"
        pd.DataFrame(part).to_parquet(path)
        hub.commits[FIRST][f"rollouts/{name}.parquet"] = path.read_bytes()
    for place in ("rollouts", "rollouts/*.parquet", f"@{FIRST}/rollouts/*.parquet"):
        done = run_process(
            *("data=rollouts", f"data.path=hf://datasets/{NAME}/{place}".replace("/@", "@")),
            f"store_dir={tmp_path}/store",
            HF_HOME=str(tmp_path / "cache"),
            HF_ENDPOINT=f"http://127.0.0.1:{hub.server_address[1]}",
            HF_HUB_DISABLE_XET="1",
        )
        assert done.returncode == 0, done.stderr
        found = pd.read_parquet(tmp_path / "out" / "problems.parquet")
        assert found["prompt"].tolist() == ["q0", "q1", "q2", "q3"]
        assert found["mean_reward"].tolist() == [0.5] * 4
