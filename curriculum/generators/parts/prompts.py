"""Prompts as token ids, of a length that is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from curriculum.core.errors import UserError
from curriculum.integrations.chats import chat_text

Truncation = Literal["error", "left", "right"]  # of longer prompts


@dataclass(frozen=True)
class Tokenized:
    """Token ids of prompts, of a length that is allowed."""

    tokenizer: Any
    max_prompt_length: int | None  # tokens
    truncation: Truncation

    def ids(self, prompt: Any) -> list[int]:
        """A prompt's tokens.

        Raises:
            UserError: where there are too many and none may be cut off.
        """
        text = chat_text(self.tokenizer, prompt)
        # A chat template has the special tokens in it.
        special = self.tokenizer.chat_template is None
        ids: list[int] = self.tokenizer(text, add_special_tokens=special)["input_ids"]
        limit = self.max_prompt_length
        if limit is None or len(ids) <= limit:
            return ids
        if self.truncation == "error":
            raise UserError(
                f"a prompt has {len(ids)} tokens, more than generator.max_prompt_length={limit}: "
                f"{text[:80]!r}. Raise it, or set generator.truncation=left or right."
            )
        return ids[-limit:] if self.truncation == "left" else ids[:limit]
