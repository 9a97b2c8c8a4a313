"""A rollout server of transformers: what it answers follows from step, prompt and sample alone."""

import asyncio
import os
from collections import Counter

import numpy as np
import ray
import torch
from verl.workers.rollout import base, replica
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

NAME = "cpu"
FORWARDED = ("PYTHONPATH", "VERL_PLATFORM", "VERL_USE_EXTERNAL_MODULES")


def register():
    base._ROLLOUT_REGISTRY[(NAME, "async")] = "verl_cpu.rollout.Adapter"
    replica.RolloutReplicaRegistry.register(NAME, lambda: Replica)


class Server:
    """Answers token ids, one request after another, so that none depends on what came beside it."""

    def __init__(self, path, limit):
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(1)
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
        self.limit, self.step = limit, 0
        self.asked: Counter[tuple[int, ...]] = Counter()  # in this step, by prompt
        self.one_at_a_time = asyncio.Lock()

    async def generate(self, request_id, prompt_ids, sampling_params, **_):
        prompt = tuple(prompt_ids)
        sample = self.asked[prompt]
        self.asked[prompt] += 1
        async with self.one_at_a_time:
            temperature = sampling_params.get("temperature", 1.0)
            rng = np.random.default_rng([self.step, sample, *prompt])
            tokens, log_probs, ended = self._sampled(prompt, temperature, rng)
        return TokenOutput(
            token_ids=tokens,
            log_probs=log_probs,
            stop_reason="completed" if ended else "length",
            num_preempted=0,
            extra_fields={"global_steps": self.step},
        )

    @torch.inference_mode()
    def _sampled(self, prompt, temperature, rng):
        ids, cache = torch.tensor([prompt]), None
        tokens: list[int] = []
        log_probs: list[float] = []
        while len(tokens) < self.limit:
            output = self.model(ids, past_key_values=cache, use_cache=True)
            cache = output.past_key_values
            scores = output.logits[0, -1].double()
            likely = (scores / (temperature or 1.0)).log_softmax(-1)
            if temperature:
                drawn = torch.searchsorted(likely.exp().cumsum(0), rng.random())
                token = min(int(drawn), len(likely) - 1)
            else:
                token = int(likely.argmax())
            tokens.append(token)
            log_probs.append(float(likely[token]))
            if token == self.model.config.eos_token_id:
                return tokens, log_probs, True
            ids = torch.tensor([[token]])
        return tokens, log_probs, False

    async def load_weights(self, state):
        self.model.load_state_dict(state, strict=False)
        self.model.tie_weights()

    async def set_global_steps(self, step):
        self.step = step
        self.asked.clear()

    async def nothing(self, *_, **__):
        pass

    wake_up = sleep = clear_kv_cache = abort_all_requests = resume_generation = nothing
    release_kv_cache = resume_kv_cache = nothing


class Replica(RolloutReplica):
    async def launch_servers(self):
        model = self.model_config
        path = getattr(model, "local_path", None) or model["path"]
        environment = {name: os.environ[name] for name in FORWARDED if name in os.environ}
        server = (
            ray.remote(Server)
            .options(
                name=server_name(self.replica_rank),
                num_cpus=0,
                max_concurrency=self.max_concurrency,
                runtime_env={"env_vars": environment},
            )
            .remote(path, self.config.response_length)
        )
        await server.set_global_steps.remote(0)
        self.servers, self._server_handle = [server], server
        self._server_address = server_name(self.replica_rank)


class Adapter(BaseRollout):
    """The trainer's end: it brings the weights."""

    def __init__(self, config, model_config, device_mesh, replica_rank=-1):
        super().__init__(config, model_config, device_mesh)
        self.rank = int(os.environ["RANK"]) if replica_rank < 0 else replica_rank

    async def resume(self, tags):
        pass

    async def release(self):
        pass

    async def update_weights(self, weights, global_steps=None, **_):
        server = ray.get_actor(server_name(self.rank))
        state = {name: weight.detach().float().cpu().clone() for name, weight in weights}
        await server.load_weights.remote(state)
        if global_steps is not None:
            await server.set_global_steps.remote(global_steps)


def server_name(rank):
    return f"cpu_server_{rank}"
