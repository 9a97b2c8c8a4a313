"""Where rollouts come from."""

from curriculum.generators.base import Batch, Generation, Generator, Request, Response
from curriculum.generators.replay import Replay
from curriculum.generators.stored import load as load_stored
from curriculum.generators.transformers import Transformers

__all__ = [
    "Batch",
    "Generation",
    "Generator",
    "Replay",
    "Request",
    "Response",
    "Transformers",
    "load_stored",
]
