"""What tests ask of files: what was read of them, in plain Python."""

from curriculum import data
from curriculum.core.records import Rewards, Rollouts
from curriculum.run.scoring.scoring import read_recorded


def read(*paths, **keys):
    return data.Rollouts([str(path) for path in paths], **keys)


def groups(source):
    """Passes and rollouts, problem by problem."""
    rollouts = Rollouts(source.load().rollouts, source.responses, source.rows)
    rewards = Rewards.group(rollouts, read_recorded(rollouts, 9))
    return list(zip(rewards.sum(rewards.values).tolist(), rewards.counts.tolist(), strict=True))


def texts(source):
    return [text for batch in source.responses() for text in batch.to_pylist()]
