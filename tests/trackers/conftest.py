"""A server that stands in for W&B's, and what a run has recorded, read by W&B's own reader."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

KEY = "0123456789" * 4


class Server:
    """Takes runs as W&B's server does; what it is not asked by these tests it does not know."""

    def __init__(self):
        self.runs = {}  # by id: what was last said of each
        self.rows: defaultdict[str, dict] = defaultdict(dict)  # by id: history, by its place
        self.exit_codes = {}
        self.files = set()
        self.refuses = False  # every key
        self.silent = threading.Event()  # whether it answers no more
        self.silent_after = None  # requests
        self._taken = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except ConnectionError:  # clients that end don't say goodbye
                    self.close_connection = True

            def answer(self):
                body = self.body()
                server._taken += 1
                if server.silent_after is not None and server._taken > server.silent_after:
                    server.silent.set()
                if server.silent.is_set():
                    self.close_connection = True
                    return
                answer = json.dumps(server.answer(self.path, body)).encode()
                self.send_response(401 if server.refuses else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = answer

            def body(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                return gzip.decompress(body) if self.headers.get("Content-Encoding") else body

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, path, body):
        if path == "/graphql":
            asked = json.loads(body)
            named = re.search(r"(?:query|mutation)\s+(\w+)", asked["query"])
            assert named is not None
            known = getattr(self, f"_{named[1]}", None)
            return {"data": known(asked.get("variables") or {}) if known else {}}
        if path.endswith("/file_stream"):
            self._stream(path.split("/")[-2], json.loads(body))
        elif path.startswith("/storage/"):
            self.files.add(path.removeprefix("/storage/"))
        return {}

    def history(self, run):
        """Rows that have arrived, in their order."""
        return [json.loads(self.rows[run][place]) for place in sorted(self.rows[run])]

    def _stream(self, run, said):
        for name, part in (said.get("files") or {}).items():
            if name == "wandb-history.jsonl":
                lines = enumerate(part["content"], part.get("offset", 0))
                self.rows[run].update(lines)
        if said.get("complete"):
            self.exit_codes[run] = said["exitcode"]

    def _UpsertBucket(self, said):
        run = said["name"]
        self.runs.setdefault(run, {}).update({k: v for k, v in said.items() if v is not None})
        project = {"id": "p", "name": said["project"], "entity": {"id": "e", "name": "me"}}
        name = said.get("displayName") or run
        bucket = {"id": run, "name": run, "displayName": name, "project": project}
        bucket |= {"description": "", "config": "{}", "sweepName": "", "historyLineCount": 0}
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}

    def _CreateRunFiles(self, said):
        files = [{"name": n, "uploadUrl": f"{self.url}/storage/{n}"} for n in said["files"]]
        return {"createRunFiles": {"runID": "run", "uploadHeaders": [], "files": files}}

    def _CreateArtifact(self, said):
        artifact = {"id": "a", "state": "COMMITTED"}  # as one that is there already
        return {"createArtifact": {"artifact": artifact | {"artifactSequence": None}}}

    def _ServerFeaturesQuery(self, said):
        return {"serverInfo": {"features": []}}

    def _OrganizationCoreWeaveOrganizationID(self, said):
        return {"entity": {"organization": None}}


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    """Nothing of the W&B account of whoever runs the tests."""
    import os

    for name in [each for each in os.environ if each.startswith(("WANDB_", "SLURM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def no_earlier_run(monkeypatch):
    """None of this process for which no server was found, and that the next would go by."""
    from curriculum.trackers.parts.delivery import Delivery

    monkeypatch.setattr(Delivery, "given_up", None)


@pytest.fixture
def online(server):
    """The environment of somebody who has a key and a server."""
    return {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": server.url}


def wandb(*arguments, **options):
    """Its command line, which leaves a log where it is called."""
    return subprocess.run(
        [sys.executable, "-m", "wandb", *map(str, arguments)],
        capture_output=True,
        text=True,
        **options,
    )


class Recorded:
    """One run of W&B's on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (path,) = folder.glob("run-*.wandb")
        done = wandb("leet", "inspect", "--json", path, cwd=folder.parent)
        assert done.returncode == 0, done.stderr
        records = [json.loads(line) for line in done.stdout.splitlines()]
        kinds = ("run", "config", "history", "summary", "metric")
        self.records: dict[str, list] = {kind: [] for kind in kinds}
        for each in records:
            self.records.setdefault(each["type"], []).append(each.get(each["type"]))
        self.run = self.records["run"][0]
        self.id = self.run["run_id"]
        self.config = dict(self.run["config"]["update"])
        for each in self.records["config"]:
            self.config |= each["update"]
        self.summary: dict[str, Any] = {}
        for each in self.records["summary"]:
            self.summary |= each["update"]
        self.history = [each["item"] for each in self.records["history"]]

    @property
    def exit_code(self):
        (found,) = self.records["exit"]
        return found.get("exit_code", 0)

    def table(self, name):
        """Rows of a table, by its columns."""
        import pandas as pd

        (path,) = (self.folder / "files" / "media" / "table" / "tables").glob(f"{name}_*.json")
        found = json.loads(path.read_text())
        return pd.DataFrame(found["data"], columns=found["columns"])

    def rows(self, name):
        """Steps and values of a number of the training."""
        key = f"train/{name}"
        return {row["train/step"]: row[key] for row in self.history if key in row}


@pytest.fixture
def recorded():
    """The only run that is recorded in a folder."""

    def recorded(folder: Path) -> Recorded:
        (found,) = (folder / "wandb").glob("offline-run-*")
        return Recorded(found)

    return recorded


@pytest.fixture
def sync(tmp_path):
    """`wandb sync`, as a run says it."""

    def sync(said: str, **environment: str) -> subprocess.CompletedProcess[str]:
        import os

        found = re.search(r"wandb sync (\S+)", said)
        assert found is not None
        return wandb("sync", found[1], env=os.environ | environment, timeout=60, cwd=tmp_path)

    return sync
