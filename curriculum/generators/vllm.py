"""`generator=vllm`: the vLLM engine in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import packages_distributions, version
from typing import Any, ClassVar, Self

from curriculum.core.errors import UserError, require_extra
from curriculum.generators.base import (
    Batch,
    Count,
    Generator,
    Request,
    Response,
    Share,
    Temperature,
)
from curriculum.generators.parts import leash
from curriculum.generators.parts.prompts import Tokenized, Truncation
from curriculum.integrations.models import digest_of_model
from curriculum.store.shared_memory import in_shared_memory


@dataclass(frozen=True)
class Vllm(Generator):
    """All samples of a problem in one request, so that its prompt is read once."""

    model: str | None = None
    batch_size: Count = 4096
    max_new_tokens: Count = 512
    temperature: Temperature = 1.0
    top_p: Share = 1.0
    max_prompt_length: Count | None = 1024
    truncation: Truncation = "error"
    dtype: str = "auto"
    tensor_parallel_size: Count = 1
    gpu_memory_utilization: Share = 0.9
    max_model_len: Count | None = None
    enable_prefix_caching: bool = True
    engine: dict[str, Any] | None = None
    use_shm: bool = False
    trust_remote_code: bool = False
    # `made_of` has the model.
    incidental: ClassVar = frozenset(
        {"model", "use_shm", "gpu_memory_utilization", "enable_prefix_caching"}
    )

    def __post_init__(self) -> None:
        if self.model is None:
            raise UserError("generator=vllm needs a model: model.path=NAME_OR_FOLDER or small")
        require_extra("generator=vllm", "vllm", "vllm")

    def with_model(self, find: Callable[[str], str]) -> Self:
        """See `Generator`."""
        return replace(self, model=find(str(self.model)))

    @property
    def responses_differ(self) -> bool:
        """See `Generator`."""
        return self.temperature > 0

    def made_of(self) -> list[str]:
        """The model's files, and the version of vLLM, whichever build it is."""
        build = packages_distributions()["vllm"][0]
        return [digest_of_model(str(self.model)), version(build)]

    def generate(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """See `Generator`."""
        for batch in batches:
            sampling = [self._sampling(each) for each in batch.requests]
            engine, prompts, _ = self._loaded
            ids = [prompts.ids(each.prompt) for each in batch.requests]
            _require_room(max(map(len, ids)), engine.llm_engine.model_config.max_model_len)
            outputs = engine.generate(
                [{"prompt_token_ids": each} for each in ids], sampling, use_tqdm=False
            )
            yield (
                batch,
                [
                    Response(sample.text, str(sample.finish_reason), len(sample.token_ids))
                    for output in outputs
                    for sample in output.outputs
                ],
            )

    def close(self) -> None:
        """See `Generator`."""
        if "_loaded" in self.__dict__:
            *_, held = self.__dict__.pop("_loaded")
            held.close()

    def _sampling(self, request: Request) -> Any:
        from vllm import SamplingParams

        if self.temperature == 0 and request.samples > 1:
            raise UserError(
                "generator.temperature=0 gives the same response every time: num_samples=1"
            )
        return SamplingParams(
            n=request.samples,
            seed=request.seed,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_new_tokens,
        )

    @cached_property
    def _loaded(self) -> tuple[Any, Tokenized, ExitStack]:
        """The engine, and what ends it: by itself it stays, even where this process is killed."""
        # It logs to standard output, which is where results are shown.
        os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        from vllm import LLM

        chosen = {} if self.max_model_len is None else {"max_model_len": self.max_model_len}
        path = in_shared_memory(str(self.model)) if self.use_shm else str(self.model)
        with ExitStack() as opened:
            opened.enter_context(leash.children())
            try:
                engine = LLM(
                    model=path,
                    dtype=self.dtype,
                    tensor_parallel_size=self.tensor_parallel_size,
                    gpu_memory_utilization=self.gpu_memory_utilization,
                    enable_prefix_caching=self.enable_prefix_caching,
                    trust_remote_code=self.trust_remote_code,
                    seed=0,
                    **chosen,
                    **(self.engine or {}),
                )
            except (OSError, TypeError, ValueError, RuntimeError) as error:
                raise UserError(f"vLLM can't load model.path={self.model}: {error}") from error
            opened.callback(engine.llm_engine.engine_core.shutdown)
            prompts = Tokenized(engine.get_tokenizer(), self.max_prompt_length, self.truncation)
            return engine, prompts, opened.pop_all()


def _require_room(longest: int, context: int) -> None:
    """Raise UserError where a prompt leaves no token for the response."""
    if longest >= context:
        raise UserError(
            f"a prompt has {longest} tokens, and the engine takes {context} with the response: "
            "raise generator.max_model_len, or cut prompts with generator.max_prompt_length and "
            "generator.truncation=left"
        )
