"""`reward=reward_model`: the score of a Hugging Face reward model, on CPU or GPU."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Annotated, Any, ClassVar

from pydantic import Field

from curriculum.core.errors import UserError, require_extra
from curriculum.core.records import Sample
from curriculum.integrations.chats import messages_of, plain_text
from curriculum.integrations.models import digest_of_model
from curriculum.rewards.base import Reward
from curriculum.store.shared_memory import in_shared_memory

Encoded = Mapping[str, list[int]]


@dataclass(frozen=True)
class RewardModel(Reward):
    """The logit that a sequence classifier with one label gives a prompt with its response.

    The response is the assistant's turn of the tokenizer's chat template. Without a template it
    comes right after the prompt's text, or, where the tokenizer has a separator (BERT's kind), as
    the second text of a pair. Logits have no bounds.
    """

    model: str
    batch_size: Annotated[int, Field(ge=1)] = 8
    max_length: Annotated[int, Field(ge=1)] | None = None
    dtype: str = "auto"
    device: str = "auto"
    use_shm: bool = False
    trust_remote_code: bool = False
    needs: ClassVar = ("response",)
    processes: ClassVar = 1
    loading: ClassVar = 3600.0  # from a slow disk, or from a hub

    def __post_init__(self) -> None:
        require_extra("reward=reward_model", "torch", "torch", "transformers")

    def made_of(self) -> list[str]:
        """The model's files, and the libraries that run it."""
        return [digest_of_model(self.model), version("transformers"), version("torch")]

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`. What is longer than the limit has no reward: a part of it has another."""
        import torch

        loaded = self._loaded
        encoded = [loaded.encoded(each.prompt, each.response) for each in samples]
        rewards = [math.nan] * len(samples)
        by_length = sorted(range(len(samples)), key=lambda row: len(encoded[row]["input_ids"]))
        size = self.batch_size if loaded.padding is not None else 1
        for start in range(0, len(samples), size):
            rows = by_length[start : start + size]
            with torch.inference_mode():
                logits = loaded.model(**loaded.padded([encoded[row] for row in rows])).logits
            for row, (logit,) in zip(rows, logits.tolist(), strict=True):
                rewards[row] = logit
        return rewards

    @cached_property
    def _loaded(self) -> Loaded:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        device = self.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        path = in_shared_memory(self.model) if self.use_shm else self.model
        trust = {"trust_remote_code": self.trust_remote_code}
        try:
            tokenizer = AutoTokenizer.from_pretrained(path, **trust)
            model, report = AutoModelForSequenceClassification.from_pretrained(
                path, dtype=self.dtype, output_loading_info=True, **trust
            )
            model = model.to(device).eval()
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            raise UserError(f"reward.model={self.model} can't be loaded: {error}") from error
        if model.config.num_labels != 1:
            raise UserError(
                f"reward.model={self.model} has {model.config.num_labels} labels; "
                "a reward model has one (num_labels: 1)"
            )
        if report["missing_keys"]:  # transformers fills them at random
            missing = ", ".join(sorted(report["missing_keys"])[:3])
            raise UserError(f"reward.model={self.model} is no reward model: it lacks {missing}")
        return Loaded(tokenizer, model, self.max_length)


@dataclass(frozen=True)
class Loaded:
    """A reward model in memory."""

    tokenizer: Any
    model: Any
    max_length: int | None

    @property
    def padding(self) -> int | None:
        """The token that the model knows as padding; without one it takes one text at a time."""
        padding: int | None = self.model.config.get_text_config().pad_token_id
        return padding

    @property
    def limit(self) -> float:
        """Tokens of prompt and response together."""
        own = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return self.max_length or min(self.tokenizer.model_max_length, own or math.inf)

    def encoded(self, prompt: Any, response: str) -> Encoded:
        """Token ids, attention mask and, of a pair, token types.

        Raises:
            ValueError: where there are too many tokens.
        """
        encoded: Encoded
        if self.tokenizer.chat_template is not None:
            chat = [*messages_of(prompt), {"role": "assistant", "content": response}]
            text = self.tokenizer.apply_chat_template(chat, tokenize=False)
            # A chat template has the special tokens in it.
            encoded = self.tokenizer(text, add_special_tokens=False, return_token_type_ids=False)
        elif self.tokenizer.sep_token is not None:
            encoded = self.tokenizer(plain_text(prompt), response)
        else:
            encoded = self.tokenizer(plain_text(prompt) + response, return_token_type_ids=False)
        tokens = len(encoded["input_ids"])
        if tokens > self.limit:
            raise ValueError(
                f"prompt and response have {tokens} tokens, more than {self.limit:g} "
                "(reward.max_length; null: the model's own limit)"
            )
        return encoded

    def padded(self, texts: Sequence[Encoded]) -> dict[str, Any]:
        """Tensors of shape (texts, tokens of the longest) on the model's device."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        def column(name: str) -> Any:
            rows = [torch.tensor(each[name]) for each in texts]
            value = (self.padding or 0) if name == "input_ids" else 0
            padded = pad_sequence(rows, batch_first=True, padding_value=value)
            return padded.to(self.model.device)

        return {name: column(name) for name in texts[0]}
