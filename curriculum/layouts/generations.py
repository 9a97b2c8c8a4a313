"""Every rollout of a run once more, as verl dumps those of its validation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from curriculum.core.measured import Measured
from curriculum.core.summary import Written, show_files
from curriculum.formats.identity import canonical_prompt
from curriculum.layouts.base import Layout
from curriculum.layouts.settings import Export

LINES = 20_000  # of a file
STEP = 0  # of the training: none was taken yet
FIELDS = ("prompt", "ground_truth", "problem_id", "data_source")


@dataclass(frozen=True)
class Generations(Layout):
    """`generations_{n}.jsonl`: `{input, output, gts, score, step}` with what joins them back.

    `input` is a prompt's text, or its messages where there are several; `step` is 0 in every
    file, for all are of one policy.
    """

    on_request: ClassVar = True

    def write(self, outcome: Measured, folder: Path, export: Export) -> list[Written]:
        """See `Layout`."""
        del export  # the names are verl's
        written: list[Written] = []
        lines = _lines(outcome)
        while part := list(islice(lines, LINES)):
            path = folder / f"generations_{len(written)}.jsonl"
            with path.open("w", encoding="utf-8") as out:
                out.writelines(
                    json.dumps({**line, "step": STEP}, ensure_ascii=False) + "\n" for line in part
                )
            written.append(Written(path, f"{len(part):,} rollouts in verl's form"))
        return written

    def show(self, outcome: Measured, written: Sequence[Written]) -> None:
        """Print the files."""
        show_files(outcome, written)


def _lines(outcome: Measured) -> Iterator[dict[str, Any]]:
    """The rollouts that belong to a problem; a failed one has no score."""
    table = outcome.problems.table
    own = [
        {
            "input": canonical_prompt(json.loads(prompt)),
            "gts": None if truth is None else json.loads(truth),
            "problem_id": problem_id,
            "data_source": source,
        }
        for prompt, truth, problem_id, source in zip(
            *(table[name].to_pylist() for name in FIELDS), strict=True
        )
    ]
    start = 0
    for responses in outcome.rollouts.responses():
        index = outcome.rollouts.index.slice(start, len(responses))
        scores = outcome.rewards["reward"].slice(start, len(responses))
        rows = zip(
            index["problem"].to_pylist(),
            index["sample_idx"].to_pylist(),
            responses.to_pylist(),
            scores.to_pylist(),
            strict=True,
        )
        start += len(responses)
        for problem, sample_idx, response, score in rows:
            if problem >= 0:
                blank = {"input": None, "output": response, "gts": None, "score": score}
                yield blank | own[problem] | {"sample_idx": sample_idx}
