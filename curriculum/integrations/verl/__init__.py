"""verl: its rewards behind plain functions (`scoring`), and curricula in its trainer (`sampler`).

Its trainer up to 0.7.1 finds a sampler here by name:

    data.sampler.class_path=pkg://curriculum.integrations.verl
    data.sampler.class_name=RewardCurriculumSampler
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if not name.endswith("Sampler"):
        raise AttributeError(name)
    from curriculum.integrations.verl import sampler

    return sampler.sampler_class(name)
