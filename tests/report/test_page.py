"""What the files say, without a browser."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from curriculum.core.records import REWARD_SCHEMA
from curriculum.report.examples import most_telling
from curriculum.report.responses import Rewarded

SCRIPT = re.compile(r"<script(?: type=\"(?P<kind>[^\"]+)\"[^>]*)?>(?P<text>.*?)</script>", re.S)


def read(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def data_of(html: str) -> dict:
    (text,) = (each["text"] for each in SCRIPT.finditer(html) if each["kind"] == "application/json")
    return json.loads(text)


def table_after(html: str, section: str) -> list[list[str]]:
    """The text of the cells of the first table in a section."""
    part = html[html.index(f'<section id="{section}">') :]
    part = part[: part.index("</table>")]
    rows = [
        re.findall(r"<td>(.*?)</td>", row, re.S) for row in re.findall("<tr.*?</tr>", part, re.S)
    ]
    return [[unescape(re.sub("<[^>]+>", "", cell)) for cell in row] for row in rows if row]


def without_times(html: str) -> str:
    html = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", html)
    return re.sub(r"<p>problems [\d.]+ s.*?</p>", "", html)


def test_what_was_taken_of_each_file_is_said(run, tmp_path, read_result):
    rows = [{"prompt": "q", "response": "<b>", "score": 1.0, "gt": "1", "images": None, "uid": "u"}]
    path = tmp_path / "a.parquet"
    pd.DataFrame(rows).to_parquet(path)
    assert run("data=rollouts", f"data.path={path}").returncode == 0
    (took,) = read_result(tmp_path / "out")["problems_took"]
    assert took.endswith("reward from score; not used: uid")
    assert f"<dt>read</dt><dd>{took}</dd>" in read(tmp_path / "out")


def test_numbers_are_those_of_the_other_files(run, tmp_path, read_result):
    done = run()
    assert str(tmp_path / "out" / "report.html") in done.stderr
    html, result = read(tmp_path / "out"), read_result(tmp_path / "out")
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", html.partition("</header>")[0]))
    assert tiles["problems"] == f"{result['total_problems']:,}"
    assert tiles["rollouts"] == f"{result['total_rollouts']:,}"
    assert tiles["mean pass rate"] == f"{result['mean_pass_rate']:.3f}"
    assert tiles["rollouts cut off"] == str(result["truncated_rollouts"])

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    problems = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    for row in table_after(html, "buckets"):
        told, inside = summary["buckets"][row[0]], problems[problems["bucket"] == row[0]]
        assert row[1:5] == [
            f"{told['count']:,}",
            f"{told['count'] / 1008:.1%}",
            f"{told['mean_reward']:.3f}",
            f"{told['mean_pass_rate']:.3f}",
        ]
        low, high = (told[f"estimated_pass_rate_{end}"] for end in ("low", "high"))
        assert row[5:7] == [f"{told['estimated_pass_rate']:.3f}", f"{low:.3f} to {high:.3f}"]
        span = inside["mean_reward"].min(), inside["mean_reward"].max()
        assert [float(each) for each in row[7:9]] == pytest.approx(span, rel=1e-3)
        assert row[9] == f"{inside['groups_with_gradient'].mean():.0%}"
    costs = {row[0]: row[1:] for row in table_after(html, "cost")}
    mixed = problems[problems["c"].between(1, 15)].groupby("data_source")["n"].sum()
    assert costs["source reasoning_gym/gcd"][1] == f"{mixed['reasoning_gym/gcd']:,}"

    data = data_of(html)
    bars = data["charts"]["histogram"]["data"]["values"]
    assert sum(bar["count"] for bar in bars) == 1008
    solved = problems[problems["mean_reward"] == 1].groupby("bucket").size().to_dict()
    last = max(bar["x1"] for bar in bars)
    assert {bar["name"]: bar["count"] for bar in bars if bar["x1"] == last} == solved


@pytest.mark.slow
def test_the_edges_of_a_plugins_bucketer_are_drawn_in_the_unit_of_the_metric(run, tmp_path):
    """1 - p^2 - (1-p)^2 is at least 0.32 from p = 0.2 to p = 0.8."""
    knobs = ("bucketer.group_size=2", "bucketer.min_share=0.32", "measure.scale=100")
    done = run("bucketer=zpd", *knobs)
    assert done.returncode == 0, done.stderr
    edges = json.loads((tmp_path / "out" / "buckets.json").read_text())
    assert edges["cuts"] == {"metric": "pass_rate", "values": pytest.approx([80, 20], abs=0.02)}
    layers = data_of(read(tmp_path / "out"))["charts"]["histogram"]["layer"]
    lines = [layer["data"]["values"] for layer in layers if layer["mark"]["type"] == "rule"]
    assert [line["at"] for line in lines[0]] == pytest.approx([20, 80], abs=0.02)
    assert "zpd of pass_rate" in done.stdout


@pytest.mark.slow
def test_examples_are_spread_over_buckets_and_have_their_rewards(run, tmp_path):
    run("bucketer=percentile", "report.examples=40")
    data = data_of(read(tmp_path / "out"))
    problems = pd.read_parquet(tmp_path / "out" / "problems.parquet").set_index("problem_id")
    rollouts = pd.read_parquet("curriculum/demo/rollouts.parquet")
    assert len(data["problems"]) == 40
    names = [each["name"] for each in data["buckets"]]
    assert [sum(p["bucket"] == b for p in data["problems"]) for b in range(4)] == [10] * 4
    assert [p["bucket"] for p in data["problems"]] == [0, 1, 2, 3] * 10
    for b in range(4):
        rates = [p["c"] / p["n"] for p in data["problems"] if p["bucket"] == b]
        assert rates == sorted(rates, key=lambda rate: abs(rate - 0.5))
    hard = [p["mean_reward"] for p in data["problems"] if names[p["bucket"]] == "hard"]
    assert (min(hard), max(hard)) == (0, 0.6875)  # from end to end
    for shown in data["problems"]:
        row = problems.loc[shown["id"]]
        assert (shown["n"], shown["c"], names[shown["bucket"]]) == (row.n, row.c, row.bucket)
        assert shown["prompt"] == [[None, row.prompt]] and shown["truth"] == row.ground_truth
        assert len(shown["responses"]) == 8
        passes = sum(each["passed"] for each in shown["responses"])
        assert passes == min(max(row.c, 0), 8) if row.c < 4 else passes >= min(row.c, 4)
        own = rollouts[rollouts["data_idx"] == row.data_idx].set_index("sample_idx")["response"]
        assert all(own[each["sample"]] == each["text"] for each in shown["responses"])


def test_examples_begin_with_those_that_there_is_most_to_learn_from():
    """By turns of each bucket: the most groups with a gradient, then the rate nearest to 1/2."""
    bucket = np.array([0, 0, 0, 1, 1, 2])
    gradient = np.array([0.1, 0.9, 0.9 + 1e-15, 0.5, 0.5, 0.0])
    rate = np.array([0.99, 0.7, 0.6, 0.25, 0.75, 0.0])
    order = most_telling(bucket, gradient, rate)
    assert order.tolist() == [2, 3, 5, 1, 4, 0]  # 3 and 4 are alike: as in the data
    assert most_telling(bucket[:0], gradient[:0], rate[:0]).tolist() == []


def test_a_response_passes_at_the_threshold_but_for_rounding():
    rewards = [0.7 - 0.4, 0.3 - 1e-9, 0.3 + 1e-9, None]
    failures = [None, None, None, "no answer"]
    table = pa.table({"reward": rewards, "failure": failures}, REWARD_SCHEMA)
    rows = np.arange(4)
    assert Rewarded(table, 0.3, strict=False).kind(rows).tolist() == [1, 0, 1, 2]
    assert Rewarded(table, 0.3, strict=True).kind(rows).tolist() == [0, 0, 1, 2]
    passed = [each["passed"] for each in Rewarded(table, 0.3, strict=False).told(rows)]
    assert passed == [True, False, True, False]


@pytest.mark.slow
def test_no_examples(run, tmp_path):
    run("report.examples=0")
    html = read(tmp_path / "out")
    assert data_of(html)["problems"] == []
    assert "0 of 1,008 problems" in html
    done = run("report.examples=-1")
    assert done.returncode == 1 and "report.examples=-1: 0 or more" in done.stderr


def test_a_name_is_the_heading(run, tmp_path, read_result):
    name = "Before <b>RL</b>, and 'after'"
    assert run(f'name="{name}"').returncode == 0
    html = unescape(read(tmp_path / "out"))
    assert f"<title>{name}</title>" in html and f">{name}</h1>" in html
    assert "&lt;b&gt;" in read(tmp_path / "out") and read_result(tmp_path / "out")["name"] == name
    label = html.partition("</h1>\n<p>")[2].partition("</p>")[0]
    assert run().returncode == 0
    assert f">{label}</h1>" in unescape(read(tmp_path / "out"))
    assert read_result(tmp_path / "out")["name"] is None
    done = run("name=[a,b]")
    assert done.returncode == 1 and "name=['a', 'b']: words" in done.stderr


def test_only_its_own_scripts_may_run(run, tmp_path):
    run()
    html = read(tmp_path / "out")
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert found is not None
    policy = unescape(found[1])
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    scripts = [each for each in SCRIPT.finditer(html) if each["kind"] != "application/json"]
    hashes = [b64encode(sha256(each["text"].encode()).digest()).decode() for each in scripts]
    assert re.findall(r"sha256-([^']+)'", policy) == hashes and len(hashes) == 2


@pytest.mark.slow
def test_the_same_command_makes_the_same_page(run, tmp_path):
    run("until=rewards")  # so that both runs find these
    run("trainer.steps=20", "overwrite=true")
    first = without_times(read(tmp_path / "out"))
    run("trainer.steps=20", "overwrite=true")
    assert without_times(read(tmp_path / "out")) == first


@pytest.mark.slow
def test_a_failed_run_says_what_was_wrong_and_drops_the_last_page(run, tmp_path):
    run()
    done = run("bucketer.names=['a<b',c]")
    assert done.returncode == 1
    html = read(tmp_path / "out")
    assert "This run failed" in html and "1,008" not in html
    assert "names=[&#39;a&lt;b&#39;, &#39;c&#39;]" in html
    assert "script-src 'none'" in unescape(html)


def test_until_rollouts_shows_responses_without_rewards(run, tmp_path):
    run("until=rollouts", "report.examples=30")
    html = read(tmp_path / "out")
    data = data_of(html)
    assert "stopped at its rollouts" in html and "30 of 1,008 problems" in html
    assert len(data["problems"]) == 30
    assert {len(each["responses"]) for each in data["problems"]} == {8}
    assert not any("reward" in one for each in data["problems"] for one in each["responses"])


@pytest.mark.slow
def test_long_texts_keep_beginning_and_end(run, tmp_path):
    rows = [
        {"prompt": f"p{i}", "responses": ["a" * 6000 + f" answer {i}"], "rewards": [i % 2]}
        for i in range(4)
    ]
    path = tmp_path / "long.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("data=rollouts", f"data.path={path}")
    html = read(tmp_path / "out")
    assert "4 texts are longer than 4,000 characters" in " ".join(html.split())
    for shown in data_of(html)["problems"]:
        text = shown["responses"][0]["text"]
        answer = shown["prompt"][0][1].replace("p", "answer ")
        assert "… 2,009 characters left out …" in text and text.endswith(answer)
