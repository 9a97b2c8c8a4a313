"""A server that speaks OpenAI's protocol, and everything that can be wrong with one.

The server is a small one of the test's own: a real one can't be made to drop a connection or to
ignore `n`. `tests/integration/test_vllm.py` has a real one.
"""

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pandas as pd
import pytest

from curriculum.config.build import build
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.core.records import Asked
from curriculum.run.generating.plan import plan

KEY = "sk-a-key-that-nobody-must-see"
PROMPTS = [f"{i}+{i}=" for i in range(24)]
PASSES = "2"  # the response of every third seed


class Server(ThreadingHTTPServer):
    """Answers with the prompt and the seed of each sample; `trouble` may do something else."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, trouble=lambda server, body, attempt: None, models=("tiny",), port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.trouble = trouble
        self.models = models
        self.listed = None  # instead of the models, in a form of its own
        self.lock = threading.Lock()
        self.requests = []  # path, headers, body, time
        self.under_way = self.most_under_way = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def bodies(self):
        return [body for path, _, body, _ in self.requests if body]

    def handle_error(self, request, client_address):
        """A client that is gone is nothing to report."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, status, answer, headers=(), missing=0):
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(content) + missing))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.server.requests.append((self.path, self.headers, None, time.monotonic()))
        if self.server.listed is not None:
            return self.reply(200, self.server.listed)
        if self.server.models is None:
            return self.reply(404, {"error": {"message": "no such path"}})
        listed = [{"id": name, "object": "model"} for name in self.server.models]
        return self.reply(200, {"object": "list", "data": listed})

    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            attempt = sum(prompt_of(each) == prompt_of(body) for each in server.bodies)
            server.requests.append((self.path, self.headers, body, time.monotonic()))
            server.under_way += 1
            server.most_under_way = max(server.most_under_way, server.under_way)
        try:
            troubled = server.trouble(self, body, attempt)
        finally:
            with server.lock:
                server.under_way -= 1
        if not troubled:
            self.reply(200, answer_to(body))


def prompt_of(body):
    return body["prompt"] if "prompt" in body else body["messages"][-1]["content"]


def response_to(prompt, seed):
    return PASSES if seed % 3 == 0 else f"{prompt} {seed}"


def answer_to(body, count=None, reason=None):
    """Choices in any order, as servers may; `index` says which is which."""
    choices = []
    for k in range(body["n"] if count is None else count):
        text = response_to(prompt_of(body), body["seed"] + k)
        content = {"text": text} if "prompt" in body else {"message": {"content": text}}
        ended = reason or ("length" if (body["seed"] + k) % 5 == 0 else "stop")
        choices.append({"index": k, "finish_reason": ended, **content})
    random.Random(body["seed"]).shuffle(choices)
    return {"choices": choices, "usage": {"completion_tokens": 7 * len(choices)}}


@pytest.fixture
def serve():
    """A server under way, gone after the test."""
    servers = []

    def serve(*arguments, **options):
        servers.append(Server(*arguments, **options))
        threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        return servers[-1]

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def generate(composed_values):
    """The responses of a generator, {(problem, sample_idx): response}."""

    def generate(server, *options, samples=4, prompts=PROMPTS):
        cfg = composed_values(
            "generator=openai", f"generator.url={server.url}", "model.path=tiny", *options
        )
        generator = build(cfg, "generator")
        asked = [Asked(problem, 0, samples) for problem in range(len(prompts))]
        ids = [f"id{problem}" for problem in range(len(prompts))]
        responses: dict[tuple[int, int], str | None] = {}
        batches = plan(prompts, ids, asked, 0, generator.batch_size)
        for batch, answers in generator.generate(batches):
            keys = [
                (request.problem, request.first + k)
                for request in batch.requests
                for k in range(request.samples)
            ]
            responses |= dict(zip(keys, answers, strict=True))
        assert len(responses) == samples * len(prompts)
        return responses

    return generate


@pytest.fixture
def problems(tmp_path):
    path = tmp_path / "problems.jsonl"
    rows = [{"prompt": prompt, "ground_truth": PASSES} for prompt in PROMPTS]
    pd.DataFrame(rows).to_json(path, orient="records", lines=True)
    return path


def options(problems, server):
    return [
        *("data=verl", f"data.path={problems}", "reward=exact_match", "generator=openai"),
        *(f"generator.url={server.url}", "model.path=tiny", "num_samples=4"),
    ]


