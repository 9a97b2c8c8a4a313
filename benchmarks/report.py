"""Opening `report.html` of many problems, against a page with a table row for each of them.

    python benchmarks/report.py --problems 100000 --samples 8

Both are opened in headless Chromium (`apt install chromium-driver`, and the extra `dev`) until all
is laid out and drawn. The other page is what `DataFrame.to_html` makes of seven columns of
`problems.parquet`: no responses, no charts. Making our page is timed too, once its script is in the
store.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parent.parent
COLUMNS = ["problem_id", "data_source", "prompt", "bucket"]
COLUMNS += ["mean_reward", "pass_rate_low", "pass_rate_high"]
PART = 10_000  # problems in memory
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
DRAWN = (
    "return document.readyState === 'complete' && (!document.querySelector('[data-chart]') "
    "|| document.documentElement.dataset.drawn === 'yes')"
)


def write_rollouts(path: Path, problems: int, samples: int) -> None:
    """Long rollouts of 25 sources, with 1,700 characters of text each."""
    rng = np.random.default_rng(0)
    words = " ".join(rng.choice(["so", "we", "compute", "x", "the", "sum", "of", "12"], 700))
    texts = pa.array([words[i : i + 1700] for i in range(500)])
    writer = None
    for start in range(0, problems, PART):
        problem = np.repeat(np.arange(start, min(problems, start + PART)), samples)
        rate = np.repeat(rng.beta(0.6, 0.6, len(problem) // samples), samples)
        table = pa.table(
            {
                "prompt": [f"Problem {i}: what is {i} + {i}?" for i in problem],
                "response": texts.take(pa.array(rng.integers(0, 500, len(problem)))),
                "data_idx": problem,
                "sample_idx": np.tile(np.arange(samples), len(problem) // samples),
                "reward": (rng.random(len(problem)) < rate).astype(float),
                "original_data_source": [f"source_{i % 25}" for i in problem],
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def seconds_to_open(browser: Any, page: Path) -> float:
    """Until all is drawn and the browser has painted it."""
    browser.get("about:blank")
    start = time.perf_counter()
    browser.get(page.as_uri())
    while not browser.execute_script(DRAWN):
        time.sleep(0.01)
    browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0]))")
    return time.perf_counter() - start


def main() -> None:
    """Print seconds, sizes and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    from selenium import webdriver

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_rollouts(folder / "rollouts.parquet", given.problems, given.samples)
        command = [
            sys.executable,
            "run.py",
            "data=rollouts",
            f"data.path={folder}/rollouts.parquet",
        ]
        command += [f"output_dir={folder}/out", f"store_dir={folder}/store", "trainer=none"]
        for _ in range(2):  # the second finds the script in the store
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        took = json.loads((folder / "out" / "result.json").read_text())["seconds"]["report"]
        table = pd.read_parquet(folder / "out" / "problems.parquet", columns=COLUMNS)
        table.to_html(folder / "naive.html")

        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for each in (*OPTIONS, f"--user-data-dir={folder}/profile"):
            options.add_argument(each)
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        with webdriver.Chrome(options, service) as browser:
            browser.set_page_load_timeout(600)
            pages = {"report.html": folder / "out" / "report.html", "naive": folder / "naive.html"}
            best: dict[str, float] = {}
            for name, page in pages.items():
                rounds = given.rounds if name == "report.html" else 1
                best[name] = min(seconds_to_open(browser, page) for _ in range(rounds))
                size = page.stat().st_size / 1e6
                print(f"{name}: {best[name]:.2f} s to open, {size:.1f} MB")
        print(f"{best['naive'] / best['report.html']:.0f} times as fast as a row a problem")
        print(f"{took:.1f} s to make, of {given.problems * given.samples:,} rollouts")


if __name__ == "__main__":
    main()
