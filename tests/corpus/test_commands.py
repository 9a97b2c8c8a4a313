"""Command lines and what lies beside them: a run ends well, or in one error and no traceback."""

import copy
import json

import pytest

from curriculum.bucketers import Percentile
from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.run.bucketing import cut
from curriculum.samplers.state_file import read_state
from curriculum.testing import make_metrics
from tests.conftest import run_here
from tests.corpus.asking import in_time, strict_json
from tests.corpus.odd_files import LINES

pytestmark = pytest.mark.slow  # half a minute of the processor; the readers are quick

FAULT = "may be a fault of the program"
LONG = "x" * 300
BOMB = "\n".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 10)}]" for i in range(1, 9))

OVERRIDES = [
    *(f"{key}={value}" for key in ("export", "measure", "report") for value in ("3", "null", "x")),
    *(
        f"{key}={value}"
        for key in ("data", "bucketer", "preset", "hydra")
        for value in ("3", "null")
    ),
    *("data=[1]", "seed=1.5", "until=3", "overwrite=3", "resume=[1]", "store_dir=null", "name=[1]"),
    *("output_dir=null", "output_dir=/proc/x", "output_dir=/sys/x", "store_dir=/proc/x"),
    *(f"output_dir=/tmp/{LONG}", "output_dir=/etc/hostname", "output_dir=/etc/hostname/x"),
    *("export.prefix=a/b", "export.prefix=..", f"export.prefix={LONG}", 'export.prefix="a\tb"'),
    *("export.name=a/b", f"export.name={LONG}", 'export.name="a\nb"'),
    *(f"bucketer.names=[{name},b,c]" for name in ("a/b", LONG, "b", '"a\nb"', "1", "[]")),
    *("bucketer=percentile bucketer.n=100000", "bucketer=percentile bucketer.n=0"),
    *("bucketer.edges=/etc/hostname", "bucketer.edges=/tmp", "bucketer.edges=/no.json"),
    *("measure.scale=0", "measure.threshold=nan", "measure.threshold=inf", "measure.level=2"),
    *("data.limit=0", "data.max_rejected=-1"),
    *("seed=99999999999999999999999", "trainer=dry_run trainer.steps=0", "data.columns=3"),
    *("data.step=[2,1]", "reward=function reward.path=/etc", "reward=function reward.path=/no.py"),
    *("x=", "=", "=x", "a.b.c=1", "++", "~data", "seed=", "seed=[", "seed={", "'", "${seed}=1"),
    *(
        "seed=${seed}",
        "seed=${no}",
        "seed=${oc.env:NO_SUCH}",
        "name=${",
        "data.path=",
        "data.path=[]",
    ),
]
FINE = {"export.prefix=..", 'store_dir=""', "seed=99999999999999999999999"}  # or may be

CONFIGS = {
    "bomb": f"k0: &k0 [x]\n{BOMB}",
    "circle": "name: &a [*a]",
    "list": "[1]",
    "nothing": "",
    "flow": "a: [",
    "deep": "a: " + "[" * 5000,
    "tab": "\tx",
    "no list": "defaults: 3",
    "key twice": "defaults: [config, _self_]\nseed: 1\nseed: 2",
    "code": "defaults: [config, _self_]\nname: !!python/object/apply:os.getcwd []",
    "bytes": "defaults: [config, _self_]\nname: !!binary aGk=",
    "number as key": "defaults: [config, _self_]\nexport: {1: 2}",
    "block": "defaults: [config, _self_]\nexport: 3",
    "unknown": "defaults: [config, _self_]\nfoo: 1",
    "Latin 1": "name: \xe9",
}

