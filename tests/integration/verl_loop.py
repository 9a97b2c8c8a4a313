"""What verl's trainer up to 0.8 does with a dataset, a sampler and their loader.

`RayPPOTrainer.fit` takes a batch, saves the loader's state, and then tells of the batch.
"""

import numpy as np

ROWS, BATCH, GROUP = 48, 8, 4


def make_rows(index=True):
    return [
        {
            "data_source": "logicif" if i % 3 else "iftrain",
            "prompt": [{"role": "user", "content": f"{i}+1"}],
            "reward_model": {"style": "rule", "ground_truth": str(i + 1)},
            "extra_info": {"complexity_score": i / ROWS} | ({"index": 100 + i} if index else {}),
        }
        for i in range(ROWS)
    ]


def loader_of(dataset, **options):
    from torchdata.stateful_dataloader import StatefulDataLoader
    from verl.utils.dataset.rl_dataset import collate_fn

    return StatefulDataLoader(
        dataset, BATCH, num_workers=0, drop_last=True, collate_fn=collate_fn, **options
    )


class Loop:
    """Steps of training; what is saved is saved before `tell` is called."""

    def __init__(self, loader, tell):
        self.loader, self.tell = loader, tell
        self.seen, self.saved = [], []

    def fit(self, steps, first=0):
        step = first
        while step < steps:
            for batch in self.loader:
                infos = batch["extra_info"]
                self.seen.append([info["index"] for info in infos])
                self.saved.append(self.loader.state_dict())
                self.tell(rollouts(infos, step))
                step += 1
                if step == steps:
                    return


def rollouts(infos, step, **extra):
    """A DataProto, its rows in any order."""
    import torch
    from verl import DataProto

    order = np.random.default_rng(step).permutation(np.repeat(np.arange(len(infos)), GROUP))
    rng = np.random.default_rng([step, 1])
    rewards = torch.tensor(rng.random((len(order), 1)) < 0.5, dtype=torch.float32)
    return DataProto.from_dict(
        tensors={"token_level_scores": torch.cat([torch.zeros(len(order), 2), rewards], 1)},
        non_tensors={"extra_info": np.array(infos, object)[order], **extra},
    )
