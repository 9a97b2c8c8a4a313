"""Rows of a batch come in the order in which rollouts were ready; here they are sorted.

A sum of numbers depends on their order, in its last bits. verl loads this where it trains, and only
there: actor_rollout_ref.rollout.agent.agent_loop_manager_class=verl_cpu.order.Manager
"""

import transfer_queue
from transfer_queue import KVBatchMeta
from verl.trainer.ppo.v1 import AgentLoopManagerTQ
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

materialize = ReplayBuffer._materialize_batch


def in_order(self, partition_id, *args):
    batch = materialize(self, partition_id, *args)
    rollouts = transfer_queue.kv_batch_get(
        keys=batch.keys, partition_id=partition_id, select_fields=["prompts", "responses"]
    )
    texts = [
        (prompt.tolist(), response.tolist())
        for prompt, response in zip(rollouts["prompts"], rollouts["responses"], strict=True)
    ]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    return KVBatchMeta(
        partition_id=partition_id,
        keys=[batch.keys[row] for row in order],
        tags=[batch.tags[row] for row in order],
    )


class Manager(AgentLoopManagerTQ):
    @classmethod
    def create(cls, *args, **kwargs):
        ReplayBuffer._materialize_batch = in_order
        return super().create(*args, **kwargs)
