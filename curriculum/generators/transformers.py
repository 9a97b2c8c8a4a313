"""`generator=transformers`: a Hugging Face model in this process, on CPU or GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar, Self

from curriculum.core.errors import UserError, require_extra
from curriculum.generators.base import (
    CUT_OFF,
    Batch,
    Count,
    Generator,
    Response,
    Share,
    Temperature,
)
from curriculum.generators.parts.prompts import Tokenized, Truncation
from curriculum.integrations.models import digest_of_model
from curriculum.store.shared_memory import in_shared_memory


@dataclass(frozen=True)
class Transformers(Generator):
    """Samples with `generate`, prompts through the model's chat template where it has one."""

    model: str | None = None
    batch_size: Count = 64
    max_new_tokens: Count = 512
    do_sample: bool = True
    temperature: Temperature = 1.0
    top_p: Share = 1.0
    max_prompt_length: Count | None = 1024
    truncation: Truncation = "error"
    dtype: str = "auto"
    device: str = "auto"
    use_shm: bool = False
    trust_remote_code: bool = False
    incidental: ClassVar = frozenset({"model", "use_shm"})  # `made_of` has the model

    def __post_init__(self) -> None:
        if self.model is None:
            raise UserError(
                "generator=transformers needs a model: model.path=NAME_OR_FOLDER or small"
            )
        require_extra("generator=transformers", "torch", "torch", "transformers")

    def with_model(self, find: Callable[[str], str]) -> Self:
        """See `Generator`."""
        return replace(self, model=find(str(self.model)))

    @property
    def responses_differ(self) -> bool:
        """See `Generator`."""
        return self.do_sample and self.temperature > 0

    def made_of(self) -> list[str]:
        """The model's files, and the libraries that sample."""
        return [digest_of_model(str(self.model)), version("transformers"), version("torch")]

    def generate(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """See `Generator`."""
        import torch

        tokenizer, model, device = self._loaded
        texts = Tokenized(tokenizer, self.max_prompt_length, self.truncation)
        for batch in batches:
            torch.manual_seed(batch.seed)
            prompts = [
                ids
                for request in batch.requests
                for ids in [texts.ids(request.prompt)] * request.samples
            ]
            padded = tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(device)
            with torch.inference_mode():
                output = model.generate(
                    **padded, max_new_tokens=self.max_new_tokens, **self._sampling()
                )
            new = output[:, padded["input_ids"].shape[1] :].tolist()
            yield batch, [self._response(tokenizer, model, ids) for ids in new]

    def close(self) -> None:
        """See `Generator`."""
        self.__dict__.pop("_loaded", None)

    @cached_property
    def _loaded(self) -> tuple[Any, Any, Any]:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = self.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        path = in_shared_memory(str(self.model)) if self.use_shm else str(self.model)
        trust = {"trust_remote_code": self.trust_remote_code}
        try:
            tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left", **trust)
            model = AutoModelForCausalLM.from_pretrained(path, dtype=self.dtype, **trust)
        except (OSError, ValueError) as error:
            raise UserError(f"model.path={self.model} can't be loaded: {error}") from error
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer, model.to(device).eval(), device

    def _sampling(self) -> dict[str, Any]:
        if not self.do_sample:
            return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        # The checkpoint's own top_k would cut the distribution unasked.
        chosen = {"temperature": self.temperature, "top_p": self.top_p, "top_k": 0}
        return {"do_sample": True, **chosen}

    def _response(self, tokenizer: Any, model: Any, ids: list[int]) -> Response:
        ends = model.generation_config.eos_token_id
        ends = set(ends) if isinstance(ends, list) else {ends}
        stop = next((place for place, token in enumerate(ids) if token in ends), None)
        kept = ids if stop is None else ids[:stop]
        text = tokenizer.decode(kept, skip_special_tokens=True)
        return Response(text, CUT_OFF if stop is None else "stop", len(kept))
