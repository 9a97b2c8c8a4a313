"""What is killed: a command of each way through the program, on small inputs of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.generators.test_openai import PASSES

PROBLEMS, SAMPLES = 24, 4
CONCURRENCY = 2  # requests under way at once, each a batch
REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info):
    return float(solution_str.strip() == ground_truth)
"""


@dataclass(frozen=True)
class Journey:
    """A command; `{inputs}` and `{url}` in it are the folder of the inputs and the server."""

    name: str
    arguments: tuple[str, ...]

    def command(self, inputs: Path, url: str) -> list[str]:
        """Its arguments, with the folders that the run writes in."""
        given = [each.format(inputs=inputs, url=url) for each in self.arguments]
        return [*given, "output_dir=out", "store_dir=store"]


SERVED = (
    *("data=verl", "data.path={inputs}/problems.jsonl", "reward=exact_match"),
    *("generator=openai", "generator.url={url}", "model.path=tiny", f"num_samples={SAMPLES}"),
    *(f"generator.concurrency={CONCURRENCY}", f"generator.batch_size={SAMPLES}"),
    "reward.workers=1",
)
READ = ("data=rollouts", "data.path={inputs}/rollouts.jsonl", "reward.workers=1")
SCORED = ("data=rollouts", "data.path={inputs}/scored.jsonl")

JOURNEYS = (
    Journey("read", (*READ, "reward=exact_match")),
    Journey("function", (*READ, "reward=function", "reward.path={inputs}/my_reward.py")),
    Journey("served", SERVED),
    Journey("rounds", (*SERVED, "budget=sequential", "budget.cap=8", "bucketer=pass_rate")),
    Journey("stages", ("preset=curriculum", "data.path={inputs}/scored.jsonl")),
    Journey("sweep", ("-m", *SCORED, "bucketer=percentile,pass_rate")),
    Journey("dry_run", (*SCORED, "sampler=thompson", "trainer.steps=20")),
)


def write_inputs(folder: Path) -> None:
    """Problems for a server, rollouts with rewards and without, and a function that scores them."""
    folder.mkdir(parents=True)
    prompts = [f"{number}+{number}=" for number in range(PROBLEMS)]
    problems = [{"prompt": prompt, "ground_truth": PASSES} for prompt in prompts]
    _write_lines(folder / "problems.jsonl", problems)
    rollouts = [
        {**problem, "data_source": "sums", "data_idx": row, "sample_idx": k}
        | {"response": PASSES if (row * k) % 7 < row % 4 else str(k)}
        for row, problem in enumerate(problems)
        for k in range(SAMPLES)
    ]
    _write_lines(folder / "rollouts.jsonl", rollouts)
    scored = [each | {"reward": float(each["response"] == PASSES)} for each in rollouts]
    _write_lines(folder / "scored.jsonl", scored)
    (folder / "my_reward.py").write_text(REWARD)


def _write_lines(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
