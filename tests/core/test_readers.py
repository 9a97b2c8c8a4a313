"""No file that is read can run code: what unpickles says that it does not."""

import ast
from pathlib import Path

import numpy as np
import pytest

import curriculum
from curriculum.core.errors import UserError
from curriculum.samplers.state_file import read_state

PACKAGE = Path(curriculum.__file__).parent
# Between processes of ours, and of checks.
OWN = {"run/scoring/scorer.py", "testing/sampler.py", "testing/reward.py"}
MUST_SAY = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}
UNPICKLING = {"pickle.load", "pickle.loads", "pd.read_pickle", "joblib.load", "cloudpickle.load"}


def calls():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield str(path.relative_to(PACKAGE)), ast.unparse(node.func), node


def test_nothing_unpickles_a_file():
    strange = []
    for file, called, call in calls():
        given = {each.arg: getattr(each.value, "value", None) for each in call.keywords}
        word, value = MUST_SAY.get(called, ("", None))
        if given.get(word) != value or (called in UNPICKLING and file not in OWN):
            strange.append(f"{file}:{call.lineno} {called}")
    assert not strange, "\n".join(strange)


class Ran:
    def __reduce__(self):
        return (pytest.fail, ("code of the file has run",))


def test_a_state_with_a_pickle_in_it_is_none(tmp_path):
    np.savez(tmp_path / "state.npz", a=np.array([Ran()], object))
    with pytest.raises(UserError, match="no saved state"):
        read_state(tmp_path / "state.npz")
