"""Character-level Llamas of 0.1M to 0.25M parameters: tokenizer, weights and sampling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

SPECIAL_TOKENS = ["<pad>", "<bos>", "<eos>", "<unk>"]
PAD, BOS, EOS, UNKNOWN = range(4)
CHARACTERS = "0123456789+-*,:=GRabcdefghijklmnopqrstuvwxyz"
CONTEXT = 256  # tokens
HEAD = 32  # wide: vLLM refuses narrower ones
MAX_NEW_TOKENS = 12
PROMPTS_AT_ONCE = 64


class Response(NamedTuple):
    """Text without special tokens, and whether <eos> or the limit of new tokens ended it."""

    text: str
    finish_reason: Literal["stop", "length"]


def build_tokenizer() -> Any:
    """One token a character; adds no special tokens to a prompt."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: index for index, token in enumerate([*SPECIAL_TOKENS, *CHARACTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL_TOKENS[UNKNOWN]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=SPECIAL_TOKENS[PAD],
        bos_token=SPECIAL_TOKENS[BOS],
        eos_token=SPECIAL_TOKENS[EOS],
        unk_token=SPECIAL_TOKENS[UNKNOWN],
        padding_side="left",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def build_model(seed: int, heads: int = 3, max_new_tokens: int = MAX_NEW_TOKENS) -> Any:
    """A LlamaForCausalLM with random weights; 0.25M of them with three heads, 0.11M with two."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    tokens = {"pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": EOS}
    config = LlamaConfig(
        vocab_size=len(SPECIAL_TOKENS) + len(CHARACTERS),
        hidden_size=HEAD * heads,
        intermediate_size=3 * HEAD * heads,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
        **tokens,
    )
    model: Any = LlamaForCausalLM(config)
    # Servers that take their sampling from the checkpoint would decode greedily without it.
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=1.0, top_k=0, max_new_tokens=max_new_tokens, **tokens
    )
    return model


def save_checkpoint(model: Any, tokenizer: Any, directory: Path) -> None:
    """Write an ordinary Hugging Face checkpoint."""
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def sample(
    model: Any, tokenizer: Any, prompts: Sequence[str], samples: int, temperature: float, seed: int
) -> list[list[Response]]:
    """Sample responses, (prompts, samples), the same for the same seed.

    Reseeds torch's global generator.
    """
    import torch

    torch.manual_seed(seed)
    model.eval()
    prompt_ids = tokenizer(list(prompts)).input_ids
    responses: list[list[Response]] = [[] for _ in prompts]
    for rows in _equal_lengths(prompt_ids):
        ids = torch.tensor([prompt_ids[row] for row in rows])
        output = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            num_return_sequences=samples,
            temperature=temperature,
        )
        new = output[:, ids.shape[1] :].reshape(len(rows), samples, -1).tolist()
        for row, row_ids in zip(rows, new, strict=True):
            responses[row] = [_response(tokenizer, response_ids) for response_ids in row_ids]
    return responses


def _equal_lengths(prompt_ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Batches of rows whose prompts are equally long, so that nothing is padded."""
    by_length: defaultdict[int, list[int]] = defaultdict(list)
    for row, ids in enumerate(prompt_ids):
        by_length[len(ids)].append(row)
    for _, rows in sorted(by_length.items()):
        for start in range(0, len(rows), PROMPTS_AT_ONCE):
            yield rows[start : start + PROMPTS_AT_ONCE]


def _response(tokenizer: Any, ids: list[int]) -> Response:
    text = tokenizer.decode(ids, skip_special_tokens=True)
    return Response(text, "stop" if EOS in ids else "length")
