"""Few rollouts, or all alike: no number is made up, none is warned about on the terminal."""

import json
import re
from typing import Any, cast

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from curriculum.config.conf import conf_dir
from curriculum.run import pipeline
from curriculum.run.context import Context


def rollouts(problems, samples, reward, sources=2):
    return [
        {
            "prompt": f"q{i}",
            "response": f"{j}",
            "reward": float(reward(i, j)),
            "data_source": f"s{i % sources}",
        }
        for i in range(problems)
        for j in range(samples)
    ]


SETS = {
    "four samples": rollouts(12, 4, lambda i, j: j < i % 5),
    "one sample": rollouts(12, 1, lambda i, j: i % 2),
    "all solved": rollouts(12, 6, lambda i, j: 1),
    "none solved": rollouts(12, 6, lambda i, j: 0, sources=1),
    "one problem": rollouts(1, 6, lambda i, j: j % 2),
    "one rollout": rollouts(1, 1, lambda i, j: 1),
    "below zero": rollouts(12, 3, lambda i, j: -1 if j % 2 else 0.5),
}


@pytest.fixture
def report_of(tmp_path, store):
    """The page of a run in this process, where every warning is an error."""

    def report_of(rows, *overrides):
        path = tmp_path / "rollouts.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        where = (f"data.path={path}", f"output_dir={folder}", f"store_dir={store}")
        asked = ["data=rollouts", "trainer=none", *overrides, *where]
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            cfg = compose("config", asked, return_hydra_config=True)
        choices = dict(cfg.hydra.runtime.choices)
        own = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
        values = cast(dict[str, Any], OmegaConf.to_container(own, resolve=True))
        pipeline.run(values, Context.of(values, folder, choices, show=True))
        return (folder / "report.html").read_text(encoding="utf-8")

    return report_of


def ranges(page):
    """Lowest and highest value of the metric, a row a bucket that has problems."""
    table = page[page.index('<section id="buckets">') :].partition("</table>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")]
    return [row[-3:-1] for row in rows if row and row[-1]]


@pytest.mark.parametrize("name", SETS)
def test_buckets_of_any_set_have_a_page(report_of, name):
    assert ranges(report_of(SETS[name], "bucketer=adaptive"))


@pytest.mark.parametrize("samples", [1, 4, 5])
def test_what_no_problem_has_samples_for_is_undefined_on_the_page(report_of, samples):
    """mean@5, which the buckets of `adaptive` are not cut on where it is undefined."""
    rows = rollouts(12, samples, lambda i, j: j < i % 3)
    found = ranges(report_of(rows, "bucketer=adaptive", "metric=mean_at_k"))
    if samples < 5:
        assert found and all(cells == ["-", "-"] for cells in found)
    else:
        assert [float(cell) for cells in found for cell in cells] == [0.4, 0.4, 0.2, 0.2, 0, 0]


@pytest.mark.parametrize("scores", [[1.0], [0.0, 0.0], [-1.0]])
def test_one_line_has_its_bucket(report_of, tmp_path, scores):
    line = {
        "prompt": "q",
        "response": {"choices": [{"message": {"content": ""}} for _ in scores]},
        "reward": [{"score": score} for score in scores],
    }
    report_of([line], "preset=bucket_rollouts")
    written = [path.read_text() for path in (tmp_path / "out").glob("*.jsonl")]
    assert [json.loads(text) for text in written if text] == [line]
