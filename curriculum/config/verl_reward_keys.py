"""Where a verl configuration of any age says how rewards are made, and our keys for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

# Where verl up to 0.7.0 and later ones have the reward function. As in verl's own migration, the
# old block counts whole where anything in it is set.
FUNCTION_BLOCKS = ("custom_reward_function", "reward.custom_reward_function")
FUNCTION_KEYS = ("path", "name", "reward_kwargs")
# The manager's name, and whether it is registered or a class in a file. That of verl 0.7.0 comes
# first: there the older one is set too, to its default. In later ones it counts where it is set.
MANAGER_KEYS = {
    "reward_manager.name": "reward_manager.source",
    "reward_model.reward_manager": "reward_model.reward_loop_source",
    "reward.reward_manager.name": "reward.reward_manager.source",
}
MANAGER_KWARGS = ("reward_model.reward_kwargs", "reward.reward_kwargs")
# A model's rewards take the place of the manager's, but not of those of a function.
MODELS = ("reward_model.enable", "reward.reward_model.enable")

MANAGERS = ("naive", "dapo", "batch", "prime")  # those of verl's that reward=verl has

Select = Callable[[str], Any]  # the value of verl's key, None where it is not set


class RewardKeys(NamedTuple):
    """What of a configuration is about rewards."""

    option: str | None  # the reward that it describes: function, verl, or none of ours
    keys: dict[str, str]  # verl's key: ours
    note: str | None  # on a manager that can't be had here


def reward_keys(select: Select, chosen: str | None) -> RewardKeys:
    """The reward option that a configuration describes, and its keys.

    A function of the user's is `reward=function`, unless its manager adds something to it.

    Args:
        chosen: function or verl, where the command line says which.
    """
    function = _function(select)
    place, note = _manager(select, function)
    # verl's own default: it adds nothing to a function, and does not ask for verl without one.
    plain = place is not None and select(place) == "naive"
    if place and (chosen == "verl" or (chosen is None and not plain)):
        return RewardKeys("verl", _through_manager(select, place, function), note)
    if function and chosen != "verl":
        keys = {f"{function}.{key}": f"reward.{key}" for key in FUNCTION_KEYS}
        return RewardKeys("function", keys, note)
    return RewardKeys(None, {}, note)


def _through_manager(select: Select, place: str, function: str | None) -> dict[str, str]:
    keys = {place: "reward.manager"}
    keys |= {key: "reward.reward_kwargs" for key in MANAGER_KWARGS if select(key) is not None}
    if function:
        keys |= {
            f"{function}.path": "reward.path",
            f"{function}.name": "reward.name",
            f"{function}.reward_kwargs": "reward.function_kwargs",
        }
    return keys


def _function(select: Select) -> str | None:
    """The block of the reward function, None where there is no file of it."""
    for block in FUNCTION_BLOCKS:
        values = {key: select(f"{block}.{key}") for key in FUNCTION_KEYS}
        if values["path"] is not None:
            return block
        if any(value is not None for value in values.values()):
            return None
    return None


def _manager(select: Select, function: str | None) -> tuple[str | None, str | None]:
    """The key that names the manager, or a note on why it is none of ours."""
    key = next((key for key in MANAGER_KEYS if select(key) is not None), None)
    if key is None:
        return None, None
    said = f"{key}={select(key)}"
    if select(key) not in MANAGERS or select(MANAGER_KEYS[key]) not in (None, "register"):
        return None, f"{said} is ignored: reward=verl has {', '.join(MANAGERS)}"
    model = next((each for each in MODELS if select(each)), None)
    if model and not function:
        return None, f"{said} is ignored for the model of {model}=true: see reward=reward_model"
    return key, None
