"""Which problems are held out for validation: by prompt, so that no prompt is on both sides."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.records import Integers, Problems


def held_out(
    prompts: Sequence[str],
    ids: Sequence[str],
    bucket: Integers | None,
    fraction: float,
    seed: int,
) -> npt.NDArray[np.bool_]:
    """(P,) whether a problem is for validation.

    Of each bucket's different problems the share `fraction` is held out, one at least where there
    are two; a problem that stands in several buckets counts for the easiest and goes to one side in
    all of them. The same data, buckets and seed give the same sides, whatever is filtered, combined
    or left out afterwards and in whatever order the rows come. Without buckets each problem draws
    its lot alone: about the share is held out, and a problem stays on its side whatever the
    buckets, the model or the rest of the data.

    Args:
        prompts: (P,) equal for problems that ask the same.
        ids: (P,) equal for problems that the data calls the same.
        bucket: (P,) 0 the easiest; None: by prompt alone.
        fraction: share held out, 0 up to 1.
    """
    import pandas as pd

    group = _same_problem(prompts, ids)
    count = int(group.max(initial=-1)) + 1
    key = f"{seed % 10**16:016d}"
    lots = pd.util.hash_array(np.asarray(prompts, object), hash_key=key, categorize=False)
    lot = np.full(count, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(lot, group, lots)
    if bucket is None:
        return np.asarray((lot < fraction * 2.0**64)[group])
    easiest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(easiest, group, bucket)
    held = np.zeros(count, bool)
    for each in np.unique(easiest):
        members = np.flatnonzero(easiest == each)
        held[members[np.argsort(lot[members])][: _quota(len(members), fraction)]] = True
    return np.asarray(held[group])


def held_out_by_data(problems: Problems, rows: Integers) -> npt.NDArray[np.bool_]:
    """(rows,) whether the data's own `extra_info.split` calls a problem anything but train.

    Raises:
        UserError: where it calls some nothing.
    """
    texts = problems.table["extra_info"].take(pa.array(rows)).to_pylist()
    infos = [json.loads(text) if text else None for text in texts]
    names = [info.get("split") if isinstance(info, dict) else None for info in infos]
    nameless = sum(name is None for name in names)
    if nameless:
        raise UserError(
            f"export.split=data: {nameless} of {len(names)} problems have no extra_info.split; "
            "export.split=bucket or prompt holds out export.val_fraction of them"
        )
    return np.array([name != "train" for name in names], np.bool_)


def _same_problem(prompts: Sequence[str], ids: Sequence[str]) -> Integers:
    """(P,) equal numbers for problems that share a prompt or an id, directly or through others."""
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    codes = [pd.factorize(np.asarray(each, object))[0] for each in (prompts, ids)]
    prompt, own = codes[0], codes[1] + len(prompts)
    links = coo_array((np.ones(len(prompt)), (prompt, own)), shape=(2 * len(prompts),) * 2)
    component = connected_components(links, directed=False)[1]
    return np.unique(component[prompt], return_inverse=True)[1].astype(np.int64)


def _quota(count: int, fraction: float) -> int:
    if fraction == 0 or count < 2:
        return 0
    return min(max(int(fraction * count + 0.5), 1), count - 1)
