"""Whole runs on rollouts, against scripts of DuckDB that read, measure and write the same.

Of JSONL, a line a problem, the script scans the lines and their bytes are copied.

    python benchmarks/analysis.py --problems 100000 --samples 16

A first run reads everything; the next finds problems, index and rewards in the store. Seconds are
those of the processor, of the process and its children; the peak is that of its memory.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parent.parent
LETTERS = "the quick brown fox jumps over the lazy dog and runs " * 8

# Mean, spread, extremes, pass rate, mean of the best 1, 3, 5 and 10, pass@1, 4 and 8, quartiles of
# the mean, and the problems of each in a file of their own.
SCRIPT = """
import duckdb, sys
duckdb.sql('''CREATE TABLE problems AS
SELECT data_idx, prompt, avg(reward) AS mean, stddev_pop(reward) AS std,
       min(reward) AS low, max(reward) AS high, count(*) AS n, sum((reward >= 1)::INT) AS c,
       list_avg(max(reward, 3)) AS m3, list_avg(max(reward, 5)) AS m5,
       list_avg(max(reward, 10)) AS m10
FROM read_parquet('%s') GROUP BY prompt, data_idx'''  % sys.argv[1])
duckdb.sql('''CREATE TABLE bucketed AS SELECT *, ntile(4) OVER (ORDER BY mean DESC) AS bucket,
       1 - list_product([1 - c / (n - i) FOR i IN range(4)]) AS pass4,
       1 - list_product([1 - c / (n - i) FOR i IN range(8)]) AS pass8 FROM problems''')
for bucket in range(1, 5):
    duckdb.sql(f"COPY (FROM bucketed WHERE bucket = {bucket}) TO '{sys.argv[2]}/{bucket}.parquet'")
"""

SCAN = """
import duckdb, shutil, sys
duckdb.sql('''CREATE TABLE problems AS SELECT prompt, data_source, ground_truth,
len(responses) AS n, list_avg(rewards) AS mean, list_max(rewards) AS best FROM read_json('%s',
columns = {prompt: 'VARCHAR', data_source: 'VARCHAR', ground_truth: 'VARCHAR',
           responses: 'VARCHAR[]', rewards: 'DOUBLE[]'})''' % sys.argv[1])
shutil.copyfile(sys.argv[1], sys.argv[2] + "/copy.jsonl")
"""
LINE = 8  # rollouts of a line, 600 characters each


def write_lines(path: Path, problems: int) -> None:
    """JSONL of 5 kB a line."""
    rng, text = np.random.default_rng(0), LETTERS * 2
    with path.open("w") as file:
        for i in range(problems):
            row = {
                "prompt": f"{i:09d} {text[:190]}",
                "data_source": "made",
                "ground_truth": str(i),
                "responses": [f"{i}-{j} {text[j : j + 600]}" for j in range(LINE)],
                "rewards": rng.integers(0, 2, LINE).astype(float).tolist(),
            }
            file.write(json.dumps(row) + "\n")


def write_rollouts(path: Path, problems: int, samples: int, shuffled: bool) -> None:
    """Long rollouts: prompts of 100 and responses of 150 characters."""
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(problems), samples)
    sample = np.tile(np.arange(samples), problems)
    if shuffled:
        order = rng.permutation(len(owner))
        owner, sample = owner[order], sample[order]
    rates = rng.beta(0.7, 0.7, problems)
    prompts = pa.array([f"{i:09d} {LETTERS[i % 90 : i % 90 + 90]}" for i in range(problems)])
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for start in range(0, len(owner), 1 << 20):
            own = owner[start : start + (1 << 20)]
            columns = {
                "prompt": prompts.take(pa.array(own)),
                "response": [_response(start + i) for i in range(len(own))],
                "data_idx": own,
                "sample_idx": sample[start : start + (1 << 20)],
                "reward": (rng.random(len(own)) < rates[own]).astype(float),
            }
            writer.write_table(pa.table(columns, schema=SCHEMA))


def _response(number: int) -> str:
    return f"{number:09d} {LETTERS[number % 90 : number % 90 + 140]}"


SCHEMA = pa.schema(
    [
        ("prompt", pa.string()),
        ("response", pa.string()),
        ("data_idx", pa.int64()),
        ("sample_idx", pa.int64()),
        ("reward", pa.float64()),
    ]
)


def cost(command: list[str], folder: Path) -> tuple[float, float]:
    """Processor seconds and peak GB of a command."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6


def compare(problems: int, samples: int, shuffled: bool, folder: Path) -> None:
    """Print what both cost."""
    path = folder / "rollouts.parquet"
    # In a process of its own: what this one needs at most is told of its children too.
    own = (path, problems, samples, shuffled)
    writer = multiprocessing.get_context("spawn").Process(target=write_rollouts, args=own)
    writer.start()
    writer.join()
    script = [sys.executable, "-c", SCRIPT, str(path), str(folder)]
    run = [sys.executable, str(ROOT / "run.py"), "data=rollouts", f"data.path={path}"]
    run += ["bucketer=percentile", "report.examples=0", f"output_dir={folder}/out"]
    run += [f"store_dir={folder}/store"]
    seconds, peak = cost(script, folder)
    order = "shuffled" if shuffled else "adjacent"
    print(f"{problems:,} x {samples}, {order}: DuckDB's script {seconds:.1f} s, {peak:.1f} GB")
    for name in ("first", "again"):
        spent, most = cost(run, folder)
        print(f"  {name} run {spent:.1f} s, {most:.1f} GB: {spent / seconds:.1f} x")


def compare_lines(problems: int, folder: Path) -> None:
    """Print what presets cost that copy lines, or make stages of them."""
    path = folder / "lines.jsonl"
    write_lines(path, problems)
    seconds, peak = cost([sys.executable, "-c", SCAN, str(path), str(folder)], folder)
    told = f"DuckDB's scan and a copy {seconds:.1f} s, {peak:.1f} GB"
    print(f"{problems:,} lines, {path.stat().st_size / 1e6:.0f} MB: {told}")
    for preset in ("bucket_rollouts", "curriculum"):
        run = [sys.executable, str(ROOT / "run.py"), f"preset={preset}", f"data.path={path}"]
        run += ["report.examples=0", f"output_dir={folder}/{preset}"]
        run += [f"store_dir={folder}/store_{preset}"]
        for name in ("first", "again"):
            spent, most = cost(run, folder)
            print(f"  {preset}, {name} run {spent:.1f} s, {most:.1f} GB: {spent / seconds:.1f} x")


def main() -> None:
    """Parquet adjacent and shuffled, then JSONL."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--problems", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--lines", type=int, default=40_000)
    arguments = parser.parse_args()
    for shuffled in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            compare(arguments.problems, arguments.samples, shuffled, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        compare_lines(arguments.lines, Path(folder))


if __name__ == "__main__":
    main()
