"""Which problems are held out for validation: by prompt, so that no prompt is on both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from curriculum.records import Integers


def held_out(
    prompts: Sequence[str], bucket: Integers, fraction: float, seed: int
) -> npt.NDArray[np.bool_]:
    """(P,) whether a problem is for validation.

    Of each bucket's different prompts the share `fraction` is held out, one at least where there
    are two; a prompt that stands in several buckets counts for the easiest and goes to one side in
    all of them. The same data, buckets and seed give the same sides, whatever is filtered, combined
    or left out afterwards and in whatever order the rows come.

    Args:
        prompts: (P,) equal for problems that ask the same.
        bucket: (P,) 0 the easiest.
        fraction: share held out, 0 up to 1.
    """
    import pandas as pd

    different, group = np.unique(np.asarray(prompts, object), return_inverse=True)
    easiest = np.full(len(different), np.iinfo(np.int64).max)
    np.minimum.at(easiest, group, bucket)
    lot = pd.util.hash_array(different, hash_key=f"{seed % 10**16:016d}", categorize=False)
    held = np.zeros(len(different), bool)
    for each in np.unique(easiest):
        members = np.flatnonzero(easiest == each)
        held[members[np.argsort(lot[members])][: _quota(len(members), fraction)]] = True
    return np.asarray(held[group])


def _quota(count: int, fraction: float) -> int:
    if fraction == 0 or count < 2:
        return 0
    return min(max(int(fraction * count + 0.5), 1), count - 1)
