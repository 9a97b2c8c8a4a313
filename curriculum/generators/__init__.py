"""Where rollouts come from."""

from curriculum.generators.base import Batch, Generation, Generator, Request, Response
from curriculum.generators.openai import OpenAI
from curriculum.generators.replay import Replay
from curriculum.generators.transformers import Transformers
from curriculum.generators.vllm import Vllm

__all__ = [
    "Batch",
    "Generation",
    "Generator",
    "OpenAI",
    "Replay",
    "Request",
    "Response",
    "Transformers",
    "Vllm",
]
