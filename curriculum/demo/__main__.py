"""`python -m curriculum.demo FOLDER`: the demo as files of a user's, to try every command on.

train.parquet                 problems as verl trains on them
rollouts.parquet              16 rollouts of each, a row a rollout, without rewards
rollouts/{source}.jsonl       the same with rewards, a line a problem
first.parquet, second.parquet the first and the last 8 rollouts of each, as if of two models
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError, explained
from curriculum.core.records import Sample
from curriculum.data.demo import FILE
from curriculum.formats.names import ORIGINAL
from curriculum.rewards import ExactMatch

FIELDS = ["data_source", "reward_model", "extra_info"]


def write(folder: Path) -> None:
    """Write the files into the folder, which is made where there is none."""
    (folder / "rollouts").mkdir(parents=True, exist_ok=True)
    rollouts = pd.read_parquet(FILE)
    half = rollouts["sample_idx"].max() // 2
    early = rollouts["sample_idx"] <= half
    tables = {
        "rollouts": rollouts,
        "first": rollouts[early],
        "second": rollouts[~early],
        "train": _training_file(rollouts),
    }
    for name, table in tables.items():
        with whole(folder / f"{name}.parquet") as path:
            table.to_parquet(path, index=False)
    for source, group in rollouts.groupby(f"{ORIGINAL}data_source"):
        lines = [json.dumps(_line(rows)) + "\n" for _, rows in group.groupby("data_idx")]
        with whole(folder / "rollouts" / f"{str(source).rpartition('/')[2]}.jsonl") as path:
            path.write_text("".join(lines))


def _training_file(rollouts: pd.DataFrame) -> pd.DataFrame:
    problems = rollouts.drop_duplicates("data_idx")
    prompts = problems["prompt"].map(lambda text: [{"role": "user", "content": text}])
    own = problems[[f"{ORIGINAL}{name}" for name in FIELDS]].set_axis(FIELDS, axis=1)
    return own.assign(prompt=prompts, ability="reasoning")


def _line(rows: pd.DataFrame) -> dict[str, Any]:
    """A problem with all its rollouts."""
    first = rows.iloc[0]
    truth = first[f"{ORIGINAL}reward_model"]["ground_truth"]
    source = first[f"{ORIGINAL}data_source"]
    samples = [Sample(source, first["prompt"], text, truth, None) for text in rows["response"]]
    return {
        "data_source": source,
        "prompt": [{"role": "user", "content": first["prompt"]}],
        "response": [{"role": "assistant", "content": text} for text in rows["response"]],
        "reward": [{"score": score} for score in ExactMatch().score(samples)],
        "ground_truth": truth,
        "extra_info": first[f"{ORIGINAL}extra_info"],
    }


def main() -> None:
    """Write the files and say where."""
    parser = argparse.ArgumentParser(prog="python -m curriculum.demo", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write")
    with explained():
        folder = parser.parse_args().folder
        try:
            write(folder)
        except OSError as error:
            raise UserError(f"{folder} can't be written: {error.strerror}") from error
        print(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")


if __name__ == "__main__":
    main()
