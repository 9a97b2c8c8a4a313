"""Secrets are in no byte that a run, a failure or a sweep writes, and on no terminal."""

import json
import os
from pathlib import Path
from textwrap import dedent

import pytest

IN_ENVIRONMENT = "canary-of-the-environment-7f3a"
UNDER_A_NAME = "canary-under-a-name-19bc"
IN_A_URL = "canary-in-a-url-55d0"
CANARIES = (IN_ENVIRONMENT, UNDER_A_NAME, IN_A_URL)


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """A configuration of one's own with secrets, and a reward that tells all it knows."""
    reward = tmp_path / "reward.py"
    reward.write_text(
        dedent(
            """
            import os

            def compute_score(data_source, solution_str, ground_truth, extra_info, token, mend):
                print("I was given", token)
                if solution_str == "bad":
                    raise ValueError(f"no luck with {token} and {os.environ['MY_SERVICE_TOKEN']}")
                return float(solution_str == ground_truth)
            """
        )
    )
    rows = [
        {"prompt": f"p{i}", "response": text, "ground_truth": "a", "data_idx": i, "sample_idx": j}
        for i in range(4)
        for j, text in enumerate(["a", "b", "bad" if i == 0 else "a"])
    ]
    (tmp_path / "rollouts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        dedent(
            f"""
            defaults: [config, _self_]
            name: see https://user:{IN_A_URL}@host/x?token={IN_A_URL}
            tracker:
              tags: ["https://user:{IN_A_URL}@host/"]
            reward:
              reward_kwargs: {{token: {UNDER_A_NAME}, mend: 0}}
            """
        )
    )
    return folder


def arguments(configured: Path, *further: str) -> list[str]:
    top = configured.parent
    return [
        *("-cd", str(configured), "-cn", "mine", "data=rollouts", "reward=function"),
        *(f"data.path={top}/rollouts.jsonl", f"reward.path={top}/reward.py"),
        *(
            "tracker=wandb",
            "tracker.mode=offline",
            "reward.workers=1",
            f"store_dir={top}/store",
            *further,
        ),
    ]


def written(folder: Path) -> str:
    """Every byte of every file, and what parquet files hold."""
    import pyarrow.parquet as pq

    found = []
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.name != "mine":
            found.append(path.read_bytes().decode(errors="replace"))
            if path.suffix == ".parquet":
                found.append(str(pq.read_table(path).to_pylist()))
    return "\n".join(found)


@pytest.mark.parametrize(
    ("further", "status"),
    [
        ([], 0),
        (["reward.max_failures=0"], 1),
        (["-m", "seed=0,1", "sampler=uniform", "trainer=dry_run", "trainer.steps=2"], 0),
    ],
)
def test_canaries_are_nowhere(run, tmp_path, configured, further, status):
    pytest.importorskip("wandb")
    done = run(*arguments(configured, *further), MY_SERVICE_TOKEN=IN_ENVIRONMENT)
    assert done.returncode == status, done.stderr
    everything = done.stdout + done.stderr + written(tmp_path)
    assert "no luck with [secret] and [secret]" in everything
    assert "https://[secret]@host" in everything
    assert [each for each in CANARIES if each in everything] == []


def test_a_traceback_has_none(run_process, tmp_path, configured):
    broken = tmp_path / "broken.py"
    broken.write_text("import os\nraise RuntimeError(os.environ['MY_SERVICE_TOKEN'])\n")
    done = run_process(
        *arguments(configured, f"reward.path={broken}"),
        MY_SERVICE_TOKEN=IN_ENVIRONMENT,
        HYDRA_FULL_ERROR="1",
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "[secret]" in done.stderr
    assert [each for each in CANARIES if each in done.stderr + written(tmp_path)] == []


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        (f"generator.url=http://user:{IN_A_URL}@host/v1", "generator.url holds a user"),
        (f"data.path='https://host/rows.jsonl?token={IN_A_URL}'", "data.path holds a secret in a"),
        (f"https://user:{IN_A_URL}@host/rows.jsonl", "an argument holds a user"),
        (f"generator.extra_body={{api_key: {UNDER_A_NAME}}}", "generator.extra_body holds"),
        (f"+generator.extra_body.api_key={UNDER_A_NAME}", "generator.extra_body.api_key holds"),
        (f"generator.server_args=[--api-key,{UNDER_A_NAME}]", "generator.server_args holds"),
        (f"reward.reward_kwargs={{password: {UNDER_A_NAME}}}", "os.environ"),
        (f"name={IN_ENVIRONMENT}", "the environment variable MY_SERVICE_TOKEN"),
        (f"generator.key_env={IN_ENVIRONMENT}", "takes the name of an environment variable"),
        (f"generator.key_env={UNDER_A_NAME}", "takes the name of an environment variable"),
    ],
)
def test_a_command_line_with_one_is_refused_before_a_byte_is_written(run, tmp_path, argument, says):
    done = run("generator=openai", argument, MY_SERVICE_TOKEN=IN_ENVIRONMENT)
    assert done.returncode == 1
    assert says in done.stderr
    assert [each for each in CANARIES if each in done.stdout + done.stderr] == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_secret_is_taken(run, tmp_path):
    done = run("data.prompt_key=prompt", "until=problems", EMPTY_KEY="EMPTY", SSH_KEY=str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_files_are_as_closed_as_the_user_s_umask(run, tmp_path, configured):
    data = [f"data.path={tmp_path}/rollouts.jsonl", f"store_dir={tmp_path}/store"]
    before = os.umask(0o077)
    try:
        done = run("data=rollouts", *data, "reward=exact_match", "reward.workers=1")
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    made = [*(tmp_path / "out").rglob("*"), *(tmp_path / "store").rglob("*")]
    assert made
    assert [str(path) for path in made if path.stat().st_mode & 0o077] == []
