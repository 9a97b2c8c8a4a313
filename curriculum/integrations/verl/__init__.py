"""verl: its rewards behind plain functions (`scoring`), and curricula in its trainers.

What they find here by name, pkg://curriculum.integrations.verl:

- up to 0.7.1, `RewardCurriculumSampler` and the others (`sampler`);
- in 0.8, `CurriculumDataset` (`dataset`).

From 0.9 it is a trainer mode (`plugin`, `trainer`).
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "CurriculumDataset":
        from curriculum.integrations.verl.dataset import CurriculumDataset

        return CurriculumDataset
    if not name.endswith("Sampler"):
        raise AttributeError(name)
    from curriculum.integrations.verl import sampler

    return sampler.sampler_class(name)
