"""An image that is not well never stays in front of people."""

import http.server
import json
import threading
from contextlib import contextmanager

import pytest
import release

NEW = "docker.io/somebody/vitrine-ui@sha256:" + "a" * 64
OLD = "docker.io/somebody/vitrine-ui@sha256:" + "b" * 64
LINE = ["--app", "shop", "--group", "street", "--image", NEW, "--revision", "c0ffee"]

AZURE = """
state = pathlib.Path({state!r})
held = json.loads(state.read_text())
words = sys.argv[1:]
held["calls"].append(words)
if words[:4] == ["webapp", "config", "container", "set"]:
    held["image"] = words[words.index("--container-image-name") + 1]
elif words[:3] == ["webapp", "config", "show"] and held["image"]:
    print("DOCKER|" + held["image"])
elif words[:2] == ["webapp", "show"]:
    print("shop.example")
state.write_text(json.dumps(held))
"""


@pytest.fixture
def azure(command, tmp_path):
    """Return the state of a stand-in for Azure, behind a stand-in for its command line."""
    state = tmp_path / "azure.json"
    state.write_text(json.dumps({"image": OLD, "calls": []}))
    command("az", AZURE.format(state=str(state)))
    return state


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(release, "PAUSE", 0.02)


@contextmanager
def site(azure, wells):
    """Serve ``/healthz`` as the image of Azure would: 200 and its revision where it is well."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            image = json.loads(azure.read_text())["image"]
            self.send_response(200 if image in wells else 503)
            self.send_header("X-Vitrine-Revision", wells.get(image, "?"))
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(azure, wells, *more):
    with site(azure, wells) as address:
        line = [*LINE, "--address", address, "--seconds", "0.5", *more]
        return release.main(line)


def test_image_that_answers_with_its_revision_stays(azure, capsys):
    code = run(azure, {NEW: "c0ffee", OLD: "0ld"})

    assert code == 0
    assert json.loads(azure.read_text())["image"] == NEW
    assert "revision c0ffee answers" in capsys.readouterr().out


def test_image_that_does_not_answer_gives_way_to_the_former_one(azure, capsys):
    code = run(azure, {OLD: "0ld"})

    assert code == 1
    assert json.loads(azure.read_text())["image"] == OLD
    assert f"put back {OLD}, which answers" in capsys.readouterr().err


def test_answer_of_another_revision_is_not_taken_for_the_new_image(azure, capsys):
    code = run(azure, {NEW: "0ld", OLD: "0ld"})

    assert code == 1
    assert json.loads(azure.read_text())["image"] == OLD
    assert "status 200, revision 0ld" in capsys.readouterr().err


def test_former_image_that_fails_too_is_told(azure, capsys):
    code = run(azure, {})

    assert code == 1
    assert "does not answer either (status 503" in capsys.readouterr().err


def test_first_image_of_an_app_has_none_to_go_back_to(azure, capsys):
    azure.write_text(json.dumps({"image": "", "calls": []}))

    code = run(azure, {})

    assert code == 1
    assert "there is none to put back" in capsys.readouterr().err
    assert json.loads(azure.read_text())["image"] == NEW


@pytest.mark.parametrize("image", ["somebody/vitrine-ui:latest", "vitrine-ui", NEW[:-1], "@" + NEW])
def test_image_by_tag_is_refused_before_anything_is_asked(azure, capsys, image):
    with pytest.raises(SystemExit) as stop:
        release.main([*LINE[:5], image, *LINE[6:]])

    assert stop.value.code == 2
    assert "expected an image by digest" in capsys.readouterr().err
    assert json.loads(azure.read_text())["calls"] == []


def test_refusal_of_azure_is_told_in_its_words(command, capsys):
    command("az", "sys.exit('ERROR: the group street was not found')")

    code = release.main([*LINE, "--address", "http://127.0.0.1:1"])

    assert code == 1
    assert "az webapp config show" in (said := capsys.readouterr().err)
    assert "the group street was not found" in said


def test_machine_without_azure_is_told_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))

    code = release.main([*LINE, "--address", "http://127.0.0.1:1"])

    assert code == 1
    assert "expected the az command line, found none" in capsys.readouterr().err


def test_address_is_the_apps_own_over_https(azure):
    address = release.WebApp("shop", "street").address()

    assert address == "https://shop.example"
    assert json.loads(azure.read_text())["calls"][-1][-6:] == [
        "--name", "shop", "--resource-group", "street", "--output", "tsv"
    ]  # fmt: skip