RESULTS = [
    *("", "{", "[]", "null", "[" * 100_000, '{"a": 1}', '{"status": 1}', '{"status": []}'),
    *('{"status": "completed", "config": 3}', '{"status": "completed", "choices": []}'),
    *('{"status": "x", "files_by_kind": 3}', '{"status": "x", "files_by_kind": {"a": 3}}'),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "good.jsonl"
    path.write_bytes(LINES)
    return path


@pytest.fixture
def ended(good, tmp_path, store):
    """Run it; the error's message, None where it went well."""

    def ended(*asked):
        folder = tmp_path / "out"
        own = {"data.path": good, "output_dir": folder, "store_dir": store}
        where = [f"{key}={at}" for key, at in own.items() if not any(key in x for x in asked)]
        chosen = [] if any(x.startswith("data=") for x in asked) else ["data=rollouts"]
        with in_time():
            done = run_here([*chosen, *asked, *where], tmp_path, {})
        assert "Traceback" not in done.stderr and FAULT not in done.stderr, done.stderr
        if (folder / "result.json").is_file() and done.returncode == 0:
            strict_json(folder / "result.json")
        if done.returncode == 0:
            return None
        assert "error: " in done.stderr
        return done.stderr[done.stderr.rindex("error: ") :]

    return ended


@pytest.mark.parametrize("asked", OVERRIDES, ids=lambda asked: ascii(asked[:40]))
def test_overrides_of_any_kind(ended, asked):
    message = ended(
        *(asked.split(" ") if asked.startswith(("bucketer=", "trainer=", "reward=")) else [asked])
    )
    assert message is not None or asked in FINE


@pytest.mark.parametrize("case", CONFIGS)
def test_a_configuration_of_any_content(tmp_path, store, case):
    (tmp_path / "own.yaml").write_bytes(CONFIGS[case].encode("latin-1"))
    with in_time():
        done = run_here(["-cd", str(tmp_path), "-cn", "own"], tmp_path, {})
    assert done.returncode == 1 and "error: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", RESULTS, ids=lambda text: text[:40])
def test_a_result_of_any_content(ended, tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.json").write_text(content)
    message = ended("until=problems", "overwrite=true")
    assert message is not None and "result.json" in message


@pytest.mark.parametrize(
    "name", ["result.json", "problems.parquet", "report.html", ".partial", ".hydra"]
)
def test_a_folder_where_a_file_should_be_and_the_other_way_round(ended, tmp_path, name):
    (tmp_path / "out").mkdir()
    if name.startswith("."):
        (tmp_path / "out" / name).touch()
    else:
        (tmp_path / "out" / name).mkdir()
    message = ended()
    assert message is not None and name in message


EDGES_OF_ANY_KIND = [
    None,
    3,
    [],
    {},
    "x",
    [[1]],
    [["x", "y"]],
    {"a": 1},
    [[1e308, -1]],
    [[1, 2, 3]],
]


@pytest.mark.parametrize(
    "key", ["bucketer", "names", "edges", "measure", "ranks", "metric", "easier"]
)
def test_edges_of_any_kind(tmp_path, key):
    metrics = make_metrics([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    cut(Percentile(n=2), metrics, None, tmp_path)
    saved = json.loads((tmp_path / "buckets.json").read_text())
    for value in EDGES_OF_ANY_KIND:
        odd = copy.deepcopy(saved)
        (odd["edges"] if key in odd["edges"] else odd)[key] = value
        path = tmp_path / "odd.json"
        path.write_text(json.dumps(odd))
        try:
            cut(Percentile(n=2), metrics, str(path), tmp_path)
        except UserError as error:
            assert "odd.json" in str(error) or "edges are of metric" in str(error)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"PAR1", b"PK\x03\x04", b"\0" * 100, b"[" * 100_000]
)
def test_prompts_and_states_of_any_content(tmp_path, content):
    (tmp_path / "prompts.parquet").write_bytes(content)
    with pytest.raises(UserError, match=r"prompts\.parquet"):
        Prompts.load(tmp_path)
    (tmp_path / "state.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"state\.npz"):
        read_state(tmp_path / "state.npz")


@pytest.mark.parametrize("content", ["", "[", "[1]", "hydra: 3", "a: 1", "hydra: {}"])
def test_a_plan_to_resume_of_any_content(ended, tmp_path, content):
    (tmp_path / "multirun.yaml").write_text(content)
    assert ended(f"resume={tmp_path}") is not None
