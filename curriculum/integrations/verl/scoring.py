"""verl's rewards, behind plain functions."""

from __future__ import annotations

import io
import math
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from copy import deepcopy
from functools import partial
from typing import Any

from curriculum.core.errors import UserError
from curriculum.core.records import Sample

REWARD = "reward_score"  # verl's name for what a manager makes of a score
Scorer = Callable[[Sequence[Sample]], list[Any]]  # a number or a scorer's dict for each sample


def by_source() -> Scorer:
    """verl's default reward; raises NotImplementedError for a data source verl doesn't know."""
    from verl.utils.reward_score import default_compute_score

    def score(samples: Sequence[Sample]) -> list[Any]:
        return [
            default_compute_score(
                data_source=each.data_source,
                solution_str=each.response,
                ground_truth=each.ground_truth,
                extra_info=each.extra_info,
            )
            for each in samples
        ]

    return score


def managed(
    name: str,
    function: Callable[..., Any] | None,
    reward_kwargs: Mapping[str, Any],
    tokenizer: str | None,
) -> Scorer:
    """A reward manager of verl's around a function, verl's default one unless given.

    Those of the reward loop (naive, dapo) are taken where it has them, and give dicts: `score` and
    the rest of what the function says, and `reward_score`. Else those of before it (batch, prime).
    prime's is kept to one process where it would start 64 for each batch.

    Args:
        reward_kwargs: of the manager; batch hands them to the function.
        tokenizer: whose tokens the managers count; None: each text is one.

    Raises:
        UserError: where the tokenizer can't be loaded or verl refuses the `reward_kwargs`.
    """
    from verl.utils.reward_score import default_compute_score

    parts = (function or default_compute_score, dict(reward_kwargs), _Texts(tokenizer))
    try:
        return _of_loop(name, *parts) or _from_before(name, *parts)
    except (AssertionError, AttributeError, TypeError) as error:
        raise UserError(f"reward.reward_kwargs, says verl's {name} manager: {error}") from error


class _Texts:
    """Stands in for a tokenizer: every token of a text is the text's number, and decodes to it.

    So no text changes on its way, as it would where a tokenizer drops spaces or special tokens.
    """

    def __init__(self, tokenizer: str | None) -> None:
        self.texts: list[str] = []
        self.tokenizer: Any = None
        if tokenizer is not None:
            from transformers import AutoTokenizer

            try:
                self.tokenizer = AutoTokenizer.from_pretrained(tokenizer, trust_remote_code=False)
            except (OSError, ValueError) as error:
                raise UserError(f"reward.tokenizer={tokenizer} can't be loaded: {error}") from error

    def decode(self, tokens: Any, **_: Any) -> str:
        return "".join(self.texts[each] for each in tokens[:1])

    def batch_decode(self, rows: Any, **_: Any) -> list[str]:
        return [self.decode(row) for row in rows]

    def batch(self, samples: Sequence[Sample]) -> Any:
        """The samples as verl's DataProto, a row each; what is decoded from now on is theirs."""
        import numpy as np
        import torch
        from verl import DataProto

        self.texts = [each.response for each in samples]
        lengths = torch.tensor([self._length(text) for text in self.texts])
        width = max(1, int(lengths.max()))
        columns = {
            "data_source": [each.data_source for each in samples],
            # Managers and functions change them, and samples of a problem share them.
            "reward_model": [{"ground_truth": deepcopy(each.ground_truth)} for each in samples],
            "extra_info": [deepcopy(dict(each.extra_info or {})) for each in samples],
        }
        return DataProto.from_dict(
            tensors={
                "prompts": torch.zeros(len(samples), 1, dtype=torch.long),
                "responses": torch.arange(len(samples))[:, None].repeat(1, width),
                "attention_mask": (torch.arange(1 + width) <= lengths[:, None]).long(),
            },
            non_tensors={key: np.array(values, dtype=object) for key, values in columns.items()},
        )

    def _length(self, text: str) -> int:
        if self.tokenizer is None:
            return 1
        return len(self.tokenizer.encode(text, add_special_tokens=False))


def _of_loop(
    name: str, function: Callable[..., Any], reward_kwargs: dict[str, Any], texts: _Texts
) -> Scorer | None:
    from omegaconf import OmegaConf
    from verl.experimental.reward_loop.reward_manager import get_reward_manager_cls

    try:
        manager = get_reward_manager_cls(name)
    except ValueError:  # not registered there
        return None
    config = OmegaConf.create({"reward": {"reward_kwargs": reward_kwargs}})
    return partial(_one_by_one, manager(config=config, tokenizer=texts, compute_score=function))


def _from_before(
    name: str, function: Callable[..., Any], reward_kwargs: dict[str, Any], texts: _Texts
) -> Scorer:
    from verl.workers import reward_manager as verls

    if name == "prime":
        function = partial(_marked, function)
        runs = verls.prime.run_reward_scoring
        verls.prime.run_reward_scoring = partial(_in_one_process, runs)
    manager = verls.get_reward_manager_cls(name)(
        tokenizer=texts, num_examine=0, compute_score=function, **reward_kwargs
    )
    return partial(_prime if name == "prime" else _batch, manager)


def _one_by_one(manager: Any, samples: Sequence[Sample]) -> list[Any]:
    data = manager.tokenizer.batch(samples)
    said = [
        manager.loop.run_until_complete(manager.run_single(data[row : row + 1]))
        for row in range(len(samples))
    ]
    # Of a mere number the managers make `acc`.
    return [
        {"score": extra.get("acc"), **extra, REWARD: each["reward_score"]}
        for each in said
        for extra in [each["reward_extra_info"]]
    ]


def _batch(manager: Any, samples: Sequence[Sample]) -> list[Any]:
    # Not by the call, which rounds to 32 bits.
    return list(manager.verify(manager.tokenizer.batch(samples)))


def _prime(manager: Any, samples: Sequence[Sample]) -> list[Any]:
    # Spawned, the process that it starts would have to import verl anew.
    multiprocessing.set_start_method("fork", force=True)
    printed = io.StringIO()
    with redirect_stdout(printed):
        scores = manager.verify(manager.tokenizer.batch(samples))
    if any(score == 0 and math.copysign(1, score) > 0 for score in scores):
        lines = [each for each in printed.getvalue().splitlines() if "[Shutdown]" not in each]
        raise RuntimeError(f"the prime manager's 0.0 for a failure: {' '.join(lines)[:500]}")
    return [score + 0.0 for score in scores]  # no -0.0 any more


def _marked(function: Callable[..., Any], *arguments: Any) -> float:
    """The number that prime reads in a result, zero as -0.0: 0.0 is then prime's for a failure."""
    result = function(*arguments)
    if isinstance(result, Mapping):
        raise TypeError("prime can't read the dict that the function gives: reward.manager=naive")
    number = float(result if isinstance(result, int | float) else result[0])
    return number or -0.0


def _in_one_process(run: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    return run(*arguments, **{**options, "num_processes": 1})
