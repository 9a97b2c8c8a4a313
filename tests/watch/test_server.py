"""Who is served what, and who is not."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from curriculum.core.errors import UserError
from curriculum.watch.server import Server
from curriculum.watch.site import Site


def test_a_finished_run_shows_its_own_page(visit, finished):
    visitor = visit(finished)
    first = visitor.get()
    assert (first.status, first.headers["Location"]) == (302, "report.html")
    page = visitor.get("report.html")
    assert page.status == 200
    assert page.body == (finished / "report.html").read_text(encoding="utf-8")
    assert visitor.state()["report"] == "report.html"


def test_it_is_on_this_machine_alone(visit, finished):
    server = visit(finished).server
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert server.url.startswith(f"http://127.0.0.1:{server.server_port}/")
    _, _, others = socket.gethostbyname_ex(socket.gethostname())
    for address in (each for each in others if not each.startswith("127.")):
        with pytest.raises(OSError), socket.create_connection((address, server.server_port), 1):
            pass


def test_each_server_has_a_token_of_its_own(finished):
    site = Site(finished)
    with Server(site) as one, Server(site) as other:
        assert one.token != other.token and len(one.token) >= 32


@pytest.mark.parametrize("path", ["/", "/state.json", "/x/", "/x/state.json", "//", "/favicon.ico"])
def test_without_the_token_nothing_is_served(visit, finished, path):
    answer = visit(finished).ask(path)
    assert answer.status == 403 and "token" in answer.body


def test_nor_with_part_of_it_or_more(visit, finished):
    visitor = visit(finished)
    token = visitor.token
    for wrong in (token[:-1], token + "x", token.swapcase(), f"x/{token}", "%FC"):
        assert visitor.ask(f"/{wrong}/").status == 403
    assert visitor.ask(f"http://127.0.0.1/{token}/").status == 403


def test_a_name_that_is_made_to_point_here_is_refused(visit, finished):
    visitor = visit(finished)
    path, port = f"/{visitor.token}/report.html", visitor.server.server_port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", ""):
        assert visitor.ask(path, host=host).status == 403
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        assert visitor.ask(path, host=host).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "<b>"])
def test_it_is_only_read(visit, finished, method):
    visitor = visit(finished)
    answer = visitor.ask(f"/{visitor.token}/", method)
    assert answer.status == 405 and "<b>" not in answer.body


@pytest.mark.parametrize(
    "name",
    [
        *("result.json", "run.log", ".hydra/config.yaml", "../finished/run/report.html"),
        *("%2e%2e/report.html", "..%2freport.html", "/etc/passwd", "%2fetc%2fpasswd"),
        *("report.html/", "./report.html", ".hydra/", "%00", "0/", "x/vega.js"),
    ],
)
def test_no_other_file_is_served(visit, finished, name):
    assert visit(finished).get(name).status == 404


def test_browsers_are_told_to_be_careful(visit, finished):
    visitor = visit(finished)
    refused, missing = visitor.ask("/"), visitor.get("none")
    pages = [visitor.get(name) for name in ("", "state.json", "live.js", "report.html")]
    for answer in (refused, missing, *pages):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Python" not in answer.headers["Server"]


def test_the_address_without_its_last_slash_leads_to_the_page(visit, finished):
    visitor = visit(finished)
    answer = visitor.ask(f"/{visitor.token}?again")
    assert (answer.status, answer.headers["Location"]) == (302, f"/{visitor.token}/")


def test_a_folder_that_is_no_run_is_told(tmp_path):
    for folder, what in ((tmp_path, "has no run in it"), (tmp_path / "none", "is no folder")):
        with pytest.raises(UserError, match=f"{what}: give the output_dir of a run"):
            Site(folder)


def test_the_command_says_where_and_ends_with_ctrl_c(finished):
    command = [sys.executable, "-m", "curriculum.watch", str(finished)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        assert said.startswith(f"{finished} is at http://127.0.0.1:") and "Ctrl-C" in said
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert out == f"\n{finished} is watched no more\n"


def test_a_port_that_is_taken_is_told(visit, finished):
    port = visit(finished).server.server_port
    command = [sys.executable, "-m", "curriculum.watch", str(finished), "--port", str(port)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: --port {port} can't be served on: ")


def test_help_loads_nothing_that_is_slow():
    code = (
        "import runpy, sys\n"
        "sys.argv = ['watch', '--help']\n"
        "try: runpy.run_module('curriculum.watch', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(sorted({'pandas', 'pyarrow', 'numpy', 'jinja2', 'http'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
