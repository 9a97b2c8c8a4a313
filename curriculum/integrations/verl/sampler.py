"""Samplers of verl's trainer, 0.5 to 0.7.1: it iterates over one and tells it what came back.

Later versions have no place for them (`data.sampler` is gone in 0.8).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

try:
    from verl.experimental.dataset.sampler import AbstractCurriculumSampler
except ImportError as error:
    from importlib.metadata import version

    if not (error.name or "").startswith("verl.experimental"):
        raise
    raise ImportError(
        f"verl {version('verl')} has no samplers any more; up to verl 0.7.1 its trainer takes them"
    ) from error

from curriculum import samplers
from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.names import EVENTS
from curriculum.core.prompts import Event, Mask, Observations, Prompts
from curriculum.core.records import Floats, reaches
from curriculum.integrations.rows import INDEX, prompts_of
from curriculum.samplers import Curriculum, Guards, Sampler
from curriculum.samplers.base import AtLeastOne
from curriculum.samplers.names import BUILT_IN, with_options
from curriculum.samplers.state_file import read_state, write_state

WHERE = "data.sampler"
OF_VERL = ("class_path", "class_name")
FOLDER = "curriculum"  # in the trainer's own folder: what samplers write
METRICS = "metrics.jsonl"
SILENCE = 20  # batches without feedback after which something is wrong


@dataclasses.dataclass(frozen=True)
class Options:
    """Keys of `data.sampler` beside the sampler's own and those of the guards."""

    run: str | None = None  # folder of a run that has measured the prompts; null: the rows say it
    # Reward from which a rollout passes.
    threshold: Annotated[float, Field(allow_inf_nan=False)] = 0.5
    group_size: AtLeastOne | None = None  # null: verl's actor_rollout_ref.rollout.n


