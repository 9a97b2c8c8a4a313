"""`samples_*.jsonl` of the LM Evaluation Harness (`--log_samples`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import Row

NAME = re.compile(r"samples_(.+?)_\d{4}-\d\d-\d\d")  # of a file: its task


class LmEval(Form):
    """A row a document and filter: `doc, target, arguments, resps, metrics`, a column a metric.

    A metric is about what the filter left of all responses to a document: where there are several
    they have no reward of their own, and are scored anew.

    Source: EvaluationTracker.save_results_samples of lm-eval 0.4.
    """

    name: ClassVar = "lm-eval's samples"
    took: ClassVar = {
        "prompt": "arguments.gen_args_0.arg_0",
        "response": "resps",
        "reward": "the columns that `metrics` names",
        "ground_truth": "target",
        "data_source": "the file's name",
        "extra_info": "doc",
    }

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        return {"doc_id", "arguments", "resps", "target"} <= set(row)

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        responses = _responses(row["resps"])
        metrics = {name: row.get(name) for name in row.get("metrics") or ()}
        count = len(responses)
        task = NAME.match(PurePosixPath(url).name)
        return {
            "prompt": _prompt(row["arguments"]),
            "ground_truth": row["target"],
            "data_source": task[1] if task else None,
            "extra_info": {"doc": row.get("doc"), "doc_id": row["doc_id"]},
            "data_idx": row["doc_id"],
            "sample_idx": list(range(count)),  # a second filter's row is of the same responses
            "responses": responses,
            "rewards": [metrics or None] if count == 1 else [None] * count,
        }


def _responses(resps: Any) -> list[str]:
    requests = resps if isinstance(resps, list) else [resps]
    if len(requests) != 1:
        raise ValueError(f"log-likelihoods of {len(requests)} choices, no responses")
    responses = requests[0] if isinstance(requests[0], list) else [requests[0]]
    if not all(isinstance(response, str) for response in responses):
        raise ValueError("log-likelihoods, no responses")
    return responses


def _prompt(arguments: Any) -> Any:
    """Of the first request: `{"gen_args_0": {"arg_0": ...}}`, or `[[..., ...]]` of older ones."""
    if isinstance(arguments, Mapping):
        return arguments["gen_args_0"]["arg_0"]
    return arguments[0][0]
