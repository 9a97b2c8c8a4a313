"""What changes while a sampler runs, and how it is saved: once, for all that has any."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Annotated, Any, TypeVar, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")
STATE = "changes while it runs"
State = Annotated[T, STATE]  # of an attribute: it is saved


class Stateful:
    """Attributes annotated as `State[...]` are saved and restored, and nothing else is.

        class Averages(Stateful):
            values: State[Floats]

    They hold JSON values, numpy arrays of one shape, random generators, and other stateful parts,
    alone or in a list. What follows from the settings and the prompts is made anew and no state;
    what follows from state is a property.
    """

    def state_dict(self) -> dict[str, Any]:
        """JSON values and numpy arrays, which don't change when the run goes on."""
        return {name.lstrip("_"): _saved(getattr(self, name)) for name in _names(type(self))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            LookupError, TypeError, ValueError: where it is the state of something else.
        """
        names = {name.lstrip("_"): name for name in _names(type(self))}
        if set(names) != set(state):
            raise LookupError(f"{sorted(state)} saved, {sorted(names)} needed")
        for key, name in names.items():
            setattr(self, name, _restored(getattr(self, name), state[key]))


def _names(cls: type) -> tuple[str, ...]:
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        name
        for name, hint in hints.items()
        if get_origin(hint) is Annotated and STATE in hint.__metadata__
    )


def _saved(value: Any) -> Any:
    if isinstance(value, Stateful):
        return value.state_dict()
    if isinstance(value, np.random.Generator):
        return deepcopy(value.bit_generator.state)
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_saved(part) for part in value]
    if isinstance(value, dict):
        return {key: _saved(part) for key, part in value.items()}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"a state holds JSON values, arrays and stateful parts, no {type(value)}")


def _restored(value: Any, saved: Any) -> Any:
    """What was saved, of the kind that the value is now; parts are restored in place."""
    if isinstance(value, Stateful):
        value.load_state_dict(saved)
        return value
    if isinstance(value, np.random.Generator):
        value.bit_generator.state = deepcopy(saved)
        return value
    if isinstance(value, np.ndarray):
        array = np.array(saved, dtype=value.dtype)
        if array.shape != value.shape:
            raise ValueError(f"an array of shape {array.shape} saved, {value.shape} needed")
        return array
    if isinstance(value, list) and any(isinstance(part, Stateful) for part in value):
        return [_restored(part, each) for part, each in zip(value, saved, strict=True)]
    return deepcopy(saved)
