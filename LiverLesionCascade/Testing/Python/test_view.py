"""``liver-lesion-cascade view``: what is opened, and that the server shows the folder's files and nothing else."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import webbrowser
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import pytest
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.outputs.folder_server import FolderServer


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "Archiv ü #1"
    (folder / "cases" / "a b%20").mkdir(parents=True)
    (folder / "summary.html").write_text("<p>summary", encoding="utf-8")
    (folder / "cases" / "a b%20" / "report.html").write_text("<p>report", encoding="utf-8")
    (folder / "cases" / "a b%20" / "key-image.jpg").write_bytes(b"\xff\xd8")
    (folder / ".lock").write_text("hidden")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@contextmanager
def serving(folder):
    with FolderServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server, path, method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def test_files_of_the_folder_are_shown_with_their_kinds(archive):
    with serving(archive) as server:
        for name, kind, content in (
            ("summary.html", "text/html; charset=utf-8", b"<p>summary"),
            ("cases/a b%20/report.html", "text/html; charset=utf-8", b"<p>report"),
            ("cases/a b%20/key-image.jpg", "image/jpeg", b"\xff\xd8"),
        ):
            status, body, headers = ask(server, urlsplit(server.address(name)).path)
            assert (status, body, headers["Content-Type"]) == (200, content, kind)
            assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
        status, body, headers = ask(server, urlsplit(server.address("summary.html")).path, "HEAD")
        assert (status, body, headers["Content-Length"]) == (200, b"", "10")


@pytest.mark.parametrize(
    "path",
    [
        "/{token}/../secret.txt",
        "/{token}/%2e%2e/secret.txt",
        "/{token}/cases/..%2f..%2fsecret.txt",
        "/{token}/..%5csecret.txt",
        "/{token}//etc/passwd",
        "/{token}/%2fetc/passwd",
        "/{token}/summary.html%00.txt",
        "/{token}/.lock",
        "/{token}/cases",
        "/{token}/",
        "/{token}",
        "/{token}/none.html",
        "/summary.html",
        "/wrong/summary.html",
        "/{token}x/summary.html",
        "/",
        "http://127.0.0.1/{token}/../secret.txt",
    ],
)
def test_nothing_else_is_there(archive, path):
    with serving(archive) as server:
        status, body, _headers = ask(server, path.format(token=server.token))
        assert (status, body) == (404, b"")


def test_a_link_out_of_the_folder_leads_nowhere_and_one_within_it_does(archive, tmp_path):
    try:
        (archive / "out.txt").symlink_to(tmp_path / "secret.txt")
        (archive / "up").symlink_to(tmp_path, target_is_directory=True)
        (archive / "in.html").symlink_to(archive / "summary.html")
    except OSError:
        pytest.skip("no symbolic links here")
    with serving(archive) as server:
        for name, status in (("out.txt", 404), ("up/secret.txt", 404), ("in.html", 200)):
            assert ask(server, urlsplit(server.address(name)).path)[0] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(archive, method):
    with serving(archive) as server:
        assert ask(server, urlsplit(server.address("summary.html")).path, method)[0] == 501
    assert (archive / "summary.html").read_text() == "<p>summary"


def test_another_name_for_this_computer_gets_nothing(archive):
    with serving(archive) as server:
        path = urlsplit(server.address("summary.html")).path
        assert ask(server, path, host="evil.example:80")[0] == 404
        assert ask(server, path, host="evil.example")[0] == 404
        assert ask(server, path, host="localhost:9999")[0] == 200  # through a tunnel


def test_only_this_computer_is_listened_to_and_every_run_has_its_own_token(archive):
    with serving(archive) as server, FolderServer(archive) as other:
        assert server.socket.getsockname()[0] == "127.0.0.1"
        assert server.token != other.token and len(server.token) >= 32


def test_the_report_of_a_result_is_opened_as_a_file(archive, capsys, monkeypatch):
    opened = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda address: not opened.append(address))
    folder = archive / "cases" / "a b%20"
    assert main(["view", str(folder)]) == 0
    assert opened == [(folder / "report.html").as_uri()]
    assert capsys.readouterr().out == opened[0] + "\n"


def test_without_a_browser_the_address_is_said(archive, capsys, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    folder = archive / "cases" / "a b%20"
    assert main(["view", str(folder)]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == (folder / "report.html").as_uri() and "in a browser" in said.err


def test_a_folder_without_results_is_refused(tmp_path, capsys):
    assert main(["view", str(tmp_path)]) == 3
    assert "holds no report.html and no summary.html" in capsys.readouterr().err


def test_a_port_that_is_taken_is_refused(archive, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["view", str(archive), "--no-browser", "--port", str(taken.getsockname()[1])]) == 5
    assert "choose another --port" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="sends an interrupt")
def test_an_archive_is_shown_until_the_command_is_interrupted(archive):
    import signal

    command = [sys.executable, "-m", "LiverLesionCascadeLib.cli", "view", str(archive), "--no-browser"]
    # A job in the background would ignore it.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    try:
        address = urlsplit(process.stdout.readline().strip())
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        connection.request("GET", address.path)
        assert connection.getresponse().read() == b"<p>summary"
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert f"ssh -L {address.port}:127.0.0.1:{address.port}" in process.stderr.read()
    finally:
        process.kill()
        process.communicate()
