"""`reward=function`: a reward function of your own, found and called as verl does it."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from curriculum.core.errors import UserError
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward
from curriculum.store.entries import digest_of_sources

PACKAGE = "pkg://"


@dataclass(frozen=True)
class Function(Reward):
    """Calls `name(data_source, solution_str, ground_truth, extra_info, **reward_kwargs)`.

    `path` is a Python file or `pkg://package.module`. The function returns a number or a dict with
    `score`, and may be async: verl's `custom_reward_function`. Where a problem has no ground truth,
    its rollouts fail, unless the function does without one.
    """

    path: str
    name: str = "compute_score"
    reward_kwargs: dict[str, Any] | None = None
    needs_ground_truth: bool = True
    own_code: ClassVar = True

    def __post_init__(self) -> None:
        if not self._file().is_file():
            raise UserError(f"there is no {self.path}: a Python file, or pkg://package.module")

    @property
    def needs(self) -> tuple[str, ...]:
        """See `Reward`."""
        return ("response", "ground_truth") if self.needs_ground_truth else ("response",)

    def made_of(self) -> list[str]:
        """The sources of the function's folder, so that a change of them scores anew."""
        return [digest_of_sources(self._file().parent)]

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`."""
        function = self.loaded
        return [self._score_one(function, sample) for sample in samples]

    def _score_one(self, function: Callable[..., Any], sample: Sample) -> float:
        result = function(
            data_source=sample.data_source,
            solution_str=sample.response,
            # A function may take them apart, and samples of a problem share them.
            ground_truth=deepcopy(sample.ground_truth),
            extra_info=deepcopy(sample.extra_info or {}),  # a dict, as in verl
            **(self.reward_kwargs or {}),
        )
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
        return float(result["score"] if isinstance(result, Mapping) else result)

    @property
    def _name(self) -> str:
        return self.path.removeprefix(PACKAGE).replace("/", ".")

    def _file(self) -> Path:
        if not self.path.startswith(PACKAGE):
            return Path(self.path)
        try:
            spec = importlib.util.find_spec(self._name)
        except ModuleNotFoundError:
            spec = None
        return Path(spec.origin if spec and spec.origin else self.path)

    @cached_property
    def loaded(self) -> Callable[..., Any]:
        """The function itself.

        Raises:
            ImportError: where the file can't import what it needs.
            UserError: where it can't be loaded for anything else, or has no such function.
        """
        try:
            module = self._module()
        except (ImportError, UserError):  # whoever asks says what to install
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise UserError(f"{self.path} (reward.path) can't be loaded: {cause}") from error
        if not hasattr(module, self.name):
            raise UserError(f"{self.path} has no function '{self.name}' (reward.name)")
        function: Callable[..., Any] = getattr(module, self.name)
        return function

    def _module(self) -> Any:
        if self.path.startswith(PACKAGE):
            return importlib.import_module(self._name)
        spec = importlib.util.spec_from_file_location("reward_function", self.path)
        if spec is None or spec.loader is None:
            raise UserError(f"{self.path} is not a Python file (reward.path)")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # as dataclasses and pickle expect it
        spec.loader.exec_module(module)
        return module
