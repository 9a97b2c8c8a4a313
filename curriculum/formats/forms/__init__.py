"""Forms of rollouts that are not plain, each of a tool that writes them."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from curriculum.core.errors import UserError
from curriculum.formats.forms.base import Form
from curriculum.formats.forms.counts import Counts
from curriculum.formats.forms.ifeval import IfEval
from curriculum.formats.forms.inspect_log import InspectLog
from curriculum.formats.forms.instructions import Instructions
from curriculum.formats.forms.lm_eval import LmEval
from curriculum.formats.forms.nemo_gym import NemoGym
from curriculum.formats.forms.openai_batch import BatchOutput, BatchRequest
from curriculum.formats.forms.slime import Slime
from curriculum.formats.forms.trl import TrlCompletions
from curriculum.formats.forms.verl_dump import VerlDump
from curriculum.formats.names import Row

BUILT_IN: tuple[type[Form], ...] = (
    *(LmEval, InspectLog, BatchRequest, BatchOutput, NemoGym, Slime, TrlCompletions, VerlDump),
    *(Counts, IfEval, Instructions),
)
GROUP = "curriculum.form"


def form_of(row: Row, rollouts: bool = True) -> Form | None:
    """The form that a row has, None where it is plain.

    Args:
        rollouts: whether it is one of rollouts, or a problem alone.
    """
    fitting = (form for form in forms() if rollouts or not form.rollouts_alone)
    return next((form for form in fitting if form.matches(row)), None)


@cache
def forms() -> list[Form]:
    """Those of plugins, which may know better, and the built-in ones.

    Raises:
        UserError: where a plugin can't be loaded.
    """
    added = []
    for point in entry_points(group=GROUP):
        try:
            added.append(point.load()())
        except Exception as error:  # whatever a plugin does when it is loaded
            raise UserError(f"{GROUP} {point.name} ({point.value}): {error}") from error
    return [*added, *(form() for form in BUILT_IN)]