class CurriculumSampler(AbstractCurriculumSampler):
    """One of this package's samplers, in verl's trainer."""

    settings: ClassVar[type[Sampler]]

    def __init__(self, data_source: Any, data_config: Any) -> None:
        """As verl makes it.

        Args:
            data_source: the dataset, whose rows have extra_info.index or are numbered here.
            data_config: verl's `data`; what is added as `+data.sampler.KEY=VALUE` is set here.

        Raises:
            UserError: where a key is unknown or out of its range, or rows and run don't fit.
        """
        options, guards, sampler = _split(data_config.sampler, self.settings)
        root = _root(data_config)
        group_size = options.group_size or _at(root, "actor_rollout_ref.rollout.n") or 8
        folder = _at(root, "trainer.default_local_dir")
        self._folder = Path(folder, FOLDER) if folder else None
        self._threshold = options.threshold
        self._row_of, prompts = _rows_of(data_source, options.run)
        batch_size = data_config.get("gen_batch_size") or data_config.train_batch_size
        rng = np.random.default_rng([data_config.get("seed") or 0, 0])
        self.curriculum = Curriculum(sampler, prompts, batch_size, guards, rng, group_size)
        self._updates = 0
        self._saved_as: Path | None = None  # where the next feedback goes, after a state was saved
        self._drawn: Counter[int] = Counter()  # how often rows of which nothing has come back
        self._unanswered = 0  # draws since the last feedback
        self._tell(self.curriculum.started)

    def __len__(self) -> int:
        return len(self.curriculum)

    def __iter__(self) -> Iterator[int]:
        for row in self.curriculum:  # lazily: the loader asks twice where it resumes
            self._drawn[row] += 1
            self._unanswered += 1
            if self._unanswered > SILENCE * self.curriculum.batch_size:
                raise UserError(
                    f"{SILENCE} batches were drawn and no reward has come back: this trainer does "
                    "not call update(), or drops all groups before"
                )
            yield row

    def update(self, batch: Any) -> None:
        """Learn from a batch that was trained on, a DataProto: `acc` where there is one.

        Raises:
            UserError: where its prompts are not those that were drawn.
        """
        observations = self._observations(batch)
        if self._saved_as is not None:  # verl saves a step before it tells what came of it
            write_state({"observations": dataclasses.asdict(observations)}, self._saved_as)
            self._saved_as = None
        self._observe(observations)
        self._drawn -= Counter(observations.prompt.tolist())
        self._unanswered = 0

    def state_dict(self) -> dict[str, Any]:
        """What the loader saves; the feedback that comes next is put beside it."""
        state = {"updates": self._updates, "curriculum": self.curriculum.state_dict()}
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._saved_as = self._feedback_after(state)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there, with the feedback that came after it was saved."""
        self.curriculum.load_state_dict(state["curriculum"])
        self._updates = state["updates"]
        for name in (METRICS, EVENTS):
            self._cut(name)
        path = self._feedback_after(state)
        if path is None or not path.exists():
            print(
                f"{WHERE}: the feedback of batch {self._updates + 1} is not at {path}: it is lost"
            )
            return
        self._observe(Observations(**read_state(path)["observations"]))

    def _feedback_after(self, state: Mapping[str, Any]) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"after_{state['updates']}_{_digest(state)}.npz"

    def _observations(self, batch: Any) -> Observations:
        index = [info[INDEX] for info in batch.non_tensor_batch["extra_info"]]
        rows = np.array([self._row_of.get(each, -1) for each in index], np.int64)
        strange = sorted(set(rows.tolist()) - set(self._drawn))
        if strange:
            raise UserError(
                f"rewards have come for {len(strange)} prompts that were not drawn: "
                "extra_info.index does not survive the way through this trainer"
            )
        reward = self._reward(batch)
        passed: Mask = reaches(reward, self._threshold, strict=False)
        return Observations.of_rollouts(rows, reward, passed)

    def _reward(self, batch: Any) -> Floats:
        said = batch.non_tensor_batch.get("acc")
        if said is not None:
            return np.array(said, np.float64)
        return np.asarray(batch.batch["token_level_scores"].sum(-1).double().cpu().numpy())

    def _observe(self, observations: Observations) -> None:
        self._updates += 1
        self._tell(self.curriculum.observe(observations))
        self._write(METRICS, self.curriculum.metrics())

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            print(event.text, flush=True)  # as verl's own lines: Ray shows what is printed
            self._write(EVENTS, {"event": event.kind, "text": event.text, **event.values})

    def _cut(self, name: str) -> None:
        """Forget what a run wrote after the checkpoint that is gone on from."""
        path = self._folder / name if self._folder is not None else None
        if path is not None and path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            written = [line for line in lines if line.endswith("\n")]  # a kill may cut the last
            kept = [line for line in written if json.loads(line)["batch"] <= self._updates]
            with whole(path) as partial:
                partial.write_text("".join(kept), encoding="utf-8")

    def _write(self, name: str, values: Mapping[str, Any]) -> None:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / name).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"batch": self._updates, **values}) + "\n")


@cache
def sampler_class(name: str) -> type[CurriculumSampler]:
    """`RewardCurriculumSampler` and so on. Raises AttributeError where there is none such."""
    classes = BUILT_IN.values()
    names = {name: cls for name, cls in vars(samplers).items() if cls in classes}  # old ones too
    names |= {f"{cls.__name__}Sampler": cls for cls in classes}
    if name not in names:
        raise AttributeError(f"there is no {name}; there are: {', '.join(sorted(names))}")
    return type(name, (CurriculumSampler,), {"settings": names[name], "__module__": __name__})


def _split(node: Any, settings: type[Sampler]) -> tuple[Options, Guards, Sampler]:
    """What stands in data.sampler, each checked by what it is of."""
    from omegaconf import OmegaConf

    said = OmegaConf.to_container(node, resolve=True)
    assert isinstance(said, dict)
    values = {str(key): value for key, value in said.items() if key not in OF_VERL}

    def taken(cls: type) -> dict[str, Any]:
        names = [field.name for field in dataclasses.fields(cls) if field.name in values]
        return {name: values.pop(name) for name in names}

    options = with_options(Options, taken(Options), WHERE)
    guards = with_options(Guards, taken(Guards), WHERE)
    return options, guards, with_options(settings, values, WHERE)


def _root(config: Any) -> Any:
    """The whole configuration that verl's `data` is a part of, or `data` where it stands alone."""
    while (parent := config._get_parent()) is not None:
        config = parent
    return config


def _at(config: Any, key: str) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.select(config, key)


def _rows_of(dataset: Any, run: str | None) -> tuple[dict[int, int], Prompts]:
    """Where in the dataset each extra_info.index is, and the prompts in its order."""
    frame = dataset.dataframe
    infos = [dict(info or {}) for info in _column(frame, "extra_info")]
    sources = [str(source) for source in _column(frame, "data_source")]
    numbers = {info[INDEX] for info in infos if isinstance(info.get(INDEX), int)}
    if run is None and len(numbers) < len(infos):
        print(f"{WHERE}: extra_info.{INDEX} is no number of its own in each row; rows are numbered")
        dataset.dataframe = frame.map(_numbered, with_indices=True)
        infos = [info | {INDEX: row} for row, info in enumerate(infos)]
    prompts = prompts_of(infos, sources, run)
    return {index: row for row, index in enumerate(prompts.index.tolist())}, prompts


def _column(frame: Any, name: str) -> Any:
    return frame[name] if name in frame.column_names else [None] * len(frame)


def _numbered(row: dict[str, Any], place: int) -> dict[str, Any]:
    return {"extra_info": (row.get("extra_info") or {}) | {INDEX: place}}


def _digest(value: Any) -> str:
    """Changes with a state: JSON values and arrays."""
    digest = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, Mapping):
            for key in sorted(part):
                digest.update(f"{key}:".encode())
                add(part[key])
        elif isinstance(part, list | tuple):
            for each in part:
                add(each)
        elif isinstance(part, np.ndarray):
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())

    add(value)
    return digest.hexdigest()[:8]
