"""The flags and keys of the scripts that this project replaces, and what to say here instead.

`python -m curriculum.config.legacy` prints them as the tables of docs/from-scripts.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from curriculum.core.errors import UserError
from curriculum.core.program import program

SAME = "the same"

TABLES: dict[str, dict[str, str]] = {
    "filter_difficulty.py": {
        "data.path": SAME,
        "data.prompt_key": SAME,
        "data.reward_fn_key": SAME,
        "output_dir": SAME,
        "bucketing_strategy": "`bucketer=percentile`, `pass_rate`, `mean_reward` or `adaptive`",
        "custom_reward_function.path": "`reward=function reward.path=FILE`",
        "custom_reward_function.name": "`reward.name=NAME`, with `reward=function`",
        "custom_reward_function.reward_kwargs": "`reward.reward_kwargs={my_param: value}`",
        "reward_model.reward_manager": "`reward=verl reward.manager=NAME`: the same four",
        "reward_model.reward_kwargs": "`reward.reward_kwargs={...}`, with a `reward.manager`",
        "reward_model.enable": "`reward=reward_model reward.model=NAME_OR_FOLDER`",
        "model.path": SAME,
        "model.use_shm": "`generator.use_shm=true`",
        "num_samples": SAME,
        "data.batch_size": "`generator.batch_size=64`, in rollouts",
        "data.max_prompt_length": "`generator.max_prompt_length=1024`",
        "data.truncation": "`generator.truncation=error`, `left` or `right`",
        "data.trust_remote_code": "`generator.trust_remote_code=true`",
        "generation.max_new_tokens": "`generator.max_new_tokens=512`",
        "generation.temperature": "`generator.temperature=0.7`",
        "generation.top_p": "`generator.top_p=0.9`",
        "generation.do_sample": "`generator.do_sample=true`",
    },
    "bucket_rollouts_by_difficulty.py": {
        "-i": "`data.path=DIR`",
        "--input-dir": "`data.path=DIR`",
        "-o": "`output_dir=DIR`",
        "--output-dir": "`output_dir=DIR`",
        "-m": "`metric=NAME`",
        "--metric": "`metric=NAME`",
        "-n": "`bucketer.n=NUMBER`",
        "--num-buckets": "`bucketer.n=NUMBER`",
        "--bucket-names": "`'bucketer.names=[a,b,c]'`",
        "--thresholds": "`bucketer=threshold 'bucketer.thresholds=[0.3,0.7]'`",
        "--prefix": "`export.prefix=mine_`",
    },
    "analyze_rollouts.py": {
        "--rollouts": "`data.path=FILE`",
        "--model_path": "not needed: nothing is tokenized",
        "--output_dir": "`output_dir=DIR`",
        "--bucketing_strategy": "`bucketer=NAME`",
        "--reward_fn_key": "`data.reward_fn_key=KEY`",
    },
    "preprocess_bucketed_rollouts.py": {
        "-i": "`data.path=DIR`",
        "-o": "`output_dir=DIR`",
        "--buckets": "`'export.buckets=[easy,medium]'`",
        "--combine": "`export.combine=true`",
        "--output-name": "`export.name=phase2`",
        "--filter": "`export.filter=passing_only`, `best_only` or `all`",
    },
    "generate_rollouts.py": {
        "--use_vllm": "`generator=vllm`, or `generator=openai generator.server=vllm`",
        "--vllm_url": "`generator=openai generator.url=http://HOST:8000/v1`",
        "--data_path": "`data=verl data.path=FILE`",
        "--output_path": "`until=rollouts output_dir=DIR`: the file is `rollouts.parquet` there",
        "--num_samples": "`num_samples=10`",
        "--temperature": "`generator.temperature=0.7`",
    },
    "verl_extensions": {
        "data.sampler.class_path": "not needed here; for verl itself, up to 0.7.1, "
        "`data.sampler.class_path=pkg://curriculum.integrations.verl`, from 0.9 on "
        "`trainer.v1.trainer_mode=curriculum_sync`",
        "data.sampler.class_name": "`sampler=multi_source`, `time_curriculum` or "
        "`reward_curriculum`; for verl itself the old names hold",
        "data.sampler": "`sampler.KEY=VALUE`, the same keys",
        "sampler=MultiSourceSampler": "`sampler=multi_source`",
        "sampler=TimeCurriculumSampler": "`sampler=time_curriculum`",
        "sampler=CurriculumMultiSourceSampler": "`sampler=time_curriculum`",
        "sampler=RewardCurriculumSampler": "`sampler=reward_curriculum`",
        "sampler=RewardGatedCurriculumSampler": "`sampler=reward_curriculum`",
    },
}

PRESETS = {
    "filter_difficulty.py": "preset=filter_difficulty",
    "bucket_rollouts_by_difficulty.py": "preset=bucket_rollouts",
    "analyze_rollouts.py": "preset=analyze_rollouts",
    "preprocess_bucketed_rollouts.py": "preset=prepare_stages",
}

NEW = {old: new for table in TABLES.values() for old, new in table.items() if new != SAME}
# Hydra has flags of these names too: theirs where what follows is no value of the old one's.
HYDRAS = {"-i": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")}


def check_arguments(arguments: Sequence[str]) -> None:
    """Raise UserError, with what to say instead, where a command line has old flags or keys."""
    _raise(_old_arguments(arguments))


def check_config(values: Mapping[str, Any]) -> None:
    """Raise UserError, with what to say instead, where a configuration file has old keys."""
    _raise(key for key in _dotted(values) if _known(key))


def _old_arguments(arguments: Sequence[str]) -> Iterator[str]:
    for argument, following in pairwise([*arguments, ""]):
        if "=" in argument and argument in NEW:
            yield argument
            continue
        name = argument.partition("=")[0].lstrip("+~")
        value = "" if following.startswith(("-", "+", "~")) or "=" in following else following
        if name == "-m":  # Hydra's multirun, unless a metric follows
            if value.isidentifier() and not Path(value).exists():
                yield name
        elif name in HYDRAS:
            if value and value not in HYDRAS[name]:
                yield name
        elif (argument.startswith("-") or "=" in argument) and _known(name):
            yield name


def _known(name: str) -> bool:
    return bool(_entries(name))


def _entries(name: str) -> list[str]:
    """The old names that a name is: itself, one it lies in, or, of a block, all in it."""
    if name in ("data", "model"):  # blocks of today's too
        return []
    if name in NEW:
        return [name]
    return [
        old
        for old in NEW
        if name == old or name.startswith(f"{old}.") or old.startswith(f"{name}.")
    ]


def _raise(names: Iterable[str]) -> None:
    found = dict.fromkeys(old for name in names for old in _entries(name))
    if found:
        # Scripts share some flags: the one meant is that with most of them.
        script = max(TABLES, key=lambda each: sum(old in TABLES[each] for old in found))
        lines = [f"  {old}: {TABLES[script].get(old, NEW[old])}" for old in found]
        if script in PRESETS:
            lines.insert(0, f"  {script}: `{program()} {PRESETS[script]} ...`")
        raise UserError(
            "old names, and what to say instead (docs/from-scripts.md):\n" + "\n".join(lines)
        )


def _dotted(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{above}{key}.")


def main() -> None:
    """Print the tables."""
    for script, table in TABLES.items():
        preset = f", `{PRESETS[script]}`" if script in PRESETS else ""
        print(f"### {script}{preset}\n\n| old | here |\n| --- | --- |")
        for old, new in table.items():
            print(f"| `{old}` | {new} |")
        print()


if __name__ == "__main__":
    main()
