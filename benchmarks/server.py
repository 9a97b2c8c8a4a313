"""How busy `generator=openai` keeps a vLLM server, against vLLM's own benchmark client.

    python benchmarks/server.py --args='--enforce-eager --dtype float32'

Both send the same prompts, as many at once, to one server with the demo's small model, in turns.
Every response is as long as the limit, so that both have the same work done. There is little work
in a token here, so it is the clients that are measured: a usual model brings the ratio nearer to 1.

Rounds differ several-fold on few cores, whoever asks: vLLM's processes spin there while they wait
for each other, and now and then let a new request in only when the last one is done. So it is the
median that counts, over rounds in which each is first in turn.

vLLM's client has its answers streamed, a token at a time, and keeps none of them; ours writes them
as a run does.
"""

import argparse
import json
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, cast

import numpy as np
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from curriculum.config.build import build
from curriculum.config.conf import conf_dir
from curriculum.core.records import Asked
from curriculum.core.terminal import console, plain_table
from curriculum.data.parts.demo_problems import demo_problems
from curriculum.demo.make_rollouts import PROBLEMS_PER_LEVEL
from curriculum.demo.stored import stored
from curriculum.generators import OpenAI
from curriculum.generators.parts.vllm_server import VllmServer
from curriculum.run.generating import parts
from curriculum.run.generating.plan import plan
from curriculum.store.entries import Store

LOADS = {1: 500, 16: 125}  # samples of a request: requests
KEY = "OPENAI_API_KEY"  # the variable that vLLM's client reads


def our_generator(server: VllmServer, model: str, tokens: int, concurrency: int) -> OpenAI:
    """As the configuration makes it."""
    options = {
        "generator": "openai",
        "model.path": model,
        "generator.url": server.url,
        "generator.api": "completions",
        "generator.extra_body": "{ignore_eos: true}",
        "generator.max_new_tokens": tokens,
        "generator.concurrency": concurrency,
    }
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("config", [f"{key}={value}" for key, value in options.items()])
    generator: OpenAI = build(
        cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True)), "generator"
    )
    return generator


def seconds_of_ours(generator: OpenAI, prompts: Sequence[str], samples: int) -> float:
    """Of generating and writing it."""
    asked = [Asked(problem, 0, samples) for problem in range(len(prompts))]
    ids = [str(problem) for problem in range(len(prompts))]
    batches = plan(prompts, ids, asked, time.time_ns(), generator.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for batch, responses in generator.generate(batches):
            parts.write(Path(folder), batch, responses)
        return time.perf_counter() - start


def seconds_of_theirs(
    server: VllmServer, generator: OpenAI, prompts: Sequence[str], samples: int
) -> float:
    """As it measures them."""
    from vllm.benchmarks import serve

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "prompts.jsonl")
        path.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
        options = {
            "base-url": server.url.removesuffix("/v1"),
            "endpoint": "/v1/completions",
            "backend": "openai",
            "model": generator.model,
            "dataset-name": "custom",
            "dataset-path": path,
            "num-prompts": len(prompts),
            "custom-output-len": generator.max_new_tokens,
            "temperature": generator.temperature,
            "max-concurrency": generator.concurrency,
            "extra-body": f'{{"n": {samples}}}',
        }
        parser = argparse.ArgumentParser()
        serve.add_cli_args(parser)
        switches = ["--ignore-eos", "--skip-chat-template", "--disable-tqdm"]
        arguments = parser.parse_args([*switches, *(f"--{k}={v}" for k, v in options.items())])
        with redirect_stdout(StringIO()):
            measured = serve.main(arguments)
    assert measured["completed"] == len(prompts)
    assert measured["total_output_tokens"] == len(prompts) * samples * generator.max_new_tokens
    return float(measured["duration"])


def in_turns(
    ours: Callable[[], float], theirs: Callable[[], float], turn: int
) -> tuple[float, float]:
    """Of both, each of which is the first every other time."""
    if turn % 2:
        seconds = theirs()
        return ours(), seconds
    return ours(), theirs()


def main() -> None:
    """Print throughputs, medians over rounds, and the ratios of the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="folder of a model; the demo's small one unless given")
    parser.add_argument("--args", default="", help="further arguments of the server")
    parser.add_argument("--tokens", type=int, default=64, help="of every response")
    parser.add_argument("--concurrency", type=int, default=64, help="requests at once")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    model = arguments.model or str(stored("small", Store("outputs/store")))
    prompts = [problem.prompt for problem in demo_problems(PROBLEMS_PER_LEVEL)]
    table = plain_table("Requests a second", "samples of each", "ours", "vLLM's client", "ratio")
    table.add_column("of the rounds")
    os.environ["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"] = "60"  # vLLM's client meets closed ones otherwise
    with ExitStack() as under_way:
        server = VllmServer.start(model, None, shlex.split(arguments.args), 900)
        under_way.callback(server.stop)
        os.environ[KEY] = server.key
        generator = our_generator(server, model, arguments.tokens, arguments.concurrency)
        for samples, requests in LOADS.items():
            ours = partial(seconds_of_ours, generator, prompts[:requests], samples)
            theirs = partial(seconds_of_theirs, server, generator, prompts[:requests], samples)
            ours()  # to warm up
            pairs = [in_turns(ours, theirs, turn) for turn in range(arguments.rounds)]
            own, other = np.median(requests / np.array(pairs), 0)
            ratios = [theirs_took / took for took, theirs_took in pairs]
            table.add_row(
                *(str(samples), f"{own:.0f}", f"{other:.0f}", f"{np.median(ratios):.2f}"),
                " ".join(f"{each:.2f}" for each in sorted(ratios)),
            )
    console().print(table)
    console().print(f"Tokens a second: times samples, times {arguments.tokens}.")


if __name__ == "__main__":
    main()
