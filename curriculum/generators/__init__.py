"""Where rollouts come from."""

from curriculum.generators.base import Batch, Generation, Generator, Request, Response
from curriculum.generators.openai import OpenAI
from curriculum.generators.plan import Asked
from curriculum.generators.replay import Replay
from curriculum.generators.stored import Work, add_shard
from curriculum.generators.stored import load as load_stored
from curriculum.generators.transformers import Transformers
from curriculum.generators.vllm import Vllm

__all__ = [
    "Asked",
    "Batch",
    "Generation",
    "Generator",
    "OpenAI",
    "Replay",
    "Request",
    "Response",
    "Transformers",
    "Vllm",
    "Work",
    "add_shard",
    "load_stored",
]
