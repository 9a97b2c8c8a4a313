"""Samples that torch has saved: slime's dumps of rollouts (`--save-debug-rollout-data`)."""

from __future__ import annotations

from collections.abc import Iterator

from curriculum.core.errors import UserError, require_extra
from curriculum.formats.containers.base import Line
from curriculum.formats.files import open_file


def read(url: str) -> Iterator[Line]:
    """The rows of `samples`, each with the `rollout_id` that the file has.

    Nothing of the file is executed: what is more than plain values and tensors is refused.
    """
    require_extra(f"{url}, saved by torch,", "torch", "torch")
    import torch

    with open_file(url) as stream:
        content = torch.load(stream, map_location="cpu", weights_only=True)
    samples = content.get("samples") if isinstance(content, dict) else None
    if not isinstance(samples, list) or not all(isinstance(each, dict) for each in samples):
        raise UserError(f"{url} has no `samples`, a list of objects, as slime's dumps do")
    for position, sample in enumerate(samples):
        row = {"rollout_id": content.get("rollout_id"), **sample}
        yield Line(position + 1, position, row)
