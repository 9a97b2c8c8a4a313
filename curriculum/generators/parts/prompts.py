"""Prompts as a model reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curriculum.core.errors import UserError

TRUNCATIONS = ("error", "left", "right")
Messages = list[dict[str, Any]]


def messages_of(prompt: Any) -> Messages:
    """A prompt as a chat: a text is what the user says."""
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt


def plain_text(prompt: Any) -> str:
    """A prompt for a model without a chat template: the messages' text."""
    return "\n".join(str(message["content"]) for message in messages_of(prompt))


def chat_text(tokenizer: Any, prompt: Any) -> str:
    """A prompt through the tokenizer's chat template, where it has one."""
    if tokenizer.chat_template is None:
        return plain_text(prompt)
    text: str = tokenizer.apply_chat_template(
        messages_of(prompt), tokenize=False, add_generation_prompt=True
    )
    return text


@dataclass(frozen=True)
class Prompts:
    """Token ids of prompts, of a length that is allowed."""

    tokenizer: Any
    max_prompt_length: int | None  # tokens
    truncation: str  # one of `TRUNCATIONS`

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


def require_truncation(truncation: str) -> None:
    """Raise UserError where there is no such way to cut."""
    if truncation not in TRUNCATIONS:
        raise UserError(f"generator.truncation={truncation}: there are {', '.join(TRUNCATIONS)}")
