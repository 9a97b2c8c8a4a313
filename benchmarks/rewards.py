"""A cheap reward of one's own (a regular expression) in a run, against `multiprocessing.Pool`.

    python -m benchmarks.rewards

Both score each rollout of a file in as many processes. Seconds are those of the processors. Of a
run, what one takes that finds problems and rewards in the store is not counted; of the script, what
loading its modules takes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.analysis import cost, write_rollouts

ROOT = Path(__file__).parent.parent
SCORER = """
import re

LAST = re.compile(r"(\\w+)\\W*$")


def compute_score(data_source, solution_str, ground_truth, extra_info):
    return float(LAST.search(solution_str)[1].startswith("r"))
"""
POOL = """
import multiprocessing, sys
import pyarrow.parquet as pq
from scorer import compute_score

def score(row):
    return compute_score("made", row["response"], None, {"prompt": row["prompt"]})

def rows():
    for batch in pq.ParquetFile(sys.argv[1]).iter_batches(columns=["prompt", "response"]):
        yield from batch.to_pylist()

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(int(sys.argv[2])) as pool:
        print(sum(pool.imap(score, rows(), chunksize=64)))
"""


def compare(problems: int, samples: int, workers: int, shuffled: bool, folder: Path) -> None:
    """Print what both cost."""
    (folder / "scorer.py").write_text(SCORER)
    (folder / "pool.py").write_text(POOL)
    path = folder / "rollouts.parquet"
    write_rollouts(path, problems, samples, shuffled)
    run = [sys.executable, str(ROOT / "run.py"), "data=rollouts", f"data.path={path}"]
    run += ["reward=function", "reward.path=scorer.py", "reward.needs_ground_truth=false"]
    run += [f"reward.workers={workers}", f"store_dir={folder}/store", f"output_dir={folder}/out"]
    cost([*run, "until=problems"], folder)
    scoring, scored = (cost([*run, "until=rewards"], folder)[0] for _ in range(2))
    pool, _ = cost([sys.executable, "pool.py", str(path), str(workers)], folder)
    ours = scoring - scored
    order = "shuffled" if shuffled else "adjacent"
    told = f"Pool {pool:.1f} s, ours {ours:.1f} s: {ours / pool:.1f} x"
    print(f"{problems:,} x {samples}, {order}: {told}")


def main() -> None:
    """Print both and their ratio, adjacent and shuffled."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--problems", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    for shuffled in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            compare(
                arguments.problems, arguments.samples, arguments.workers, shuffled, Path(folder)
            )


if __name__ == "__main__":
    main()
