"""A small Llama in plain torch: the weights of its checkpoint, several times as fast at this size.

Where a step of a large model is arithmetic, one of a small model is the calls of a library: few of
them are left here. Its logits are those of transformers' LlamaForCausalLM.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from curriculum.core.errors import UserError

WEIGHTS = "model.safetensors"
HIDDEN = -1e9  # added to the attention of what must not be seen
PLAIN = {"model_type": "llama", "hidden_act": "silu", "attention_bias": False, "mlp_bias": False}


class Cache(NamedTuple):
    """Keys and values of a layer, (B, heads, room, head) each."""

    keys: Tensor
    values: Tensor


class Llama(torch.nn.Module):
    """The decoder, with its head; parameters by the names that they have in the checkpoint."""

    def __init__(self, folder: Path) -> None:
        """Raises UserError where the checkpoint is of another kind of model."""
        super().__init__()
        self.folder = folder
        self.shape = shape = _shape(folder)
        weights = load_file(folder / WEIGHTS)
        self.tied = "lm_head.weight" not in weights
        self._names = {name: name.replace(".", "/") for name in weights}
        for name, own in self._names.items():
            self.register_parameter(own, torch.nn.Parameter(weights[name].float()))
        pace = shape.rope_theta ** -(torch.arange(0, shape.head, 2).float() / shape.head)
        angles = torch.outer(torch.arange(shape.context).float(), pace)
        angles = torch.cat([angles, angles], -1)
        self._cos, self._sin = angles.cos(), angles.sin()

    def weight(self, name: str) -> Tensor:
        """A parameter by its name in the checkpoint, without `.weight`."""
        return self._parameters[self._names[f"{name}.weight"]]

    def new_cache(self, rows: int, room: int) -> list[Cache]:
        """Of as many sequences, each of at most so many tokens."""
        size = (rows, self.shape.key_heads, room, self.shape.head)
        layers = range(self.shape.layers)
        return [Cache(torch.zeros(size), torch.zeros(size)) for _ in layers]

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        mask: Tensor,
        cache: list[Cache] | None = None,
        last: int = 0,
    ) -> Tensor:
        """Logits, (B, T, vocabulary), or those of the last tokens alone.

        Args:
            ids: (B, T) tokens.
            positions: (B, T) theirs in their sequence, from 0.
            mask: (B, 1, 1 or T, S) added to the attention; S is T and what the cache holds before.
            cache: filled with these tokens' keys and values behind those that it holds.
            last: how many tokens' logits are wanted; 0: all.
        """
        shape, (rows, length) = self.shape, ids.shape
        x = F.embedding(ids, self.weight("model.embed_tokens"), padding_idx=shape.padding)
        cos, sin = self._cos[positions][:, None], self._sin[positions][:, None]
        end = mask.shape[-1]
        grouped = shape.heads != shape.key_heads
        for layer in range(shape.layers):
            name = f"model.layers.{layer}"
            h = self._norm(x, f"{name}.input_layernorm")
            query, key, value = (
                F.linear(h, self.weight(f"{name}.self_attn.{each}_proj"))
                .view(rows, length, -1, shape.head)
                .transpose(1, 2)
                for each in "qkv"
            )
            query, key = _rotated(query, cos, sin), _rotated(key, cos, sin)
            if cache is not None:
                keys, values = cache[layer]
                keys[:, :, end - length : end], values[:, :, end - length : end] = key, value
                key, value = keys[:, :, :end], values[:, :, :end]
            seen = F.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, enable_gqa=grouped
            )
            seen = seen.transpose(1, 2).reshape(rows, length, -1)
            x = x + F.linear(seen, self.weight(f"{name}.self_attn.o_proj"))
            h = self._norm(x, f"{name}.post_attention_layernorm")
            gate = F.silu(F.linear(h, self.weight(f"{name}.mlp.gate_proj")))
            up = F.linear(h, self.weight(f"{name}.mlp.up_proj"))
            x = x + F.linear(gate * up, self.weight(f"{name}.mlp.down_proj"))
        x = self._norm(x[:, -last:] if last else x, "model.norm")
        return F.linear(x, self.weight("model.embed_tokens" if self.tied else "lm_head"))

    def save_pretrained(self, folder: Path) -> None:
        """Write a checkpoint like the one it was read from."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path.suffix == ".json" or path.name.endswith(".jinja"):
                shutil.copy(path, folder)
        weights = {name: self._parameters[own] for name, own in self._names.items()}
        content = {
            name: each.detach().contiguous() for name, each in weights.items() if each is not None
        }
        save_file(content, folder / WEIGHTS, metadata={"format": "pt"})

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], self.weight(name), self.shape.rms_norm_eps)


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


class Shape(NamedTuple):
    """What a checkpoint's config.json says of the model, as far as it is needed."""

    layers: int
    heads: int
    key_heads: int
    head: int  # width
    context: int  # tokens
    rope_theta: float
    rms_norm_eps: float
    padding: int | None  # the token whose embedding is not trained, as in transformers


def _shape(folder: Path) -> Shape:
    """Raises UserError where the checkpoint is of another kind of model."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"model.path={folder}: no checkpoint, for its config.json: {error}"
        ) from error
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    odd = [
        f"{key}={config[key]}"
        for key, plain in PLAIN.items()
        if key in config and config[key] != plain
    ]
    if (kind := rope.get("rope_type", rope.get("type", "default"))) != "default":
        odd.append(f"rope_type={kind}")
    if not (folder / WEIGHTS).is_file():
        odd.append(f"no {WEIGHTS}")
    if odd or "model_type" not in config:
        raise UserError(
            f"trainer=local trains small models of Llama's plain form, and {folder} has "
            f"{', '.join(odd) or 'no model_type'}: trainer=trl trains any"
        )
    heads = config["num_attention_heads"]
    return Shape(
        config["num_hidden_layers"],
        heads,
        config.get("num_key_value_heads") or heads,
        config.get("head_dim") or config["hidden_size"] // heads,
        config["max_position_embeddings"],
        rope.get("rope_theta") or config.get("rope_theta", 10000.0),
        config["rms_norm_eps"],
        config.get("pad_token_id"),
    )
