"""Where rollouts come from."""

from curriculum.generators.replay import Replay

__all__ = ["Replay"]
