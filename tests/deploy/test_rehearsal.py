"""The rehearsal installs, starts and asks each image, and tells each way in which it can fail."""

import sys

import pytest
import rehearse

SERVER = """
import http.server, os, signal, sys
from vitrine.way import WAY as way
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
if way == "dies":
    sys.exit("no model")
if way == "stays":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if way == "fails":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(3))
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
UV = """
folder = pathlib.Path(sys.argv[2], "bin")
if sys.argv[1] == "venv":
    folder.mkdir(parents=True)
    (folder / "python").symlink_to({python!r})
elif "--require-hashes" not in sys.argv or "--hash" not in open(sys.argv[-1]).read():
    sys.exit("no hash")
"""
HEALTH = "import sys; sys.exit({said!r})"


@pytest.fixture
def small(tmp_path, monkeypatch, command):
    """Return a way to describe a small image, made of a repository of its own."""
    monkeypatch.setattr(rehearse, "REPOSITORY", tmp_path)
    command("uv", UV.format(python=sys.executable))
    for folder in ("deploy", "requirements", "src/vitrine"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "src" / "vitrine" / "__main__.py").write_text(SERVER)
    (tmp_path / "requirements" / "small.txt").write_text("x==1 --hash=sha256:0\n")
    (tmp_path / "deploy" / "Dockerfile.small").write_text("COPY src/vitrine/ vitrine/\n")

    def describe(way="serves", health=0, **changes):
        (tmp_path / "src" / "vitrine" / "way.py").write_text(f"WAY = {way!r}\n")
        (tmp_path / "deploy" / "health.py").write_text(HEALTH.format(said=health))
        asked = {"name": "small", "module": "vitrine", "health": "/", "probe": lambda _: "well",
                 "megabytes": 1, "grace": 3.0}  # fmt: skip
        return rehearse.Tree(rehearse.Image(**asked | changes), tmp_path / "folder")

    return describe


def test_image_that_does_what_it_should_runs_and_stops(small, capsys):
    built = small()

    with rehearse.running(built) as address:
        assert address.startswith("http://127.0.0.1:")

    said = capsys.readouterr().out
    assert "healthy after" in said and "after SIGTERM" in said


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"way": "dies"}, "the server has stopped(.|\n)*no model"),
        ({"way": "stays", "grace": 0.3}, "expected it to stop within 0.3 s"),
        ({"way": "fails"}, "expected exit code 0 or SIGTERM, found 3"),
        ({"health": "unwell"}, "health check to pass, it said: unwell"),
        ({"module": "vitrine.absent"}, "the server has stopped(.|\n)*No module named"),
    ],
)
def test_server_that_fails_is_told(small, changes, told):
    built = small(**changes)

    with pytest.raises(rehearse.RehearsalError, match=told), rehearse.running(built):
        pass


def test_trouble_of_one_server_is_not_laid_on_the_one_it_talks_to(small):
    built = small()
    other = "of another\nThe server said:\nalas"

    with pytest.raises(rehearse.ServerError) as trouble, rehearse.running(built):
        raise rehearse.ServerError(other)

    assert str(trouble.value) == other


def test_tree_that_changed_while_it_ran_is_told(small):
    built = small()

    with pytest.raises(rehearse.RehearsalError, match="wrote into it"), rehearse.running(built):
        built.root.chmod(0o755)
        (built.root / "cache").write_text("")


def test_process_sees_the_variables_of_its_image_and_cannot_write_its_files(small, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "1")
    built = small()
    code = "import os; print(sorted(os.environ)); open('new', 'w')"

    ended, said = built.says("-c", code, API_URL="http://127.0.0.1:1")

    assert ended == 1
    assert "['API_URL', 'HOME', " in said and "SECRET" not in said
    assert "PermissionError" in said


def test_image_that_grew_is_told(small):
    built = small(megabytes=0)

    with pytest.raises(rehearse.RehearsalError, match="expected at most 0 MB"):
        rehearse._check_files(built)


def test_image_that_can_train_is_told(small, monkeypatch):
    built = small()
    monkeypatch.setattr(built, "says", lambda *_: (0, "torch"))

    with pytest.raises(rehearse.RehearsalError, match="found: torch"):
        rehearse._check_files(built)


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("requirements/small.txt", "x==1\n", "pip sync .*exit code 1(.|\n)*no hash"),
        ("deploy/Dockerfile.small", "COPY src/vitrine/gone.py x/\n", "vitrine/gone.py, which .*no"),
    ],
)
def test_package_or_source_that_cannot_be_had_is_told(small, tmp_path, file, content, told):
    (tmp_path / file).write_text(content)

    with pytest.raises(rehearse.RehearsalError, match=told):
        small()


def test_machine_without_uv_is_told(small, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(rehearse.RehearsalError, match="expected uv on the path or in .tools/bin"):
        small()


def test_folder_that_exists_is_not_built_over(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        rehearse.main(["--keep", str(tmp_path)])

    assert stop.value.code == 2
    assert "expected a new folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_both_images_do_what_they_should(monkeypatch, capsys):
    monkeypatch.setenv("UV_COMPILE_BYTECODE", "0")  # `make rehearse` compiles; here it is time lost

    code = rehearse.main([])

    said = capsys.readouterr()
    assert code == 0, said.err
    assert "refuses a text" in said.out and "7 classes of its first sample" in said.out
