"""Generation as the pipeline drives it: stored once, and taken up where a run was killed."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import pytest

from curriculum import data
from curriculum.config.build import typed
from curriculum.core.errors import UserError
from curriculum.core.records import Asked
from curriculum.generators import Batch, Generation, Response
from curriculum.run.generating.entries import Work, add_shard
from curriculum.run.generating.entries import load as load_stored
from curriculum.store.entries import Store

ROWS = [{"prompt": f"{i} + 1 =", "ground_truth": str(i + 1), "level": i % 3} for i in range(12)]


@dataclass
class Words:
    """Makes words of a batch's seed, and is gone after some batches."""

    batch_size: int
    incidental: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self):
        self.made: list[int] = []
        self.dies_after = 1000

    def made_of(self) -> list[str]:
        return ["words"]

    def generate(self, batches) -> Iterator[tuple[Batch, list[Response]]]:
        for batch in batches:
            if len(self.made) == self.dies_after:
                raise KeyboardInterrupt
            self.made.append(batch.number)
            words = [f"{batch.seed} {i}" for i in range(len(batch))]
            yield (
                batch,
                [Response(word, "length" if i % 5 else "stop", 2) for i, word in enumerate(words)],
            )

    def close(self) -> None:
        pass


@pytest.fixture
def problems(tmp_path):
    pd.DataFrame(ROWS).to_json(tmp_path / "problems.jsonl", orient="records", lines=True)
    path = str(tmp_path / "problems.jsonl")
    return data.Verl(path, "problem_id", "prompt", "reward_model").load().problems


def frame_of(rollouts):
    frame = rollouts.index.to_pandas()
    texts = [text for part in rollouts.responses() for text in part.to_pylist()]
    return frame.assign(response=texts)


def work(generator, problems, samples=4, seed=0, shards=1, shard=0):
    generation = Generation(seed, shards, shard)
    asked = [Asked(problem, 0, samples) for problem in range(len(problems))]
    return Work(generator, generation, problems, "abc", asked)


def generate(store, generator, problems, **options):
    return load_stored(Store(str(store)), work(generator, problems, **options))


def test_every_problem_gets_its_samples_in_line_with_their_text(tmp_path, problems):
    rollouts, stage = generate(tmp_path / "store", Words(10), problems)
    frame = frame_of(rollouts)
    assert len(frame) == 48
    assert frame.groupby("problem")["sample_idx"].apply(list).tolist() == [[0, 1, 2, 3]] * 12
    assert frame["reward"].isna().all()
    assert set(frame["finish_reason"]) == {"stop", "length"}
    assert stage.counts == {
        "generated_rollouts": 48,
        "truncated_rollouts": (frame["finish_reason"] == "length").sum(),
        "problems_of_several_samples": 12,
        "problems_of_equal_samples": 0,
        "failed_calls": 0,
    }


def test_what_was_generated_is_not_generated_again(tmp_path, problems):
    generate(tmp_path / "store", Words(10), problems)
    again = Words(10)
    _, stage = generate(tmp_path / "store", again, problems)
    assert stage.reused and not again.made
    other = Words(10)
    generate(tmp_path / "store", other, problems, seed=1)
    assert other.made


@pytest.mark.slow
@pytest.mark.parametrize("dies_after", [0, 1, 2, 4])
def test_a_run_that_died_is_taken_up_and_ends_as_if_it_had_not(tmp_path, problems, dies_after):
    whole, _ = generate(tmp_path / "whole", Words(10), problems)
    first = Words(10)
    first.dies_after = dies_after
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "store", first, problems)
    second = Words(10)
    rollouts, _ = generate(tmp_path / "store", second, problems)
    assert first.made + second.made == list(range(6))
    pd.testing.assert_frame_equal(frame_of(rollouts), frame_of(whole))


@pytest.mark.parametrize("goes_on", ["while the other generates", "when the other is done"])
def test_a_run_that_was_silent_and_goes_on_ends_with_its_successor_s_rollouts(
    tmp_path, problems, goes_on
):
    silent, go_on, outcome = threading.Event(), threading.Event(), []

    class Silent(Words):
        def generate(self, batches):
            for place, made in enumerate(super().generate(batches)):
                if place == 2:
                    silent.set()
                    assert go_on.wait(30)
                yield made

    class Successor(Words):
        def generate(self, batches):
            for made in super().generate(batches):
                if goes_on == "while the other generates":
                    go_on.set()
                    time.sleep(0.1)
                yield made

    Silent.__qualname__ = Successor.__qualname__ = Words.__qualname__  # the same work
    store = Store(str(tmp_path / "store"))
    first, second = Silent(10), Successor(10)
    thread = threading.Thread(
        target=lambda: outcome.append(load_stored(store, work(first, problems)))
    )
    thread.start()
    assert silent.wait(30)
    impatient = Store(store.root, patience=0.2)
    outcome.append(load_stored(impatient, work(second, problems)))
    go_on.set()
    thread.join()
    assert (first.made, second.made) == ([0, 1, 2], [2, 3, 4, 5])
    whole, _ = generate(tmp_path / "whole", Words(10), problems)
    for rollouts, _ in outcome:
        pd.testing.assert_frame_equal(frame_of(rollouts), frame_of(whole))
    (folder,) = {stage.folder for _, stage in outcome}
    assert [path for path in (tmp_path / "store").iterdir() if path.is_dir()] == [folder]


