"""Rollouts of NeMo Gym (`ng_collect_rollouts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import Row

KNOWN = ("responses_create_params", "response", "reward")


class NemoGym(Form):
    """A row a rollout: `responses_create_params, response, reward`, in OpenAI's Responses form.

    Source: BaseVerifyResponse of NVIDIA's NeMo-Gym; Responses API of OpenAI.
    """

    name: ClassVar = "NeMo Gym's rollouts"
    took: ClassVar = {
        "prompt": "responses_create_params.input",
        "response": "response.output",
        "reward": "reward",
        "ground_truth": "expected_answer or ground_truth or answer",
    }

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        return {"responses_create_params", "response"} <= set(row)

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        call = row["response"] or {}
        asked = row["responses_create_params"]
        error = call.get("error") or (None if row["response"] else "no response")
        cut_off = (call.get("incomplete_details") or {}).get("reason") == "max_output_tokens"
        truths = ("ground_truth", "expected_answer", "answer")
        return {
            "prompt": asked["input"] if isinstance(asked, Mapping) else None,
            "ground_truth": next((row[key] for key in truths if row.get(key) is not None), None),
            "extra_info": {key: value for key, value in row.items() if key not in KNOWN} or None,
            "response": _text(call.get("output") or []),
            "reward": row.get("reward"),
            "finish_reason": "length" if cut_off else None,
            "error": str(error) if error else None,
        }


def _text(output: Sequence[Mapping[str, Any]]) -> str | None:
    """What the assistant said last; calls of tools are no answers."""
    said = [item for item in output if item.get("type") == "message"]
    if not said:
        return None
    content = said[-1].get("content")
    if isinstance(content, str) or content is None:
        return content
    return "".join(part.get("text") or "" for part in content)
