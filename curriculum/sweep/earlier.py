"""What an earlier run or sweep has left in an output folder: only the same goes over it unasked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from curriculum.core.errors import UserError
from curriculum.core.names import OUTSIDE, RESULT
from curriculum.core.run_result import RunResult
from curriculum.core.secrets import redacted
from curriculum.layouts import LAYOUTS
from curriculum.sweep.jobs import MENDING, PLAN

# How much of the same work a run does: it goes on where the earlier one has ended.
PART_OF_IT = {
    *("until", "trainer.steps"),
    *(f"{group}.{key}" for group in ("generator", "reward") for key in ("shard", "shards")),
}
# Runs of other files share a folder, see `curriculum.run.layouts.kind_of`.
OF_FILES = {f"export.{key}" for key in ("prefix", "name", "combine", "cumulative", "buckets")}
TOLD = 3  # keys that are named


def require_free(folder: Path, values: Mapping[str, Any], choices: Mapping[str, str]) -> None:
    """Raise UserError where a run would replace what another configuration has come to.

    Args:
        values: the run's configuration, interpolations resolved.
        choices: option of each group.
    """
    if _may_overwrite(values):
        return
    if (folder / PLAN).exists() and _completed_jobs(folder):
        raise UserError(_refusal(folder, "a sweep", ""))
    earlier = RunResult.load(folder)
    if earlier is None or earlier.status != "completed":
        return
    before = {**_choices(earlier.choices), **_flat(earlier.config)}
    plain = json.loads(json.dumps(redacted(values), default=list))
    now = {**_choices(choices), **_flat(plain)}
    changed = _changed(before, now)
    if changed and not _lie_beside(changed, before, values):
        raise UserError(_refusal(folder, "a run of another configuration", _told(changed)))


def require_free_for_sweep(config: DictConfig) -> None:
    """The same for the folder of a sweep, before its first job.

    Args:
        config: Hydra's, with its own part.
    """
    values: Any = OmegaConf.to_container(config)
    folder = Path(str(config.hydra.sweep.dir))
    if values.get("resume") or _may_overwrite(values):
        return
    alone = RunResult.load(folder)
    if alone is not None and alone.status == "completed":
        raise UserError(_refusal(folder, "a run", ""))
    if not (folder / PLAN).exists() or not _completed_jobs(folder):
        return
    before: Any = OmegaConf.to_container(OmegaConf.load(folder / PLAN))
    changed = _changed(_sweep(before), _sweep(values))
    if changed:
        raise UserError(_refusal(folder, "another sweep", _told(changed)))


def _lie_beside(changed: Mapping[str, Any], before: Mapping[str, Any], values: Any) -> bool:
    """Whether the files have other names than those that are there."""
    names = values.get("convention", {}).get("layouts", ())
    by_strategy = any(LAYOUTS[name].by_strategy for name in names if name in LAYOUTS)
    of_files = OF_FILES | ({"bucketer"} if by_strategy else set())
    return bool(of_files & changed.keys() & before.keys())


def _may_overwrite(values: Mapping[str, Any]) -> bool:
    allowed = values.get("overwrite", False)  # a configuration of one's own may lack it
    if not isinstance(allowed, bool):
        raise UserError(f"overwrite={allowed}: true or false")
    return allowed


def _completed_jobs(sweep: Path) -> bool:
    results = (RunResult.load(path.parent) for path in sweep.glob(f"*/{RESULT}"))
    return any(result is not None and result.status == "completed" for result in results)


def _refusal(folder: Path, what: str, changed: str) -> str:
    return (
        f"{folder} has the results of {what}{changed}\nAnother output_dir leaves them where they "
        "are, overwrite=true replaces them"
    )


def _choices(choices: Mapping[str, str]) -> dict[str, Any]:
    """Options by group, but for presets, whose choices count, and how jobs are launched."""
    own = {group: option for group, option in choices.items() if not group.startswith("hydra/")}
    return {group: option for group, option in own.items() if group != "preset"}


def _sweep(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a sweep does: the configuration that its jobs share, and what each has of its own."""
    hydra = config["hydra"]
    shared = {key: value for key, value in config.items() if key != "hydra"}
    typed = (each.lstrip("+").partition("=") for each in hydra["overrides"]["task"])
    choices = _choices(hydra["runtime"]["choices"])
    swept = {**(hydra["sweeper"]["params"] or {}), **{key: value for key, _, value in typed}}
    return {**_flat(shared), **choices, **swept}


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """{key: (before, now)}; of a group with another option that option alone."""
    different = {
        key: (before.get(key), now.get(key))
        for key in (*now, *(before.keys() - now.keys()))
        if before.get(key) != now.get(key) and not _is_outside(key)
    }
    return {
        key: pair
        for key, pair in different.items()
        if "." not in key or key.partition(".")[0] not in different
    }


def _is_outside(key: str) -> bool:
    return key.partition(".")[0] in OUTSIDE or key in MENDING | PART_OF_IT


def _told(changed: Mapping[str, tuple[Any, Any]]) -> str:
    first = [f"{key}={old} ({new} now)" for key, (old, new) in islice(changed.items(), TOLD)]
    more = len(changed) - len(first)
    return f": {', '.join(first)}{f' and {more} more keys' if more else ''}"


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    return dict(_leaves(values, above))


def _leaves(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
