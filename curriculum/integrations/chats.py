"""Prompts as a model reads them: chats, texts, and texts made of chats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Messages = list[dict[str, Any]]


def messages_of(prompt: Any) -> Messages:
    """A prompt as a chat: a text is what the user says."""
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt


def plain_text(prompt: Any) -> str:
    """A prompt for a model without a chat template: the messages' text."""
    if isinstance(prompt, str):
        return prompt
    return "\n".join(str(message["content"]) for message in messages_of(prompt))


def chat_text(tokenizer: Any, prompt: Any) -> str:
    """A prompt through the tokenizer's chat template, where it has one."""
    if tokenizer.chat_template is None:
        return plain_text(prompt)
    text: str = tokenizer.apply_chat_template(
        messages_of(prompt), tokenize=False, add_generation_prompt=True
    )
    return text


def token_ids(tokenizer: Any, prompts: Sequence[Any]) -> list[list[int]]:
    """Of each prompt, special tokens included: where there is a chat template, it has them."""
    texts = [chat_text(tokenizer, prompt) for prompt in prompts]
    special = tokenizer.chat_template is None
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=special)["input_ids"]
    return ids
