"""What stands in verl's configuration for a curriculum: one block of flat keys."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field

from curriculum.core.names import RECOMMENDED
from curriculum.samplers import Guards, Sampler
from curriculum.samplers.base import AtLeastOne
from curriculum.samplers.names import sampler_named, with_options

T = TypeVar("T")
WHERE = "curriculum"  # the block, where verl has none of its own


@dataclasses.dataclass(frozen=True)
class Options:
    """Keys beside the sampler's own and those of the guards."""

    run: str | None = None  # folder of a run that has measured the prompts; null: the rows say it
    # Reward from which a rollout passes.
    threshold: Annotated[float, Field(allow_inf_nan=False)] = 0.5
    strict: bool = False  # whether it must be above the threshold, not at it
    group_size: AtLeastOne | None = None  # null: verl's actor_rollout_ref.rollout.n


def split(
    values: Mapping[str, Any], settings: type[Sampler], where: str
) -> tuple[Options, Guards, Sampler]:
    """The block's keys, each checked by what it is of.

    Args:
        where: the block's name, for messages.

    Raises:
        UserError: where a key is of none of them, or out of its range.
    """
    left = dict(values)

    def taken(cls: type[T]) -> T:
        names = [name for name in inspect.signature(cls).parameters if name in left]
        return with_options(cls, {name: left.pop(name) for name in names}, where)

    options, guards = taken(Options), taken(Guards)
    return options, guards, with_options(settings, left, where)


def chosen(config: Any) -> tuple[Options, Guards, Sampler]:
    """What `+curriculum.KEY=VALUE` chose. Raises UserError as `split` does."""
    keys = plain(config.get(WHERE))
    return split(keys, type(sampler_named(keys.pop("sampler", RECOMMENDED))), WHERE)


def plain(node: Any) -> dict[str, Any]:
    """A block of verl's configuration as plain values; one that is not there is empty."""
    from omegaconf import OmegaConf

    values = {} if node is None else OmegaConf.to_container(node, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def root(config: Any) -> Any:
    """All of verl's configuration, of which a block is given."""
    while (parent := config._get_parent()) is not None:
        config = parent
    return config


def at(config: Any, key: str) -> Any:
    """The value at a dotted key of verl's configuration, or None."""
    from omegaconf import OmegaConf

    return OmegaConf.select(config, key)
