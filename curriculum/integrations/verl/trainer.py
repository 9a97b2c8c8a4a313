"""verl 0.9 and later: the trainer mode `curriculum_sync`, which `plugin` adds.

    python -m verl.trainer.main_ppo trainer.v1.trainer_mode=curriculum_sync \
        +curriculum.run=RUN_FOLDER +curriculum.sampler=frontier ...
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import transfer_queue
from omegaconf import open_dict
from torchdata.stateful_dataloader import StatefulDataLoader
from verl.trainer.ppo.v1 import PPOTrainerSync, register_trainer
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer
from verl.utils.dataset.rl_dataset import collate_fn

from curriculum.core.errors import UserError
from curriculum.core.names import RECOMMENDED
from curriculum.core.records import from_single
from curriculum.integrations.verl.curriculum import DatasetCurriculum, accuracy_or
from curriculum.integrations.verl.options import WHERE, at, chosen

MODE = "curriculum_sync"
TRAIN = "train"  # verl's partition of rollouts to train on


@register_trainer(MODE)
class CurriculumTrainer(PPOTrainerSync):
    """verl's synchronous trainer, with prompts that a sampler chooses and learns of.

    The state of the curriculum is the loader's, in each checkpoint's data.pt: verl saves after a
    step, when the sampler has learned of it, so a resumed training draws what one would have drawn
    that never stopped.
    """

    train_dataloader: Any

    def __init__(self, config: Any) -> None:
        """As verl makes it; `+curriculum.KEY=VALUE` sets what `Options`, guards and sampler have.

        Raises:
            UserError: where keys of `data.sampler` are set, which this verl ignores.
        """
        if at(config, "data.sampler"):
            raise UserError(
                f"data.sampler.* is ignored by this verl: write +{WHERE}.sampler={RECOMMENDED} and "
                f"+{WHERE}.KEY=VALUE for its keys"
            )
        with open_dict(config):
            config.trainer.v1.trainer_mode = "sync"  # the base class asks for this very word
        super().__init__(config)

    def _build_replay_buffer(self) -> Any:
        buffer = super()._build_replay_buffer()
        if type(buffer) is ReplayBuffer and hasattr(buffer, "_clear_groups"):
            return _Watched(buffer, self._add)
        print(f"{WHERE}: groups that {type(buffer).__name__} drops are not seen by the sampler")
        return buffer

    def _init_dataloader(self) -> None:
        super()._init_dataloader()
        size = self.config.data.train_batch_size
        self.curriculum = DatasetCurriculum(
            self.train_dataset, self.config, size, chosen(self.config), WHERE
        )
        self.train_dataloader = StatefulDataLoader(
            self.train_dataset,
            batch_size=self.train_dataloader.batch_size,
            num_workers=0,  # a worker would draw ahead of the feedback
            drop_last=True,
            collate_fn=collate_fn,
            sampler=self.curriculum,
        )

    def step(self, metrics: dict[str, Any], timing_raw: dict[str, float]) -> Any:
        """A step of verl's, whose rewards the sampler learns."""
        batch = super().step(metrics, timing_raw)
        self._add(dict(zip(batch.keys, batch.tags, strict=True)))
        metrics.update(self.curriculum.observe(self.curriculum.collected()))
        return batch

    def _add(self, trajectories: Mapping[str, Mapping[str, Any]]) -> None:
        """Tell of rollouts, by their keys `{prompt}_{rollout}_{output}` and tags.

        Of a rollout with several outputs the last one counts; what was added to fill a batch up is
        none.
        """
        last: dict[str, tuple[int, str]] = {}
        for key, tag in trajectories.items():
            rollout, _, output = key.rpartition("_")
            if not tag.get("is_padding", False):
                last[rollout] = max(last.get(rollout, (-1, "")), (int(output), key))
        if last:
            data = transfer_queue.kv_batch_get(
                keys=[key for _, key in last.values()],
                partition_id=TRAIN,
                select_fields=["extra_info", "extra_fields", "rm_scores"],
            )
            score = from_single([float(each.sum()) for each in data["rm_scores"]])
            extra = [_dict(each).get("reward_extra_info") or {} for each in data["extra_fields"]]
            infos = [_dict(info) for info in data["extra_info"]]
            self.curriculum.add(infos, accuracy_or(score, [each.get("acc") for each in extra]))


class _Watched(ReplayBuffer):
    """verl's own buffer, which tells of groups before it drops them: DAPO's filter, surplus."""

    def __init__(
        self, buffer: ReplayBuffer, tell: Callable[[Mapping[str, Mapping[str, Any]]], None]
    ) -> None:
        names = inspect.signature(ReplayBuffer).parameters
        super().__init__(**{name: getattr(buffer, name) for name in names})
        self._tell = tell

    def _clear_groups(self, partition_id: str, uids: set[str]) -> None:
        if partition_id == TRAIN:
            kept = self.partitions[partition_id].items()
            self._tell({key: tag for key, tag in kept if key.split("_")[0] in uids})
        super()._clear_groups(partition_id, uids)


def _dict(value: Any) -> dict[str, Any]:
    """What tensordict wraps where a value is no tensor."""
    return dict(getattr(value, "data", value) or {})
