"""`reward=instruction_following`: whether a response follows its instructions, as IFEval checks."""

from __future__ import annotations

import ast
import json
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from statistics import fmean
from typing import Any, ClassVar

from curriculum.core.errors import UserError, require_extra
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward

NAMES = ("instruction_id_list", "instruction_id")
FORM = "{instruction_id_list: [NAME, ...], kwargs: [{...}, ...]}"


@dataclass(frozen=True)
class InstructionFollowing(Reward):
    """1.0 where the response follows every instruction of the ground truth, else 0.0.

    The ground truth is `FORM`, a list of such, or either as the text of JSON or Python. The whole
    response is checked. An argument that is None counts as missing, and where one that a check
    needs is missing there is no reward: the library would draw it at random.

    Source: Zhou et al. 2023, https://arxiv.org/abs/2311.07911, with the checks of
    https://github.com/EleutherAI/lm-evaluation-harness.
    """

    loose: bool = False
    partial: bool = False
    needs: ClassVar = ("response", "ground_truth")

    def __post_init__(self) -> None:
        require_extra("reward=instruction_following", "ifeval", "lm_eval", "langdetect")

    def made_of(self) -> list[str]:
        """Another version of what checks scores anew."""
        return [version(name) for name in ("lm-eval", "langdetect", "nltk")]

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`."""
        check = _checker(self.loose)
        verdicts = [check(*instructions(each.ground_truth), each.response) for each in samples]
        return [fmean(each) if self.partial else float(all(each)) for each in verdicts]


def instructions(ground_truth: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """Names of instructions, and the arguments of each.

    Raises:
        ValueError: where there is none, or the form is another.
    """
    if isinstance(ground_truth, str):
        ground_truth = _parsed(ground_truth)
    parts = ground_truth if isinstance(ground_truth, list) else [ground_truth]
    names: list[str] = []
    arguments: list[dict[str, Any]] = []
    for part in parts:
        key = next((name for name in NAMES if isinstance(part, dict) and name in part), None)
        if key is None or not part[key] or len(part[key]) != len(part.get("kwargs") or []):
            raise ValueError(f"the ground truth should be {FORM}, not {part!r:.200}")
        names += part[key]
        given = [each or {} for each in part["kwargs"]]
        arguments += [{k: v for k, v in each.items() if v is not None} for each in given]
    return names, arguments


def _parsed(text: str) -> Any:
    with suppress(ValueError):
        return json.loads(text)
    with suppress(ValueError, TypeError, SyntaxError):
        return ast.literal_eval(text)
    return text


def _require_sentences() -> None:
    from nltk.data import find

    try:
        find("tokenizers/punkt_tab")
    except LookupError as error:
        raise UserError(
            "reward=instruction_following needs nltk's sentence model; once: "
            "python -m nltk.downloader punkt_tab. Without a network: unpack punkt_tab.zip of "
            "https://www.nltk.org/nltk_data in FOLDER/tokenizers, with NLTK_DATA=FOLDER"
        ) from error


def _checker(loose: bool) -> Callable[[list[str], list[dict[str, Any]], str], list[bool]]:
    _require_sentences()  # at its import lm-eval would fetch them, in every worker at once
    import langdetect
    from lm_eval.tasks.ifeval import instructions_registry, utils

    langdetect.DetectorFactory.seed = 0  # else it gives short texts another language each time
    # It says of every text without words that it has no language.
    logging.getLogger("lm_eval").setLevel(logging.CRITICAL)
    test = utils.test_instruction_following_strict
    if loose:
        test = utils.test_instruction_following_loose
    known = instructions_registry.INSTRUCTION_DICT

    def check(names: list[str], arguments: list[dict[str, Any]], response: str) -> list[bool]:
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"no check for: {', '.join(map(str, unknown))}")
        before = random.getstate()
        followed = test(utils.InputExample(0, names, "", arguments), response)
        if random.getstate() != before:
            raise ValueError(f"a check draws what it lacks at random: {arguments!r:.200}")
        return list(followed.follow_instruction_list)

    return check