def first_seed(prompt, texts):
    """Of a problem's samples, which must all be those of the prompt and of seeds that count up."""
    (first,) = {int(text.split()[1]) - k for k, text in enumerate(texts) if text != PASSES}
    assert texts == [response_to(prompt, first + k) for k in range(len(texts))]
    return first


def require_right(rollouts):
    assert len(rollouts) == 4 * len(PROMPTS)
    for prompt, own in rollouts.sort_values("sample_idx").groupby("prompt"):
        first_seed(prompt, own["response"].tolist())


def once(what):
    """Trouble with the first attempt at a prompt; what: {prompt: function of the handler}."""

    def trouble(handler, body, attempt):
        do = what.get(prompt_of(body))
        return attempt == 0 and do is not None and (do(handler) or True)

    return trouble


def drop(handler):
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def half_an_answer(handler):
    handler.reply(200, b'{"choices": [', missing=100)
    drop(handler)


@pytest.mark.slow
def test_trouble_that_passes_costs_no_rollout(run, read_result, tmp_path, serve, problems):
    trouble = {
        PROMPTS[0]: lambda handler: handler.reply(429, {}, [("Retry-After", "1")]),
        PROMPTS[1]: lambda handler: handler.reply(500, b"<html>sorry</html>"),
        PROMPTS[2]: drop,
        PROMPTS[3]: half_an_answer,
        PROMPTS[4]: lambda handler: time.sleep(2.5),  # longer than generator.timeout
        PROMPTS[5]: lambda handler: handler.reply(503, {"error": {"message": "loading"}}),
    }
    server = serve(once(trouble))
    knobs = ["generator.timeout=2", "generator.key_env=THE_KEY", "hydra.verbose=true"]
    store = f"store_dir={tmp_path}/store"
    done = run(*options(problems, server), *knobs, store, THE_KEY=KEY)
    assert done.returncode == 0, done.stderr
    rollouts = read_parts(tmp_path / "store")
    require_right(rollouts)

    attempts = Counter(prompt_of(body) for body in server.bodies)
    assert attempts == {prompt: 2 if prompt in trouble else 1 for prompt in PROMPTS}
    times = [at for _, _, body, at in server.requests if body and prompt_of(body) == PROMPTS[0]]
    assert times[1] - times[0] >= 1, "Retry-After was not waited for"
    causes = ["429): {}", "500): <html>sorry</html>", '503): {"error"', "no answer): timed out"]
    assert all(f"{server.url} ({cause}" in done.stderr for cause in causes)
    assert done.stderr.count("; again in ") == len(trouble)

    table = pd.read_parquet(tmp_path / "out" / "problems.parquet").set_index("prompt")
    passed = (rollouts["response"] == PASSES).groupby(rollouts["prompt"]).sum()
    assert table["c"].to_dict() == passed.to_dict()
    assert 0 < passed.sum() < 96
    cut_off = (rollouts["finish_reason"] == "length").sum()
    assert read_result(tmp_path / "out")["counts"]["truncated_rollouts"] == cut_off > 0

    headers = [headers for _, headers, _, _ in server.requests]
    assert {each["Authorization"] for each in headers} == {f"Bearer {KEY}"}
    require_secret(KEY, tmp_path, done)


@pytest.mark.slow
def test_a_budget_asks_in_rounds_and_says_what_it_found(
    run, read_result, tmp_path, serve, problems
):
    """One response in three passes, so few problems stop before the cap."""
    server = serve()
    knobs = ["budget=sequential", "budget.cap=12", "budget.unknown_hard=true", "bucketer=pass_rate"]
    done = run(*options(problems, server), *knobs, f"store_dir={tmp_path}/store")
    assert done.returncode == 0, done.stderr
    rollouts, result = read_parts(tmp_path / "store"), read_result(tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "budget.parquet")
    samples = rollouts.groupby("problem")["sample_idx"].apply(sorted)
    assert samples.tolist() == [list(range(n)) for n in table["n"]]
    assert table["n"].between(4, 12).all() and table["n"].nunique() > 1
    assert table["undecided"].tolist() == (table["probability"] < 0.99).tolist()
    buckets = pd.read_parquet(tmp_path / "out" / "buckets.parquet")
    unknown = table["undecided"] & (table["c"] == 0)
    assert (buckets["bucket"] == "unknown_hard").tolist() == unknown.tolist()
    assert result["budget"]["rollouts"] == len(rollouts) == result["total_rollouts"]
    rounds = range(1, result["budget"]["rounds"] + 1)
    entries = {f"{what}_{number}" for what in ("rollouts", "rewards") for number in rounds}
    assert entries < set(result["stages"])
    assert result["counts"]["generated_rollouts"] == result["counts"]["rewards"] == len(rollouts)
    page = (tmp_path / "out" / "report.html").read_text()
    for title, text in result["budget"]["facts"].items():
        assert f"<dt>{title}</dt><dd>{text}</dd>" in page and f"{title}: {text[:20]}" in done.stdout


