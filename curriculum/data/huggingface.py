"""`data=huggingface`: a dataset of the Hugging Face hub by name, or of local files."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from curriculum.core.errors import UserError, require_extra
from curriculum.data.base import Data, Loaded
from curriculum.formats.columns import Columns
from curriculum.formats.files import File
from curriculum.formats.identity import to_json
from curriculum.formats.names import SOURCES, TRUTHS, Row
from curriculum.formats.problems import ProblemList
from curriculum.formats.rows import Rejected, Rows

VERL_TRUTH = "reward_model"  # an object with the ground truth, in data of verl's form
NOT_REQUIRED = (*SOURCES, VERL_TRUTH, "problem_id")  # what the shared keys name where nobody chose


class Fields(NamedTuple):
    """The columns that a problem's fields are taken from, None where there is none."""

    prompt: str
    truth: str | None
    source: str | None


@dataclass(frozen=True)
class HuggingFace(Data):
    """What `datasets.load_dataset` reads: a name on the hub, a folder, a file, or a saved dataset.

    `rename` comes first, so that `id_key`, `prompt_key` and `reward_fn_key` find their columns.
    `extra_info` gets the split, the `index` of the row in what is read, and every column that is
    not as it stands the prompt, the ground truth, the source or the id.
    """

    path: str
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    rename: dict[str, str] | None = None
    answer_pattern: str | None = None
    answer_drop: str | None = None
    instruction: str | None = None
    data_source: str | None = None
    id_key: str = "problem_id"
    prompt_key: str = "prompt"
    reward_fn_key: str = "reward_model"

    def __post_init__(self) -> None:
        require_extra("data=huggingface", "huggingface", "datasets")
        try:
            re.compile(self.answer_pattern or "")
        except re.error as error:
            raise UserError(
                f"data.answer_pattern={self.answer_pattern} is no regular expression: {error}"
            ) from error

    @property
    def label(self) -> str:
        """See `Data`."""
        subset = None if Path(self.path).is_file() else self.subset
        return " ".join(filter(None, [self.path, subset, self.split]))

    def files(self) -> list[File]:
        """See `Data`; of the hub's datasets the commit, which the library's cache knows too."""
        if self._of_hub:
            return [File(f"hf://datasets/{self.path}", 0, str(self._builder.hash))]
        found = [Path(each) for split in self._builder.config.data_files.values() for each in split]
        return [File(str(each), (at := each.stat()).st_size, str(at.st_mtime_ns)) for each in found]

    def takes_all_of(self, folder: Path) -> bool:
        """See `Data`."""
        return Path(self.path).resolve() == folder.resolve()

    def load(self) -> Loaded:
        """See `Data`.

        Raises:
            UserError: where the dataset, the subset, the split or a column is not there, or a
                column holds bytes.
        """
        with self._told():
            self._builder.download_and_prepare()
            dataset = self._builder.as_dataset(split=self.split)
        dataset = self._renamed(dataset)
        fields = self._fields(dataset)
        problems = ProblemList(Columns(self.id_key, self.prompt_key, self.reward_fn_key))
        rejected: list[Rejected] = []
        for position, row in enumerate(dataset):
            try:
                problem = self._problem(row, position, fields)
            except ValueError as error:
                rejected.append(Rejected(self.path, position + 1, str(error), to_json(row)))
            else:
                problems.add(problem, file="", position=position)
        rows = Rows(len(dataset), len(problems), len(rejected))
        rows.check(self.label)
        return Loaded(problems.finish(), None, rejected, rows)

    @property
    def _of_hub(self) -> bool:
        return not Path(self.path).exists()

    @property
    def _split_name(self) -> str:
        """The split, without the part of it that `train[:100]` asks for."""
        return self.split.partition("[")[0]

    @cached_property
    def _builder(self) -> Any:
        """The library's reader; for the hub's datasets it keeps to the commit that it found."""
        from datasets import load_dataset_builder
        from datasets.packaged_modules.cache.cache import Cache

        with self._told():
            folder, files = self._local()
            if files:
                return load_dataset_builder(folder, data_files=files)
            builder = load_dataset_builder(self.path, self.subset, revision=self.revision)
        if isinstance(builder, Cache) and self.revision not in (None, builder.hash):
            raise UserError(
                f"the hub gives no data.revision={self.revision}, and what the cache has of "
                f"{self.path} is {builder.hash}: name that commit, or null for it"
            )
        return builder

    def _local(self) -> tuple[str, dict[str, str]]:
        """Folder and {split: pattern} of what the library does not find by itself."""
        path = Path(self.path)
        if path.is_file():  # one file has no splits: it is the one that is asked for
            return str(path.parent), {self._split_name: glob.escape(path.name)}
        splits, saved = path / "dataset_dict.json", "data-*.arrow"
        if splits.is_file():
            names = json.loads(splits.read_text())["splits"]
            return self.path, {name: f"{name}/{saved}" for name in names}
        if (path / "state.json").is_file():
            return self.path, {self._split_name: saved}
        return self.path, {}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the library finds wrong becomes a UserError."""
        from datasets.exceptions import DatasetGenerationError, DatasetsError

        try:
            yield
        # StopIteration is what an empty file comes to.
        except (OSError, ValueError, RuntimeError, StopIteration, DatasetsError) as error:
            # That one says no more than that something went wrong.
            own = error.__cause__ if isinstance(error, DatasetGenerationError) else error
            cause = str(own) or "it holds nothing"
            raise UserError(
                f"{self.label} can't be read: {cause}\n(data.path: a local file "
                "or folder, or a name on the Hugging Face hub, with data.subset and data.split)"
            ) from error

    def _renamed(self, dataset: Any) -> Any:
        rename = self.rename or {}
        self._require(list(rename), dataset, "data.rename")
        clash = [new for new in rename.values() if new in {*dataset.column_names} - {*rename}]
        if clash or len(set(rename.values())) < len(rename):
            raise UserError(
                f"data.rename={rename} makes two columns of one name ({_listed(dataset)})"
            )
        return dataset.rename_columns(rename)

    def _fields(self, dataset: Any) -> Fields:
        own = [key for key in (self.id_key, self.reward_fn_key) if key not in NOT_REQUIRED]
        self._require([self.prompt_key], dataset, "data.prompt_key")
        self._require(own, dataset, "data.id_key, data.reward_fn_key")
        names, schema = dataset.column_names, dataset.features.arrow_schema
        of_bytes = [name for name in names if _has_bytes(schema.field(name).type)]
        if of_bytes:
            raise UserError(
                f"{self.label} holds bytes (pictures, sound) in {', '.join(of_bytes)}, and "
                "data=huggingface reads text alone"
            )
        # As in verl, the key names the source where there is a column `reward_model`.
        truths = [VERL_TRUTH] if VERL_TRUTH in names else [self.reward_fn_key, *TRUTHS]
        sources = [self.reward_fn_key, *SOURCES] if VERL_TRUTH in names else SOURCES
        return Fields(
            self.prompt_key,
            next((each for each in truths if each in names and each not in SOURCES), None),
            next((each for each in sources if each in names and each != VERL_TRUTH), None),
        )

    def _require(self, wanted: Sequence[str], dataset: Any, key: str) -> None:
        missing = [name for name in wanted if name not in dataset.column_names]
        if missing:
            raise UserError(
                f"{self.label} has no column {', '.join(missing)} ({key}; {_listed(dataset)})"
            )

    def _problem(self, row: dict[str, Any], position: int, fields: Fields) -> Row:
        """A row as `Columns` reads it. Raises ValueError, with the cause, for one of no use."""
        prompt = self._prompt(row[fields.prompt])
        given: Any = None if fields.truth is None else row[fields.truth]
        nested = isinstance(given, Mapping) and "ground_truth" in given
        truth = given["ground_truth"] if nested else given
        answer = self._answer(truth)
        source = self.data_source or (fields.source and row[fields.source])
        kept = [self.id_key] if self.data_source else [self.id_key, fields.source]
        kept += [fields.prompt] if prompt == row[fields.prompt] else []
        kept += [fields.truth] if answer == given else []
        own = {self._original(name): value for name, value in row.items() if name not in kept}
        info = own.pop("extra_info", None)
        inner = info if isinstance(info, Mapping) else {} if info is None else {"extra_info": info}
        return {
            self.id_key: row.get(self.id_key),
            "data_source": source or (self.path if self._of_hub else None),
            self.prompt_key: prompt,
            "reward_model": {"ground_truth": answer},
            "extra_info": {"split": self._split_name, "index": position, **own, **inner},
        }

    def _original(self, name: str) -> str:
        return next((old for old, new in (self.rename or {}).items() if new == name), name)

    def _prompt(self, prompt: Any) -> Any:
        """The prompt with the instruction, in a chat behind the user's last message."""
        if not prompt:
            raise ValueError(f"no prompt under '{self.prompt_key}'")
        if not self.instruction:
            return prompt
        if isinstance(prompt, str):
            return prompt + self.instruction
        messages: list[Any] = prompt if isinstance(prompt, list) else []
        places = [i for i, each in enumerate(messages) if _is_text_of_user(each)]
        if not places:
            raise ValueError("the prompt is neither a text nor a chat with a text of the user's")
        last = messages[places[-1]]
        instructed = {**last, "content": last["content"] + self.instruction}
        return [*messages[: places[-1]], instructed, *messages[places[-1] + 1 :]]

    def _answer(self, truth: Any) -> Any:
        if self.answer_pattern is not None:
            found = None if truth is None else re.search(self.answer_pattern, str(truth))
            if found is None:
                raise ValueError(f"data.answer_pattern={self.answer_pattern} finds no answer")
            truth = found[1] if found.re.groups else found[0]
        if truth is None or self.answer_drop is None:
            return truth
        return str(truth).replace(self.answer_drop, "")


def _is_text_of_user(message: Any) -> bool:
    user = isinstance(message, Mapping) and message.get("role") == "user"
    return user and isinstance(message.get("content"), str)


def _has_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    inner = (kind.field(i).type for i in range(kind.num_fields))
    return types.is_binary(kind) or types.is_large_binary(kind) or any(map(_has_bytes, inner))


def _listed(dataset: Any) -> str:
    return f"its columns: {', '.join(dataset.column_names)}"
