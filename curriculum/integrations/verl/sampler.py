"""Samplers of verl's trainer, 0.5 to 0.7.1: it iterates over one and tells it what came back.

Later versions have no place for them (`data.sampler` is gone in 0.8): see `dataset`, `trainer`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

try:
    from verl.experimental.dataset.sampler import AbstractCurriculumSampler
except ImportError as error:
    from importlib.metadata import version

    if not (error.name or "").startswith("verl.experimental"):
        raise
    raise ImportError(
        f"verl {version('verl')} has no samplers any more, up to verl 0.7.1 its trainer takes them;"
        " docs/trainers.md says what to write for this one"
    ) from error

from curriculum import samplers
from curriculum.integrations.verl.late import LateFeedback
from curriculum.integrations.verl.options import plain, root, split
from curriculum.samplers import Sampler
from curriculum.samplers.names import BUILT_IN

WHERE = "data.sampler"
OF_VERL = ("class_path", "class_name")


class CurriculumSampler(LateFeedback, AbstractCurriculumSampler):
    """One of this package's samplers, in verl's trainer."""

    settings: ClassVar[type[Sampler]]

    def __init__(self, data_source: Any, data_config: Any) -> None:
        """As verl makes it.

        Args:
            data_source: the dataset.
            data_config: verl's `data`; what is added as `+data.sampler.KEY=VALUE` is set here.

        Raises:
            UserError: where a key is unknown or out of its range, or rows and run don't fit.
        """
        keys = {k: v for k, v in plain(data_config.sampler).items() if k not in OF_VERL}
        batch_size = data_config.get("gen_batch_size") or data_config.train_batch_size
        chosen = split(keys, self.settings, WHERE)
        super().__init__(data_source, root(data_config), batch_size, chosen, WHERE)


@cache
def sampler_class(name: str) -> type[CurriculumSampler]:
    """`RewardCurriculumSampler` and so on. Raises AttributeError where there is none such."""
    classes = BUILT_IN.values()
    names = {name: cls for name, cls in vars(samplers).items() if cls in classes}  # old ones too
    names |= {f"{cls.__name__}Sampler": cls for cls in classes}
    if name not in names:
        raise AttributeError(f"there is no {name}; there are: {', '.join(sorted(names))}")
    return type(name, (CurriculumSampler,), {"settings": names[name], "__module__": __name__})
