"""Train the small model and write its rollouts: `python -m curriculum.demo.make_rollouts`."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.data.parts.demo_problems import (
    DEMO_SEED,
    Problem,
    demo_problems,
    held_out_prompts,
    training_problems,
)
from curriculum.demo.small_model import (
    Response,
    build_model,
    build_tokenizer,
    sample,
    save_checkpoint,
)
from curriculum.demo.training import Phase, train

PROBLEMS_PER_LEVEL = 42
SAMPLES = 16
TEMPERATURE = 1.0

SCHEMA = pa.schema(
    [
        pa.field("prompt", pa.string()),
        pa.field("response", pa.string()),
        pa.field("data_idx", pa.int64()),
        pa.field("sample_idx", pa.int64()),
        pa.field("finish_reason", pa.string()),
        pa.field("original_data_source", pa.string()),
        pa.field(
            "original_reward_model",
            pa.struct([("style", pa.string()), ("ground_truth", pa.string())]),
        ),
        pa.field(
            "original_extra_info",
            pa.struct(
                [
                    ("index", pa.int64()),
                    ("level", pa.int64()),
                    ("question", pa.string()),
                    ("split", pa.string()),
                ]
            ),
        ),
    ]
)


def main() -> None:
    """Command line of the script."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("rollouts.parquet"))
    parser.add_argument("--checkpoint", type=Path, help="also save the trained model here")
    arguments = parser.parse_args()

    problems = demo_problems(PROBLEMS_PER_LEVEL)
    model, tokenizer = trained_model(problems, arguments.seed)
    if arguments.checkpoint:
        save_checkpoint(model, tokenizer, arguments.checkpoint)
    prompts = [problem.prompt for problem in problems]
    responses = sample(model, tokenizer, prompts, SAMPLES, TEMPERATURE, arguments.seed)
    write_rollouts(arguments.output, problems, responses, arguments.seed)


def trained_model(problems: Sequence[Problem], seed: int) -> tuple[Any, Any]:
    """A model and its tokenizer, trained without the held-out prompts of the problems."""
    import torch

    torch.set_num_threads(1)  # sums over several threads are not reproducible
    model, tokenizer = build_model(seed), build_tokenizer()
    train(model, tokenizer, training_problems(Random(seed), held_out_prompts(problems)), Phase())
    return model, tokenizer


def write_rollouts(
    path: Path, problems: Sequence[Problem], responses: Sequence[Sequence[Response]], seed: int
) -> None:
    """Write one row a response; responses are (problems, samples)."""
    rows = [
        _row(problem, response, data_idx, sample_idx)
        for data_idx, problem in enumerate(problems)
        for sample_idx, response in enumerate(responses[data_idx])
    ]
    table = pa.Table.from_pylist(rows, SCHEMA.with_metadata({"description": _description(seed)}))
    pq.write_table(table, path, compression="zstd")


def _row(problem: Problem, response: Response, data_idx: int, sample_idx: int) -> dict[str, Any]:
    return {
        "prompt": problem.prompt,
        "response": response.text,
        "data_idx": data_idx,
        "sample_idx": sample_idx,
        "finish_reason": response.finish_reason,
        "original_data_source": f"reasoning_gym/{problem.task}",
        "original_reward_model": {"style": "rule", "ground_truth": problem.answer},
        "original_extra_info": {
            "index": problem.index,
            "level": problem.level,
            "question": problem.question,
            "split": "demo",
        },
    }


def _description(seed: int) -> str:
    versions = [f"{name} {version(name)}" for name in ("torch", "transformers", "reasoning-gym")]
    return (
        "Rollouts of a 0.25M-parameter character-level Llama trained and sampled by "
        f"curriculum.demo.make_rollouts with seed {seed} at temperature {TEMPERATURE}, "
        f"{SAMPLES} a problem. Problems are reasoning-gym items of seed {DEMO_SEED}. "
        f"Made with {', '.join(versions)}."
    )


if __name__ == "__main__":
    main()
