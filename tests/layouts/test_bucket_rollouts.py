"""Lines of JSONL go out as they came in, each once, to the file of their bucket."""

import json
import math
from collections import Counter
from dataclasses import replace

import pytest
from omegaconf import OmegaConf

from curriculum import data
from curriculum.bucketers import Percentile, Threshold
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.layouts import BucketRollouts, Export
from curriculum.metrics import InverseMean
from curriculum.testing import make_measured

LAYOUT = BucketRollouts()
EXPORT = Export(**OmegaConf.load(conf_dir() / "config.yaml").export)
THREE = Percentile(3, None)


def outcome_of(path, bucketer=THREE, metric=None):
    source = data.Rollouts(str(path), "problem_id", "prompt", "reward_model")
    option = "inverse_mean" if metric == InverseMean() else "mean_reward"
    return make_measured(source, bucketer, metric=metric, option=option)


def line(name, *rewards, end=b"\n"):
    scores = [{"score": reward} for reward in rewards]
    return json.dumps({"prompt": name, "reward": scores}, ensure_ascii=False).encode() + end


def write(path, folder, prefix="", **options):
    """Bucket the lines of a file or folder; {file name: content} of what was written."""
    folder.mkdir()
    written = LAYOUT.write(outcome_of(path, **options), folder, replace(EXPORT, prefix=prefix))
    assert sorted(each.path for each in written) == sorted(folder.iterdir())
    return {each.path.name: each.path.read_bytes() for each in written}


def test_lines_go_to_their_bucket_in_the_order_they_came(tmp_path):
    rewards = {"a": 0, "b": 1, "c": 0.5, "d": 1, "e": 0, "f": 0.5}
    lines = {name: line(name, reward) for name, reward in rewards.items()}
    (tmp_path / "in.jsonl").write_bytes(b"".join(lines.values()))
    assert write(tmp_path / "in.jsonl", tmp_path / "out") == {
        "easy.jsonl": lines["b"] + lines["d"],
        "medium.jsonl": lines["c"] + lines["f"],
        "hard.jsonl": lines["a"] + lines["e"],
    }


def test_every_line_goes_out_byte_for_byte_and_once(tmp_path):
    odd = [
        line("plain", 1, 0),
        line("windows", 0.5, end=b"\r\n"),
        line("Grüße 🤔 \u2028 separator", 0.25),
        b'  {"reward":[{"score":1.0,"why":"\\u00e9"}] ,"prompt" : "spaces" }\t \n',
        line("twice", 0.75),
        line("twice", 0.75),
        b'{"prompt": "ordered", "z": 1, "a": 2, "reward": [1e0, 0.10]}\n',
        line("last, no line end", 0.3, end=b""),
    ]
    more = [line("of another file", 0.1, 0.2), line("twice", 0.75)]
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.jsonl").write_bytes(b"".join([*odd[:3], b"\n", b"not JSON\n", *odd[3:]]))
    (source / "b.jsonl").write_bytes(b"".join(more))
    out = write(source, tmp_path / "out", prefix="mean_")
    assert set(out) == {"mean_easy.jsonl", "mean_medium.jsonl", "mean_hard.jsonl"}
    lines = b"".join(out.values()).removesuffix(b"\n").split(b"\n")
    assert Counter(lines) == Counter(each.removesuffix(b"\n") for each in odd + more)
    assert sorted(content.count(b"\n") for content in out.values()) == [2, 3, 5]


def test_what_came_out_reads_as_the_same_problems(tmp_path):
    lines = [line(f"question {i}", i % 3, i % 2) for i in range(20)]
    (tmp_path / "in.jsonl").write_bytes(b"".join(lines))
    write(tmp_path / "in.jsonl", tmp_path / "out")
    before = outcome_of(tmp_path / "in.jsonl")
    after = outcome_of(tmp_path / "out")
    labels = [
        dict(zip(one.metrics.problem_id.to_pylist(), one.buckets.labels().to_pylist(), strict=True))
        for one in (before, after)
    ]
    assert labels[0] == labels[1]


def test_lines_without_a_usable_reward_are_kept_in_a_file_of_their_own(tmp_path):
    unscored = [line("a", None), line("b", math.nan, "nan"), line("c")]
    scored = [line("d", 1), line("e", 0, None), line("f", 0.5)]
    mixed = [each for pair in zip(unscored, scored, strict=True) for each in pair]
    (tmp_path / "in.jsonl").write_bytes(b"".join(mixed))
    out = write(tmp_path / "in.jsonl", tmp_path / "out")
    assert out.pop("unscored.jsonl") == b"".join(unscored)
    assert sorted(b"".join(out.values()).splitlines()) == sorted(b"".join(scored).splitlines())


def test_a_bucket_without_lines_is_an_empty_file(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(line("a", 1) + line("b", 0.9))
    bucketer = Threshold([0.3, 0.7], ["low", "medium", "high"])
    out = write(tmp_path / "in.jsonl", tmp_path / "out", bucketer=bucketer)
    assert out["low.jsonl"] == out["medium.jsonl"] == b""
    assert out["high.jsonl"] == line("a", 1) + line("b", 0.9)


@pytest.mark.parametrize(
    "content",
    [
        b'{"prompt": "a", "response": "x", "sample_idx": 0, "reward": 1.0}\n',
        b'{"input": "a", "output": "x", "gts": "1", "score": 1.0, "step": 1}\n',
    ],
)
def test_files_with_a_line_a_rollout_are_an_error_before_anything_is_written(tmp_path, content):
    (tmp_path / "in.jsonl").write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match="convention=standard or analyze_rollouts"):
        LAYOUT.write(outcome_of(tmp_path / "in.jsonl"), tmp_path / "out", EXPORT)
    assert not list((tmp_path / "out").iterdir())


def test_the_summary_counts_lines_and_says_where_they_are(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_bytes(b"".join(line(f"{i}", i / 10) for i in range(7)))
    outcome = outcome_of(tmp_path / "in.jsonl")
    LAYOUT.show(outcome, LAYOUT.write(outcome, tmp_path, replace(EXPORT, prefix="my_")))
    shown = capsys.readouterr().out
    assert "Bucketing by mean_reward using 3 percentile buckets" in shown
    assert f"Found 1 JSONL files in {tmp_path}" in shown
    assert "Loaded 7 rollouts" in shown
    for expected in ("0%: 0.0000", "33%: 0.2000", "67%: 0.4000", "100%: 0.6000"):
        assert f"\n  {expected}\n" in shown
    for name, size in (("easy", 3), ("medium", 2), ("hard", 2)):
        assert f"\n  {name}: {size} rollouts\n" in shown
        assert f"\nSaved {size} rollouts to {tmp_path}/my_{name}.jsonl\n" in shown


def test_percentiles_of_a_metric_with_infinite_values_are_shown(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_bytes(line("a", 0) + line("b", 0.5) + line("c", 1))
    outcome = outcome_of(tmp_path / "in.jsonl", metric=InverseMean())
    LAYOUT.show(outcome, LAYOUT.write(outcome, tmp_path, EXPORT))
    shown = capsys.readouterr().out
    assert "\n  0%: 1.0000\n" in shown
    assert "\n  100%: inf\n" in shown