@pytest.mark.slow
def test_an_earlier_run_is_a_hint_unless_its_rollouts_are_those_of_this_one(
    run, read_result, tmp_path, serve, problems
):
    server, before = serve(), tmp_path / "before"
    own = [*options(problems, server), f"store_dir={tmp_path}/store"]
    done = run(*own, "until=buckets", f"output_dir={before}")
    assert done.returncode == 0, done.stderr
    hinted = [*own, "budget=sequential", "budget.cap=12", f"budget.hint={before}"]
    same = run(*hinted)
    assert same.returncode == 1 and "the same model, settings and seed" in same.stderr
    itself = run(*hinted, f"output_dir={before}", "overwrite=true")
    assert itself.returncode == 1 and "this run's own output_dir" in itself.stderr
    assert len(read_parts(tmp_path / "store")) == 4 * len(PROMPTS)
    done = run(*hinted, "generator.seed=1")
    assert done.returncode == 0, done.stderr
    told = read_result(tmp_path / "out")["budget"]["hint"]
    assert told["run"] == str(before) and told["problems"] == len(PROMPTS)
    assert f"{before} knows 24 of 24 problems" in done.stdout.replace("\n", "")
    again = run(*hinted, "generator.seed=1")
    assert again.returncode == 0 and "generating" not in again.stderr


def read_parts(store):
    rollouts = pd.concat(map(pd.read_parquet, store.glob("rollouts-*/part-*.parquet")))
    prompts = [PROMPTS[problem] for problem in rollouts["problem"]]
    return rollouts.assign(prompt=prompts).reset_index(drop=True)


def require_secret(key, folder, done):
    assert key not in done.stdout + done.stderr
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"config.yaml", "run.log", "result.json"} <= {path.name for path in files}
    assert not [path for path in files if key.encode() in path.read_bytes()]


def test_a_key_is_shown_nowhere_also_where_the_server_shows_it(run, tmp_path, serve, problems):
    def refuse(handler, body, attempt):
        said = f"wrong key: {handler.headers['Authorization']}"
        handler.reply(401, {"error": {"message": said}})
        return True

    server = serve(refuse)
    knobs = ["hydra.verbose=true", f"store_dir={tmp_path}/store"]
    done = run(*options(problems, server), *knobs, OPENAI_API_KEY=f"  {KEY}\n")
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"error: the server at {server.url} (401;")
    assert "wrong key: Bearer ***" in error
    require_secret(KEY, tmp_path, done)


@pytest.mark.slow
@pytest.mark.parametrize("key", [f"sk\n{KEY}", f"{KEY}é"])
def test_what_is_no_key_is_an_error_that_does_not_show_it(generate, serve, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match=r"OPENAI_API_KEY \(generator.key_env\) holds") as raised:
        generate(serve())
    assert KEY not in str(raised.value)


def test_what_goes_on_failing_ends_in_an_error_that_names_the_knobs(generate, serve):
    def trouble(handler, body, attempt):
        handler.reply(500, {"error": {"message": "out of memory"}})
        return True

    server = serve(trouble)
    with pytest.raises(UserError) as raised:
        generate(server, "generator.patience=0.001", prompts=PROMPTS[:1])
    first, rest = str(raised.value).split("\n")
    said = f"the server at {server.url} (500; generator.patience=0.001, generator.timeout=600): "
    assert first.startswith(said)
    assert "out of memory" in first
    assert "the same command goes on from there" in rest
    assert len(server.bodies) == 2


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [(lambda handler: time.sleep(0.5), "timed out"), (drop, "disconnected")],
)
def test_a_server_that_never_answers_is_an_error(generate, serve, trouble, cause):
    server = serve(lambda handler, body, attempt: trouble(handler) or True)
    knobs = ["generator.patience=0", "generator.timeout=0.2"]
    with pytest.raises(UserError, match=r"no answer; generator.patience=0, generator.timeout=0.2"):
        generate(server, *knobs, prompts=PROMPTS[:1])
    with pytest.raises(UserError, match=cause):
        generate(server, *knobs, prompts=PROMPTS[:1])


