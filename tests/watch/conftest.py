"""Servers of pages, and runs under way that leave files as real ones do."""

from __future__ import annotations

import http.client
import json
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from curriculum.core.prompts import Prompts
from curriculum.samplers import Guards, Uniform
from curriculum.store.lease import held
from curriculum.sweep.jobs import LOCK
from curriculum.trackers.local import LocalTracker
from curriculum.trainers.base import Schedule, Training
from curriculum.trainers.parts.journal import Journal
from curriculum.watch.server import Server
from curriculum.watch.site import Site
from tests.report.conftest import browser, page

__all__ = ["browser", "page"]  # fixtures

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"  # as conf/config.yaml has it


class Visitor:
    """Asks a server as a browser, or somebody else, does."""

    def __init__(self, server: Server) -> None:
        self.server, self.token = server, server.token

    def ask(self, path: str, method: str = "GET", host: str | None = None):
        """The answer to a request for exactly this path, with its body read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if host != "":
            connection.putheader("Host", host or f"127.0.0.1:{self.server.server_port}")
        connection.endheaders()
        answer = connection.getresponse()
        found = SimpleNamespace(
            status=answer.status, headers=answer.headers, body=answer.read().decode()
        )
        connection.close()
        return found

    def get(self, name: str = ""):
        """The answer to somebody who knows the token."""
        return self.ask(f"/{self.token}/{name}")

    def state(self, job: str = ""):
        """What a page is told."""
        return json.loads(self.get(f"{job}state.json").body)


@pytest.fixture
def visit() -> Iterator:
    """A server of a folder's page, and who asks it."""
    servers = []

    def visit(folder: Path) -> Visitor:
        server = Server(Site(folder))
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return Visitor(server)

    yield visit
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def finished(tmp_path_factory, store) -> Path:
    """A run that is done, with a dry run."""
    from tests.conftest import ROOT, run_here

    folder = tmp_path_factory.mktemp("finished") / "run"
    own = [f"output_dir={folder}", f"store_dir={store}", "trainer.steps=4", "report.examples=2"]
    done = run_here(["sampler=frontier", "trainer.plot=false", *own], ROOT, {})
    assert done.returncode == 0, done.stderr
    return folder


def _no_tasks():
    raise AssertionError("nothing is trained")


class Begun:
    """A run of this process that trains, in the words of those who train."""

    def __init__(self, folder: Path, prompts: Prompts) -> None:
        self.folder = folder
        self.tracker = LocalTracker(folder)
        schedule = Schedule(steps=40, batch_size=16, group_size=4)
        training = Training(Uniform(), "uniform", Guards(), schedule, 0, 0.5, False, [], _no_tasks)
        self.journal = Journal(prompts, training, self.tracker)

    def train(self, step: int, **numbers: float) -> None:
        """A step of 16 groups, 4 of them of easy prompts."""
        groups = {"groups": 16.0, "bucket/easy/groups": 4.0, "bucket/hard/groups": 12.0}
        own = {f"sampler/{name}": value for name, value in (groups | numbers).items()}
        self.journal.trained(step, np.arange(2), own)

    def save(self, step: int) -> None:
        """A checkpoint, as far as a page reads it."""
        folder = self.folder / "local" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        self.journal.save(folder / "journal.json")


@pytest.fixture
def begin(tmp_path, finished):
    """A run under way in this process, begun as the finished one was, with another trainer."""

    @contextmanager
    def begin(trainer: str = "local") -> Iterator[Begun]:
        folder = tmp_path / "begun"
        shutil.copytree(finished / ".hydra", folder / ".hydra", copy_function=shutil.copy)
        hydra = folder / ".hydra" / "hydra.yaml"
        hydra.write_text(hydra.read_text().replace("trainer: dry_run", f"trainer: {trainer}"))
        handler = logging.FileHandler(folder / "run.log")
        handler.setFormatter(logging.Formatter(FORMAT))
        root = logging.getLogger()
        root.addHandler(handler)
        level = root.level
        root.setLevel("INFO")
        try:
            with held(folder / LOCK):
                run = Begun(folder, Prompts.load(finished))
                try:
                    yield run
                finally:
                    run.tracker.trained()
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            handler.close()

    return begin
