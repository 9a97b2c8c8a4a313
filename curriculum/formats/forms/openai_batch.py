"""Files of OpenAI's batch interface, which vLLM's `run-batch` writes too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import Row


class BatchRequest(Form):
    """A row a problem: `custom_id, method, url, body`; its answers stand in another file.

    Source: OpenAI's batch guide.
    """

    name: ClassVar = "requests of a batch"
    took: ClassVar = {"problem_id": "custom_id", "prompt": "body.messages"}

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        return {"custom_id", "body"} <= set(row)

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        body = row["body"]
        prompt = next((body[key] for key in ("messages", "input", "prompt") if body.get(key)), None)
        return {"problem_id": row["custom_id"], "prompt": prompt, "responses": [], "rewards": []}


class BatchOutput(Form):
    """A row a request: `custom_id, response, error`; its prompt is that of the request.

    Source: OpenAI's batch guide, vLLM's entrypoints/openai/run_batch.py.
    """

    name: ClassVar = "outputs of a batch"
    took: ClassVar = {
        "problem_id": "custom_id",
        "prompt": "the request of the same custom_id",
        "response": "response.body.choices",
    }

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        return {"custom_id", "response", "error"} <= set(row) and _is_call(row["response"])

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        call = row["response"] or {}
        body = call.get("body") or {}
        error = row["error"] or body.get("error")
        if not error and call.get("status_code", 200) != 200:
            error = f"status {call['status_code']}"
        if not error and not body.get("choices"):
            error = "no choices"
        choices = [None] if error else body["choices"]
        return {
            "problem_id": row["custom_id"],
            "responses": choices,
            "rewards": [None] * len(choices),
            "error": [_told(error)] if error else None,
        }


def _is_call(response: Any) -> bool:
    return response is None or (isinstance(response, Mapping) and "body" in response)


def _told(error: Any) -> str:
    said = error.get("message") if isinstance(error, Mapping) else error
    return str(said or error)
