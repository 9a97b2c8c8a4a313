"""The trainers' own readers on stage files: `datasets`, verl's RLHFDataset and TRL."""

import json

import pandas as pd
import pytest

datasets = pytest.importorskip("datasets", reason="datasets is not installed; CI has it")

CHAT_TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"
# Of every type a ground truth may have, beside extra_info whose index is a number here, text there.
PROBLEMS: dict[str, tuple[list, list]] = {
    "numbers": ([1, 2, 3, 4], [10, 11, 12, 13]),
    "texts": (["x", "y", "z", "w"], ["a-1", "a-2", "a-3", "a-4"]),
    "lists": ([["x"], ["y", "z"], [], ["w"]], [0, 1, 2, 3]),
    "checks": ([{"kwargs": [{}, {"n": i}]} for i in range(4)], [None, 1, None, 2]),
}


@pytest.fixture
def stages(run, tmp_path):
    """Stage files of a folder of buckets, separate, combined and cumulative."""
    folder = tmp_path
    for bucket, share in (("easy", 3), ("medium", 2), ("hard", 0)):
        lines = [json.dumps(line) + "\n" for line in lines_of(bucket, share)]
        (folder / "buckets").mkdir(exist_ok=True)
        (folder / "buckets" / f"{bucket}.jsonl").write_text("".join(lines))
    source = ["preset=prepare_stages", f"data.path={folder}/buckets", "export.val_fraction=0.25"]
    for out, *options in (
        ["separate"],
        ["combined", "export.combine=true", "export.name=phase2", "export.buckets=[easy,medium]"],
        ["cumulative", "export.cumulative=true"],
    ):
        done = run(*source, *options, f"output_dir={folder}/{out}")
        assert done.returncode == 0, done.stderr
    return {out: files(folder / out) for out in ("separate", "combined", "cumulative")}


def lines_of(bucket, passes):
    """A problem a line, solved in `passes` of three samples; every kind of ground truth."""
    for source, (truths, indices) in PROBLEMS.items():
        for truth, index in zip(truths, indices, strict=True):
            yield {
                "data_source": source,
                "prompt": f"{bucket} {source} {json.dumps(truth)} {index}",
                "response": ["a", "b", "c"],
                "reward": [{"score": float(i < passes)} for i in range(3)],
                "ground_truth": truth,
                "extra_info": {"index": index, source: truth},
            }


def files(folder):
    return [
        str(path) for side in ("train", "val") for path in sorted(folder.glob(f"*_{side}.parquet"))
    ]


def everything(stages):
    return [path for paths in stages.values() for path in paths]


def rows_in(paths):
    return sum(len(pd.read_parquet(path)) for path in paths)


@pytest.fixture(scope="module")
def tokenizer():
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    words = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"[UNK]": 0, "[PAD]": 1, "[EOS]": 2}, "[UNK]")
    )
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", eos_token="[EOS]"
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def test_datasets_concatenates_all_stage_files(stages):
    parts = [
        datasets.load_dataset("parquet", data_files=path)["train"] for path in everything(stages)
    ]
    together = datasets.concatenate_datasets(parts)
    assert len(together) == rows_in(everything(stages))
    assert all(part.features == together.features for part in parts)
    own = [part for part, path in zip(parts, everything(stages), strict=True) if "separate" in path]
    index = [info["index"] for part in own for info in part["extra_info"]]
    assert len(set(index)) == len(index) == 48


def test_verl_reads_all_stage_files(stages, tokenizer, tmp_path):
    pytest.importorskip("verl", reason="verl is not installed; CI has environments with it")
    from omegaconf import OmegaConf
    from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

    config = OmegaConf.create(
        {"cache_dir": str(tmp_path), "max_prompt_length": 64, "filter_overlong_prompts": True}
    )
    dataset = RLHFDataset(everything(stages), tokenizer, config)
    assert len(dataset) == rows_in(everything(stages))
    separate = RLHFDataset(stages["separate"], tokenizer, config)
    rows = [separate[i] for i in range(len(separate))]
    assert sorted(row["index"] for row in rows) == list(range(48))
    assert {row["data_source"] for row in rows} == set(PROBLEMS)
    batch = collate_fn(rows[:8])
    assert [info["curriculum_stage"] for info in batch["extra_info"]] == ["easy"] * 8
    for row in rows:
        assert row["raw_prompt"][0]["role"] == "user"
        assert isinstance(row["reward_model"]["ground_truth"], str)
        assert row["extra_info"]["difficulty_metrics"]["n"] == 3


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of transformers, at what TRL sets
def test_trl_takes_a_training_step_on_stage_files(stages, tokenizer, tmp_path):
    trl = pytest.importorskip("trl", reason="trl is not installed; CI has an environment with it")
    from transformers import Qwen2Config, Qwen2ForCausalLM

    rows = datasets.load_dataset("parquet", data_files=stages["separate"])["train"]
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 1, "num_key_value_heads": 1}
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), **sizes, **heads))
    seen: list[tuple[dict, dict]] = []

    def reward(completions, reward_model, extra_info, **columns):
        seen.extend(zip(reward_model, extra_info, strict=True))
        return [float(len(completion[0]["content"])) for completion in completions]

    config = trl.GRPOConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=4,
        num_generations=2,
        max_completion_length=2,
        max_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        bf16=False,
    )
    trl.GRPOTrainer(model, reward, config, rows, processing_class=tokenizer).train()
    assert len(seen) == 4
    by_index = {row["extra_info"]["index"]: row for row in rows}
    for truth, info in seen:
        row = by_index[info["index"]]
        assert (truth, info) == (row["reward_model"], row["extra_info"])
