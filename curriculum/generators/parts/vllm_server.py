"""A vLLM server that a run starts for itself and ends with it."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from curriculum.core.errors import UserError

log = logging.getLogger(__name__)

MODULE = "vllm.entrypoints.openai.api_server"  # `vllm serve` is missing from the CPU build
HOST = "127.0.0.1"
LAST_LINES = 15


@dataclass(frozen=True)
class VllmServer:
    """A server under way, on a port and with a key of its own."""

    url: str
    key: str
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, model: str, python: str | None, args: Sequence[str], timeout: float) -> Self:
        """Start a server and wait until it is ready.

        Args:
            python: of the environment that has vLLM; None: this one.
            args: further arguments of vLLM's.
            timeout: seconds until it must be ready.

        Raises:
            UserError: with the end of the server's log, where it is not.
        """
        port, key = _free_port(), secrets.token_urlsafe(16)
        command = [
            *(sys.executable, "-m", "curriculum.generators.parts.leash", python or sys.executable),
            *("-m", MODULE, "--model", model, "--served-model-name", model),
            # The model's own generation_config would change the sampling unasked.
            *("--host", HOST, "--port", str(port), "--generation-config", "vllm", *args),
        ]
        handle, path = tempfile.mkstemp(prefix="curriculum-vllm-", suffix=".log")
        log.info("starting a vLLM server for %s; its log: %s", model, path)
        with os.fdopen(handle, "wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"VLLM_API_KEY": key},
            )
        server = cls(f"http://{HOST}:{port}/v1", key, process)
        server._wait(f"http://{HOST}:{port}/health", timeout, Path(path))
        return server

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()

    def _wait(self, health: str, timeout: float, output: Path) -> None:
        deadline = time.monotonic() + timeout
        while not _answers(health):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.stop()
                last = "\n  ".join(output.read_text(errors="replace").splitlines()[-LAST_LINES:])
                what = (
                    "ended" if ended else f"was not ready in generator.server_timeout={timeout:g} s"
                )
                raise UserError(f"the vLLM server {what}; the end of {output}:\n  {last}")
            time.sleep(0.5)
        log.info("the vLLM server is ready")


def _answers(url: str) -> bool:
    direct = build_opener(ProxyHandler({}))
    try:
        with direct.open(url, timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
