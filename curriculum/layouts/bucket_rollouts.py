"""The layout of rollout-bucketing scripts: lines of JSONL, one file a bucket, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.measured import Measured
from curriculum.core.names import UNSCORED
from curriculum.core.summary import Written
from curriculum.core.terminal import shown
from curriculum.core.text import in_a_line
from curriculum.formats.files import open_file
from curriculum.layouts.base import Layout
from curriculum.layouts.settings import Export

RULE = "=" * 60
Labels = npt.NDArray[np.object_]


@dataclass(frozen=True)
class BucketRollouts(Layout):
    """`{prefix}{bucket}.jsonl`: every line of the input once, in the order it came."""

    def write(self, outcome: Measured, folder: Path, export: Export) -> list[Written]:
        """See `Layout`.

        Raises:
            UserError: where problems are not lines of JSONL.
        """
        table = outcome.problems.table
        if table["length"].null_count:
            raise UserError(
                "convention=bucket_rollouts passes lines of JSONL through, one line a problem; "
                "these files hold something else: use convention=standard or analyze_rollouts"
            )
        labels = np.full(len(outcome.problems), UNSCORED, object)
        labels[outcome.measured] = outcome.buckets.labels().to_numpy(zero_copy_only=False)
        names = [*outcome.buckets.names, *[UNSCORED] * bool((labels == UNSCORED).any())]
        paths = {name: folder / in_a_line(f"{export.prefix}{name}.jsonl") for name in names}
        lines = _lines(table, labels)
        with ExitStack() as stack:
            out = {name: stack.enter_context(path.open("wb")) for name, path in paths.items()}
            for url, of_file in lines.groupby("file", sort=False):
                with open_file(str(url)) as stream:
                    _copy(stream, of_file.sort_values("position"), out)
        counts = lines["bucket"].value_counts()
        return [Written(path, f"{counts.get(name, 0)} rollouts") for name, path in paths.items()]

    def show(self, outcome: Measured, written: Sequence[Written]) -> None:
        """Print the percentiles of the metric and the size of each bucket."""
        metrics, sizes = outcome.metrics, outcome.buckets.sizes()
        files = pc.unique(outcome.problems.table["file"]).to_pylist()
        print(
            f"{RULE}\nBucketing by {metrics.chosen} using {len(sizes)} {outcome.bucketing} buckets"
        )
        print(f"{RULE}\n\nFound {len(files)} JSONL files in {shown(Path(files[0]).parent)}")
        print(
            f"Loaded {len(outcome.problems)} rollouts\n\nDifficulty percentiles ({metrics.chosen}):"
        )
        for share, value in _percentiles(outcome, len(sizes)):
            print(f"  {share:.0f}%: {value:.4f}")
        print("\nBucket statistics:")
        for name, size in sizes.items():
            print(f"  {in_a_line(name)}: {size} rollouts")
        print()
        for path, what in written:
            print(f"Saved {what} to {shown(path)}")
        print(
            f"\n{RULE}\nBucketing complete! Output saved to {shown(written[0].path.parent)}\n{RULE}"
        )


def _percentiles(outcome: Measured, n: int) -> list[tuple[float, float]]:
    values = outcome.metrics.complete(outcome.metrics.chosen)
    shares = np.linspace(0, 100, n + 1)
    # Between a number and an infinite one there is nothing to interpolate.
    method: Literal["linear", "lower"] = "linear" if np.isfinite(values).all() else "lower"
    return list(zip(shares, np.percentile(values, shares, method=method), strict=True))


def _lines(problems: pa.Table, labels: Labels) -> pd.DataFrame:
    """`file, position, length, bucket` of every line that has samples of the problems."""
    first = problems.select(["file", "position", "length"]).to_pandas().assign(bucket=labels)
    further = problems["further"].combine_chunks()
    others = pa.Table.from_struct_array(pc.list_flatten(further)).to_pandas()
    others["bucket"] = labels[pc.list_parent_indices(further).to_numpy()]
    lines: pd.DataFrame = pd.concat([first, others], ignore_index=True) if len(others) else first
    return lines


def _copy(stream: IO[bytes], lines: pd.DataFrame, out: Mapping[str, IO[bytes]]) -> None:
    places = zip(lines["position"], lines["length"], lines["bucket"], strict=True)
    for position, length, bucket in places:
        stream.seek(position)
        line = stream.read(length)
        out[bucket].write(line if line.endswith(b"\n") else line + b"\n")
