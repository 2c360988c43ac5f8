"""The rehearsal follows the Dockerfiles, and tells each way in which an image can fail."""

import sys
from pathlib import Path

import dockerfile
import pytest
import rehearse
import tree

ROOT = Path(__file__).resolve().parents[2]
SERVER = """
import http.server, os, signal, sys
way = sys.argv[1]
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
RECIPE = """
FROM base AS build
WORKDIR /build
COPY wanted.txt ./
RUN uv venv /app/.venv
FROM base
WORKDIR /app
COPY --from=build /app/.venv /app/.venv
COPY server.py ./
ENV PATH=/app/.venv/bin:$PATH PORT=1
USER 10001
HEALTHCHECK CMD ["{python}", "-c", "{health}"]
CMD ["{python}", "-IS", "server.py", "{way}"]
"""


@pytest.fixture
def small(tmp_path, monkeypatch, command):
    """Return a way to describe a small image, made of a repository of its own."""
    monkeypatch.setattr(tree, "REPOSITORY", tmp_path)
    monkeypatch.setattr(rehearse, "HERE", tmp_path)
    command("uv", "pathlib.Path(sys.argv[2], 'bin').mkdir(parents=True)")
    (tmp_path / ".dockerignore").write_text("*\n!server.py\n!wanted.txt\n")
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "wanted.txt").write_text("nothing\n")

    def describe(way="serves", health="", **changes):
        text = RECIPE.format(python=sys.executable, way=way, health=health)
        (tmp_path / "Dockerfile.small").write_text(text)
        asked = {"name": "small", "probe": lambda _: "well", "megabytes": 1, "grace": 3.0}
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
        ({"health": "raise SystemExit('unwell')"}, "health check to pass, it said: unwell"),
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
        (built.root / "app").chmod(0o755)
        (built.root / "app" / "cache").write_text("")


def test_process_sees_the_variables_of_its_image_and_cannot_write_its_files(small, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "1")
    built = small()
    code = "import os; print(sorted(os.environ)); open('new', 'w')"

    ended, said = built.says([sys.executable, "-c", code], API_URL="http://127.0.0.1:1")

    assert ended == 1
    assert "['API_URL', 'HOME', " in said and "'PORT', 'TMPDIR']" in said
    assert "SECRET" not in said
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
    ("line", "told"),
    [
        ("RUN apt-get install curl", "the rehearsal has no way to do this"),
        ("RUN uv venv", "exit code 2. Without a network(.|\n)*no index"),
        ("COPY absent.txt ./", "there is no such file"),
        ("COPY secret.txt ./", ".dockerignore keeps it out"),
        ("COPY server.py /app", "expected a folder, with a / at its end"),
    ],
)
def test_step_that_does_not_work_out_is_told(small, tmp_path, command, line, told):
    command("uv", "print('no index', file=sys.stderr); sys.exit(2)")
    (tmp_path / "secret.txt").write_text("")
    path = tmp_path / "Dockerfile"
    path.write_text(f"FROM base\nWORKDIR /app\n{line}\n")

    with pytest.raises(tree.BuildError, match=told):
        tree.build(dockerfile.read(path), tmp_path / "trees")


def test_machine_without_uv_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "REPOSITORY", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "Dockerfile"
    path.write_text("FROM base\nRUN uv venv\n")

    with pytest.raises(tree.BuildError, match="expected uv on the path or in .tools/bin"):
        tree.build(dockerfile.read(path), tmp_path / "trees")


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("/app/.venv/bin:$PATH", "T/app/.venv/bin:$PATH"),
        ("uv venv /app/.venv", "uv venv T/app/.venv"),
        ("/app", "T/app"),
        ("/srv/app/x", "/srv/app/x"),
        ("http://api:8000/app2", "http://api:8000/app2"),
    ],
)
def test_only_paths_of_the_image_are_moved(text, moved):
    assert tree.in_tree(text, Path("T")) == moved


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("src/vitrine/a.py", True),
        ("src/vitrine/deep/b.py", True),
        ("src/vitrine/deep/__pycache__/b.pyc", False),
        ("src/other.py", False),
        ("data/photo.jpg", False),
    ],
)
def test_last_rule_that_names_a_file_or_a_folder_above_it_decides(path, allowed):
    rules = ["*", "!src/vitrine", "**/__pycache__"]

    assert tree.kept(path, rules) is allowed


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
