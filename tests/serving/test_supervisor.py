"""One command starts the service and its page, one gesture stops both."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from running import listens

from vitrine.serving import supervisor
from vitrine.serving.settings import SettingsError

COMMAND = [sys.executable, "-c", "from vitrine.cli import main; main()", "up"]


def free_ports():
    """Return two ports that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
        return a.getsockname()[1], b.getsockname()[1]


def start(model_dir, port, api_port, *more, **environment):
    (model_dir / "pyproject.toml").write_text('[project]\nname = "vitrine"\n')  # and no data set
    return subprocess.Popen(
        [*COMMAND, "--port", str(port), "--api-port", str(api_port), *more],
        env=os.environ
        | {"MODEL_DIR": str(model_dir), "VITRINE_ROOT": str(model_dir)}
        | environment,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to another process")
def test_both_start_without_the_data_set_tell_where_and_stop_together(model_dir):
    port, api_port = free_ports()
    process = start(model_dir, port, api_port, "--model", str(model_dir), MODEL_DIR="nothing")
    try:
        said = [process.stderr.readline() for _ in range(2)]
        page = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=30)
        ready = httpx.get(f"http://127.0.0.1:{api_port}/readyz", trust_env=False)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(40)
    process.stderr.close()

    assert f"open http://127.0.0.1:{port} in a browser" in said[1]
    assert ready.status_code == 200
    assert "catalogue synthétique" in page.text
    assert code == 0
    assert not listens(port) and not listens(api_port)


@pytest.mark.parametrize("taken", ["port", "api_port"])
def test_a_port_that_is_taken_is_told_before_anything_starts(model_dir, taken):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        number = busy.getsockname()[1]
        ports = dict(zip(("port", "api_port"), free_ports(), strict=True)) | {taken: number}

        process = start(model_dir, **ports)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 2
    assert errors.startswith(f"vitrine: expected the port {number} of 127.0.0.1 to be free")
    assert len(errors.splitlines()) == 1


def test_one_port_for_both_is_refused_before_anything_starts():
    [port, _], told = free_ports(), []

    with pytest.raises(SettingsError, match=f"another for the service, found {port} for both"):
        supervisor.run(port=port, api_port=port, tell=told.append)

    assert told == []


def test_a_service_that_cannot_start_takes_the_page_down_with_its_own_message(tmp_path):
    port, api_port = free_ports()

    process = start(tmp_path, port, api_port)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "expected model.json in the model folder" in errors
    assert "expected the service to go on, found it stopped with exit code 2" in errors
    assert not listens(port)


def test_one_that_stops_later_takes_the_other_down_and_gives_its_exit_code(monkeypatch):
    port, api_port = free_ports()
    code = {"vitrine.serving": "import sys; sys.exit(3)", "vitrine.serving.ui": "input()"}
    started, popen = [], subprocess.Popen

    def stand_in(command, **options):
        started.append(popen([sys.executable, "-c", code[command[-1]]], stdin=subprocess.PIPE))
        return started[-1]

    monkeypatch.setattr(supervisor.subprocess, "Popen", stand_in)
    monkeypatch.setattr(supervisor, "wait_until", lambda *_: None)
    handler = signal.getsignal(signal.SIGTERM)

    with pytest.raises(
        supervisor.SupervisorError, match="the service to go on.*exit code 3"
    ) as caught:
        supervisor.run(port=port, api_port=api_port, tell=lambda _: None)

    assert caught.value.exit_code == 3
    assert [process.poll() is not None for process in started] == [True, True]
    assert signal.getsignal(signal.SIGTERM) is handler
    for process in started:
        process.stdin.close()
