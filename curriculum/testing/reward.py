"""What every reward keeps to."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Sequence

from curriculum.core.records import Sample
from curriculum.rewards import Reward


def check_reward(make: Callable[[], Reward], samples: Sequence[Sample]) -> None:
    """It pickles, says what it needs, and gives one finite number a sample whatever the batch.

    Args:
        samples: some that the reward can score.
    """
    reward = pickle.loads(pickle.dumps(make()))
    unknown = set(reward.needs) - set(Sample._fields)
    assert not unknown, f"needs: a sample has no {unknown}, but {', '.join(Sample._fields)}"
    scores = [float(score) for score in reward.score(samples)]
    assert len(scores) == len(samples), f"{len(scores)} rewards for {len(samples)} samples"
    assert all(map(math.isfinite, scores)), f"rewards must be finite numbers: {scores}"
    singly = [float(reward.score([sample])[0]) for sample in samples]
    assert singly == scores, "a sample's company changes its reward"
    assert list(make().score(samples)) == scores, "the same samples get other rewards"