def test_no_server_is_an_error(generate, serve):
    server = serve()
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match=r"no answer; generator.patience=0"):
        generate(server, "generator.patience=0")


def test_a_host_that_can_t_be_is_an_error_at_once(generate, serve):
    with pytest.raises(UserError, match=r"the server at http://a..b/v1 \(no answer.*no URL to ask"):
        generate(serve(), "generator.url=http://a..b/v1")


def test_a_proxy_is_used_where_the_environment_names_one(generate, serve, monkeypatch):
    proxy = serve()
    monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
    generate(serve(), "generator.url=http://models.example/v1")
    assert len(proxy.bodies) == 24
    assert {path for path, _, body, _ in proxy.requests if body} == {
        "http://models.example/v1/chat/completions"
    }


def test_a_proxy_s_password_is_shown_nowhere(generate, serve, monkeypatch):
    def refuse(handler, body, attempt):
        handler.reply(407, {"error": "Basic bWU6cHctc2VjcmV0 of me:pw%2Fsecret, pw/secret"})
        return True

    proxy = serve(refuse, models=None)
    address = f"me:pw%2Fsecret@127.0.0.1:{proxy.server_port}"
    for form in (address, f"http://{address}"):
        monkeypatch.setenv("http_proxy", form)
        with pytest.raises(UserError, match=r"407; .* of me:\*\*\*, \*\*\*") as raised:
            generate(serve(), "generator.url=http://models.example/v1")
        assert "secret" not in str(raised.value)