def test_a_part_that_was_being_written_is_made_again(tmp_path, problems):
    first = Words(10)
    first.dies_after = 3
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "store", first, problems)
    (folder,) = (tmp_path / "store").glob("rollouts-*.partial-*")
    last = sorted(folder.glob("part-*.parquet"))[-1]
    last.with_suffix(".partial").write_bytes(last.read_bytes()[:40])
    last.unlink()
    rollouts, _ = generate(tmp_path / "store", Words(10), problems)
    whole, _ = generate(tmp_path / "whole", Words(10), problems)
    pd.testing.assert_frame_equal(frame_of(rollouts), frame_of(whole))


def test_rows_have_the_problem_s_own_columns(tmp_path, problems):
    rollouts, _ = generate(tmp_path / "store", Words(10), problems)
    flat = pd.concat(part.to_pandas() for part in rollouts.rows())
    assert list(flat) == [
        *("prompt", "original_ground_truth", "original_level", "data_idx", "response"),
        *("sample_idx", "finish_reason", "error"),
    ]
    for row in flat.to_dict("records"):
        own = ROWS[row["data_idx"]]
        assert (row["prompt"], row["original_level"]) == (own["prompt"], own["level"])
    assert flat["response"].tolist() == frame_of(rollouts)["response"].tolist()


def test_shards_make_what_one_run_makes(tmp_path, problems):
    whole, _ = generate(tmp_path / "whole", Words(10), problems)
    store, made, progress = Store(str(tmp_path / "store")), [], []
    for shard in (2, 0, 3, 1):
        words = Words(10)
        progress.append(add_shard(store, work(words, problems, shards=4, shard=shard)))
        made.append(words.made)
    assert made == [[2], [0, 4], [3], [1, 5]]
    assert progress == [(1, 6), (3, 6), (4, 6), (6, 6)]
    idle = Words(10)
    rollouts, stage = load_stored(store, work(idle, problems, shards=4, shard=1))
    assert not idle.made and not stage.reused
    pd.testing.assert_frame_equal(frame_of(rollouts), frame_of(whole))
    assert add_shard(store, work(idle, problems, shards=4, shard=0)) == (6, 6)
    assert not idle.made


def test_a_run_without_shards_goes_on_where_some_of_them_stopped(tmp_path, problems):
    store = Store(str(tmp_path / "store"))
    add_shard(store, work(Words(10), problems, shards=3, shard=1))
    rest = Words(10)
    load_stored(store, work(rest, problems))
    assert rest.made == [0, 2, 3, 5]


def test_shards_go_on_where_a_run_without_them_was_stopped(tmp_path, problems):
    first = Words(10)
    first.dies_after = 3
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "store", first, problems)
    store, rest = Store(str(tmp_path / "store")), Words(10)
    assert add_shard(store, work(rest, problems, shards=2, shard=1)) == (5, 6)
    assert add_shard(store, work(rest, problems, shards=2, shard=0)) == (6, 6)
    assert rest.made == [3, 5, 4]
    rollouts, stage = load_stored(store, work(rest, problems))
    whole, _ = generate(tmp_path / "whole", Words(10), problems)
    pd.testing.assert_frame_equal(frame_of(rollouts), frame_of(whole))
    assert [path for path in (tmp_path / "store").iterdir() if path.is_dir()] == [stage.folder]


@pytest.mark.parametrize(("shards", "shard"), [(2, 2), (1, -1), (0, 0)])
def test_a_shard_that_there_is_not_is_an_error(shards, shard):
    with pytest.raises(UserError, match=r"generator\.shards?="):
        typed(Generation, {"shards": shards, "shard": shard}, "generator")


@pytest.mark.parametrize("after", [0, 1])
def test_a_shard_whose_work_another_run_has_finished_meanwhile_is_done(tmp_path, problems, after):
    store = Store(str(tmp_path / "store"))

    class Overtaken(Words):
        def generate(self, batches):
            for place, made in enumerate(super().generate(batches)):
                if place == after:
                    load_stored(store, work(Words(10), problems))
                yield made

    Overtaken.__qualname__ = Words.__qualname__  # the same work
    assert add_shard(store, work(Overtaken(10), problems, shards=2, shard=0)) == (6, 6)
    rollouts, stage = load_stored(store, work(Words(10), problems))
    whole, _ = generate(tmp_path / "whole", Words(10), problems)
    assert stage.reused
    pd.testing.assert_frame_equal(frame_of(rollouts), frame_of(whole))
    assert [path for path in (tmp_path / "store").iterdir() if path.is_dir()] == [stage.folder]