def test_what_runs_here_is_asked_without_a_proxy(generate, serve, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    generate(serve())


def test_a_server_that_has_moved_is_an_error_that_says_where_to(generate, serve):
    def moved(handler, body, attempt):
        handler.reply(307, {}, [("Location", "https://elsewhere/v1/chat/completions")])
        return True

    with pytest.raises(UserError, match=r"307; .*moved to https://elsewhere/v1/chat/completions"):
        generate(serve(moved))


@pytest.mark.parametrize("pause", ["-1", "nan", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_pause_that_is_none_is_the_usual_one(generate, serve, caplog, pause):
    caplog.set_level("INFO", "curriculum")
    full = once({PROMPTS[0]: lambda handler: handler.reply(429, {}, [("Retry-After", pause)])})
    generate(serve(full), prompts=PROMPTS[:1])
    (said,) = caplog.messages
    assert 0.4 < float(said.split("again in ")[1].removesuffix(" s")) < 1.6


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_a_response_that_was_broken_off_is_no_rollout(generate, serve, reason):
    def break_off(handler, body, attempt):
        handler.reply(200, answer_to(body, reason=reason))
        return True

    with pytest.raises(UserError, match=rf"a response broke off \(finish_reason={reason}\)"):
        generate(serve(break_off), "generator.patience=0")


@pytest.mark.parametrize(
    "choices",
    [
        '"text"',
        "[null]",
        '["text"]',
        "{}",
        "[{}]",
        '[{"message": "text"}]',
        '[{"message": {"content": [{"type": "text"}]}}]',
        '[{"index": null, "text": "a"}, {"index": 1, "text": "b"}]',
    ],
)
def test_choices_of_another_form_are_an_error_that_shows_them(generate, serve, choices):
    content = f'{{"choices": {choices}}}'
    server = serve(lambda handler, body, attempt: handler.reply(200, content.encode()) or True)
    with pytest.raises(UserError, match=r"\(200; generator.patience=0,") as raised:
        generate(server, "generator.patience=0")
    assert f"no choices: {content}\n" in str(raised.value)


def test_a_key_that_an_answer_hides_behind_escapes_is_not_shown(generate, serve, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret/\\1")
    content = b'{"error": "\\u0073k-secret\\/\\\\1"}'
    for status in (200, 401):
        server = serve(
            lambda handler, body, attempt, status=status: handler.reply(status, content) or True
        )
        with pytest.raises(UserError, match=r'\{"error": "\*\*\*"\}'):
            generate(server, "generator.patience=0")


@pytest.mark.parametrize("listed", [["tiny"], "tiny", 3, {"tiny": 1}, None])
def test_models_listed_in_another_form_are_not_looked_at(generate, serve, listed):
    server = serve()
    server.listed = {"data": listed}
    generate(server, prompts=PROMPTS[:1])


@pytest.mark.parametrize(
    "content", [b"<html>a proxy's page</html>", b"[]", b'{"choices": []}', b'{"error": "full"}']
)
def test_an_answer_without_choices_is_an_error(generate, serve, content):
    server = serve(lambda handler, body, attempt: handler.reply(200, content) or True)
    with pytest.raises(UserError, match=r"\(200; generator.patience=0,") as raised:
        generate(server, "generator.patience=0")
    assert f"no choices: {content.decode()}\n" in str(raised.value)


def chosen(**choice):
    """Trouble that gives such a choice as each of the samples."""

    def trouble(handler, body, attempt):
        handler.reply(200, {"choices": [{"index": k, **choice} for k in range(body["n"])]})
        return True

    return trouble


CALLS = [{"function": {"name": "add"}}]
NO_RESPONSES = [
    ({"message": {"content": ""}, "finish_reason": "stop"}, "no text (finish_reason=stop)"),
    ({"message": {"content": None}}, "no text (finish_reason=stop)"),
    ({"text": ""}, "no text (finish_reason=stop)"),
    (
        {"message": {"content": "2"}, "finish_reason": "content_filter"},
        "the server's content filter has ended it",
    ),
    (
        {"message": {"content": None, "tool_calls": CALLS}, "finish_reason": "tool_calls"},
        "tool calls and no text (finish_reason=tool_calls)",
    ),
    (
        {"message": {"content": "\ud800"}},
        "half a character in the text, which can't be written",
    ),
]


@pytest.mark.parametrize(("choice", "cause"), NO_RESPONSES)
def test_what_is_no_response_has_a_cause(generate, serve, choice, cause):
    (found,) = set(generate(serve(chosen(**choice)), prompts=PROMPTS[:1]).values())
    assert found == ("", "error", 0, cause)


def test_thoughts_that_the_limit_ended_are_an_empty_response_cut_off(generate, serve):
    server = serve(chosen(message={"content": None}, finish_reason="length"))
    (found,) = set(generate(server, prompts=PROMPTS[:1]).values())
    assert (found.text, found.finish_reason, found.error) == ("", "length", None)


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("tiny", "tiny", True),
        ("tiny", None, True),
        ("tiny", "tiny-2024-08-06", True),
        ("tiny", "tiny-0613", True),
        ("tiny", "tiny:latest", True),
        ("tiny-latest", "tiny-20241022", True),
        ("tiny", "tiny-mini", False),
        ("tiny", "tiny-7b", False),
        ("tiny", "huge", False),
    ],
)
def test_the_answer_of_another_model_is_no_response(generate, serve, asked, answered, same):
    def trouble(handler, body, attempt):
        handler.reply(200, {"model": answered, **answer_to(body)})
        return True

    server = serve(trouble, models=None)
    found = generate(server, f"model.path={asked}", prompts=PROMPTS[:1])
    cause = f"the answer is of the model {answered}, not of {asked} (model.path)"
    assert {each.error for each in found.values()} == {None if same else cause}


def test_an_answer_that_is_odd_once_costs_nothing(generate, serve):
    odd = [b'{"choices": [', b'{"choices": []}', b'{"error": {"message": "busy"}}', b"<html>"]
    trouble = {
        prompt: lambda handler, content=content: handler.reply(200, content)
        for prompt, content in zip(PROMPTS, odd, strict=False)
    }
    server = serve(once(trouble))
    assert generate(server, prompts=PROMPTS[:6]) == generate(serve(), prompts=PROMPTS[:6])
    assert len(server.bodies) == 6 + len(odd)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_is_refused_is_the_failure_of_its_prompt(generate, serve, status):
    def trouble(handler, body, attempt):
        if prompt_of(body) == PROMPTS[1]:
            handler.reply(status, {"error": {"message": "too many tokens"}})
            return True

    found = generate(serve(trouble), prompts=PROMPTS[:3])
    cause = f'{status}: {{"error": {{"message": "too many tokens"}}}}'
    assert {key: each.error for key, each in found.items() if each.error} == {
        (1, k): cause for k in range(4)
    }


def test_a_prompt_that_breaks_the_server_is_its_own_failure_where_others_are_answered(
    generate, serve
):
    def trouble(handler, body, attempt):
        if prompt_of(body) == PROMPTS[0]:
            handler.reply(500, {"error": "a bug"})
            return True
        time.sleep(0.1)

    knobs = ["generator.patience=0.001", "generator.concurrency=2"]
    found = generate(serve(trouble), *knobs, prompts=PROMPTS[:10])
    failed = {key: each.error for key, each in found.items() if each.error}
    assert failed == {(0, k): '500: {"error": "a bug"}' for k in range(4)}


def test_an_answer_without_end_is_refused(generate, serve):
    def trouble(handler, body, attempt):
        content = b" " * (1 << 20)
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(content)
        return True

    (found,) = set(generate(serve(trouble), prompts=PROMPTS[:1]).values())
    assert found.error == "200: an answer of more than 64 MB"


def test_a_pause_until_a_date_is_kept(generate, serve):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    full = {PROMPTS[0]: lambda handler: handler.reply(429, {}, [("Retry-After", later)])}
    server = serve(once(full))
    generate(server, prompts=PROMPTS[:1])
    first, second = (at for _, _, body, at in server.requests if body)
    assert second - first >= 1


def test_a_server_that_is_not_up_yet_is_said_once_and_waited_for(generate, serve, caplog):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def once_said():
        until = time.monotonic() + 30
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.01)
        serve(port=port)

    threading.Thread(target=once_said, daemon=True).start()
    url = f"http://127.0.0.1:{port}/v1"
    generate(SimpleNamespace(url=url), prompts=PROMPTS[:5])
    (said,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert said.startswith(f"{url} (no answer): ") and "Connect" in said
    assert "tried for 10 minutes (generator.patience)" in said


def failing(prompts, cause=b'{"error": "too long"}'):
    def trouble(handler, body, attempt):
        return prompt_of(body) in prompts and (handler.reply(400, cause) or True)

    return trouble


@pytest.mark.slow
def test_rollouts_that_could_not_be_had_are_in_no_rate_and_have_their_cause(
    run, read_result, tmp_path, serve, problems
):
    server = serve(failing(PROMPTS[:2]))
    asked = [*options(problems, server), f"store_dir={tmp_path}/store"]
    done = run(*asked)
    assert done.returncode == 0, done.stderr
    rejected = pd.read_parquet(tmp_path / "out" / "rejects" / "failed_calls.parquet")
    assert rejected["cause"].unique().tolist() == ['400: {"error": "too long"}']
    assert rejected["sample_idx"].tolist() == [0, 1, 2, 3] * 2
    counts = read_result(tmp_path / "out")["counts"]
    assert (counts["generated_rollouts"], counts["failed_calls"], counts["failures"]) == (88, 8, 0)
    table = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    assert sorted(table["prompt"]) == sorted(PROMPTS[2:]) and set(table["n"]) == {4}
    assert "failed calls: 8, listed in" in done.stderr

    # The flat file says it too, and is read as it was written.
    done = run(*asked, "until=rollouts", f"output_dir={tmp_path}/flat")
    assert done.returncode == 0 and len(server.bodies) == 24, done.stderr
    flat = f"data.path={tmp_path}/flat/rollouts.parquet"
    truths = "data.reward_fn_key=original_ground_truth"
    done = run("data=rollouts", flat, truths, "reward=exact_match", f"output_dir={tmp_path}/again")
    assert done.returncode == 0, done.stderr
    again = pd.read_parquet(tmp_path / "again" / "problems.parquet")
    assert again.set_index("prompt")["c"].to_dict() == table.set_index("prompt")["c"].to_dict()


@pytest.mark.slow
def test_too_many_that_could_not_be_had_end_the_run_and_are_asked_for_again(
    run, read_result, tmp_path, serve, problems
):
    server = serve(failing(PROMPTS[:2]))
    knobs = ["generator.max_failures=7", "generator.batch_size=4", f"store_dir={tmp_path}/store"]
    knobs += ["generator.concurrency=1"]
    done = run(*options(problems, server), *knobs)
    assert done.returncode == 1
    assert "8 rollouts could not be had, more than generator.max_failures=7" in done.stderr
    assert '400: {"error": "too long"}' in done.stderr and "Traceback" not in done.stderr
    had = {prompt_of(body) for body in server.bodies} - set(PROMPTS[:2])
    server.requests, server.trouble = [], lambda handler, body, attempt: None
    done = run(*options(problems, server), *knobs)
    assert done.returncode == 0, done.stderr
    assert {prompt_of(body) for body in server.bodies} == set(PROMPTS) - had
    require_right(read_parts(tmp_path / "store"))
    assert read_result(tmp_path / "out")["counts"]["failed_calls"] == 0


def test_a_server_that_gives_nothing_at_all_is_an_error(run, tmp_path, serve, problems):
    done = run(*options(problems, serve(failing(PROMPTS))), f"store_dir={tmp_path}/store")
    assert done.returncode == 1
    assert "96 rollouts could not be had, and not one could" in done.stderr


@pytest.mark.slow
def test_samples_that_are_the_same_whatever_the_seed_are_said(
    run, read_result, tmp_path, serve, problems
):
    def same(handler, body, attempt):
        handler.reply(200, answer_to(body | {"seed": 1}, 1))
        return True

    asked = [*options(problems, serve(same)), f"store_dir={tmp_path}/store"]
    done = run(*asked)
    assert done.returncode == 0, done.stderr
    told = "all samples are the same to the letter for 24 of 24 problems"
    assert done.stderr.count(told) == 1
    assert read_result(tmp_path / "out")["equal_samples"].startswith(told)
    done = run(*asked, "generator.temperature=0", f"output_dir={tmp_path}/greedy")
    assert done.returncode == 0 and told not in done.stderr


def test_as_many_requests_at_once_as_allowed_and_never_more(generate, serve):
    together = threading.Barrier(6)
    chance = random.Random(0)

    def wait(handler, body, attempt):
        if together.wait(10):
            time.sleep(chance.uniform(0, 0.02))

    server = serve(wait)
    generate(server, "generator.concurrency=6", "generator.batch_size=8")
    assert len(server.bodies) == 24
    assert server.most_under_way == 6


def test_no_more_is_unwritten_than_is_under_way(composed_values, serve):
    server = serve()
    knobs = ["generator.concurrency=2", "generator.batch_size=2"]
    cfg = composed_values(
        "generator=openai", f"generator.url={server.url}", "model.path=tiny", *knobs
    )
    asked = [Asked(problem, 0, 2) for problem in range(len(PROMPTS))]
    batches = plan(PROMPTS, PROMPTS, asked, 0, 2)
    for written, _ in enumerate(build(cfg, "generator").generate(batches)):
        time.sleep(0.02)  # a slow disk, while the server answers
        assert len(server.bodies) - written <= 2


@pytest.mark.slow
def test_a_request_that_takes_long_holds_no_other_back(generate, serve):
    others = threading.Semaphore(0)

    def trouble(handler, body, attempt):
        if prompt_of(body) != PROMPTS[0]:
            others.release()
        else:
            assert all(others.acquire(timeout=10) for _ in PROMPTS[1:])

    knobs = ["generator.concurrency=2", "generator.batch_size=32", "generator.patience=0"]
    generate(serve(trouble), *knobs)


def test_answers_out_of_order_find_their_problem_and_sample(generate, serve):
    plain = generate(serve(), "generator.batch_size=8")
    left = iter(range(100, 0, -1))  # the first requests take longest
    late = serve(lambda handler, body, attempt: time.sleep(next(left) / 500))
    assert generate(late, "generator.batch_size=8") == plain
    for problem, prompt in enumerate(PROMPTS):
        first = first_seed(prompt, [plain[problem, k].text for k in range(4)])
        reasons = [plain[problem, k].finish_reason for k in range(4)]
        assert reasons == ["length" if (first + k) % 5 == 0 else "stop" for k in range(4)]
        assert {plain[problem, k].tokens for k in range(4)} == {7}


@pytest.mark.slow
def test_samples_are_the_same_however_many_a_request_asks_for(generate, serve):
    servers = [serve() for _ in range(4)]
    knobs = ["null", "1", "5", "16"]
    several = [
        generate(server, f"generator.samples_per_request={most}", samples=16)
        for server, most in zip(servers, knobs, strict=True)
    ]
    assert all(each == several[0] for each in several)
    asked = [Counter(body["n"] for body in server.bodies) for server in servers]
    assert asked == [{16: 24}, {1: 384}, {5: 72, 1: 24}, {16: 24}]


@pytest.mark.parametrize("given", [1, 3, 9])
def test_a_server_that_gives_other_than_asked_is_asked_for_the_rest(generate, serve, given):
    def trouble(handler, body, attempt):
        handler.reply(200, answer_to(body, given))
        return True

    server = serve(trouble)
    assert {k: v.text for k, v in generate(server).items()} == {
        k: v.text for k, v in generate(serve()).items()
    }
    asked = Counter(body["n"] for body in server.bodies)
    assert asked == {1: {4: 24, 3: 24, 2: 24, 1: 24}, 3: {4: 24, 1: 24}, 9: {4: 24}}[given]


def test_a_model_that_the_server_has_not_is_an_error_that_lists_those_there_are(generate, serve):
    server = serve(models=["llama", "qwen"])
    with pytest.raises(UserError) as raised:
        generate(server)
    assert str(raised.value) == (
        f"the server at {server.url} has no model tiny (model.path); it has llama, qwen"
    )
    assert not server.bodies
    generate(serve(models=None))  # one that lists none


@pytest.mark.slow
def test_chats_and_texts_go_where_the_model_takes_them(generate, serve, tmp_path):
    chat = [{"role": "system", "content": "Add."}, {"role": "user", "content": "1+1="}]
    with_template, without = tmp_path / "chat", tmp_path / "plain"
    for folder, config in ((with_template, {"chat_template": "{{ messages }}"}), (without, {})):
        folder.mkdir()
        (folder / "tokenizer_config.json").write_text(json.dumps(config))

    def asked(*knobs):
        server = serve(models=None)
        generate(server, *knobs, prompts=[chat, "2+2="], samples=1)
        (path,) = {path for path, _, body, _ in server.requests if body}
        bodies = sorted(server.bodies, key=lambda body: "2+2=" in json.dumps(body))
        return path, [body.get("messages") or body.get("prompt") for body in bodies]

    chats = ("/v1/chat/completions", [chat, [{"role": "user", "content": "2+2="}]])
    texts = ("/v1/completions", ["Add.\n1+1=", "2+2="])
    assert asked() == chats  # a name, not a folder
    assert asked(f"model.path={with_template}") == chats
    assert asked(f"model.path={without}") == texts
    assert asked(f"model.path={without}", "generator.api=chat") == chats
    assert asked("generator.api=completions") == texts


def test_requests_carry_the_sampling(generate, serve):
    server = serve()
    knobs = ["temperature=0.5", "top_p=0.9", "max_new_tokens=7", "extra_body={top_k: 20}"]
    generate(server, *(f"generator.{knob}" for knob in knobs), prompts=PROMPTS[:1])
    (body,) = server.bodies
    del body["messages"], body["seed"]
    assert body == {
        "model": "tiny",
        "n": 4,
        "max_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 20,
    }


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        (["generator.url=http://me:secret@host/v1"], "holds a user or a key"),
        (["generator.url=http://secret@host/v1"], "holds a user or a key"),
        (["generator.url=null"], "needs one server"),
        (["generator.server=vllm"], "needs one server"),
        (["generator.url=localhost:8000/v1"], "like http://HOST:8000/v1"),
        (["generator.url=http:///v1"], "like http://HOST:8000/v1"),
        (["generator.url='http://[::1/v1'"], "is no URL"),
        (["generator.timeout=0"], "above 0"),
        (["generator.patience=-1"], "0 or more"),
        (["generator.api=text"], "'auto', 'chat', 'completions'"),
        (["generator.concurrency=0"], "1 or more"),
        (["generator.samples_per_request=0"], "1 or more"),
    ],
)
def test_knobs_that_make_no_sense_are_an_error(generate, serve, knobs, said):
    server = serve()
    with pytest.raises(UserError, match=said) as raised:
        generate(server, *knobs)
    assert "secret" not in str(raised.value)


@pytest.mark.slow
def test_a_run_that_was_killed_asks_for_nothing_again_that_it_has(tmp_path, serve, problems):
    server = serve(lambda handler, body, attempt: time.sleep(0.15))
    knobs = ["generator.concurrency=2", "generator.batch_size=4", "until=rollouts"]
    command = [sys.executable, "run.py", *options(problems, server), *knobs]
    command += [f"output_dir={tmp_path}/out", f"store_dir={tmp_path}/store"]
    running = subprocess.Popen(
        command, cwd=conf_dir().parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    parts = (tmp_path / "store").glob
    while len(list(parts("rollouts-*/part-*.parquet"))) < 5 and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    has = set(read_parts(tmp_path / "store")["prompt"])
    assert 5 <= len(has) < 24
    first, server.requests = server.bodies, []
    server.trouble = lambda handler, body, attempt: None

    done = subprocess.run(command, cwd=conf_dir().parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    second = [prompt_of(body) for body in server.bodies]
    assert Counter(second) == {prompt: 1 for prompt in PROMPTS if prompt not in has}
    again = {prompt_of(body) for body in first} & set(second)
    assert len(again) <= 2  # generator.concurrency
    require_right(pd.read_parquet(tmp_path / "out" / "rollouts.parquet"))
