import pytest

from vitrine import paths

OURS = '[project]\nname = "vitrine"\n'


@pytest.mark.parametrize(
    "other",
    [b"", b"[project", b"\xff\xfe", b"project = 3\n", b"[tool.x]\n", b'[project]\nname = "x"\n'],
    ids=["empty", "cut", "binary", "number", "tools", "named"],
)
def test_the_root_is_found_above_a_project_of_somebody_else(tmp_path, monkeypatch, other):
    (tmp_path / "pyproject.toml").write_text(OURS)
    inside = tmp_path / "theirs" / "src"
    inside.mkdir(parents=True)
    (inside.parent / "pyproject.toml").write_bytes(other)
    monkeypatch.delenv("VITRINE_ROOT", raising=False)
    monkeypatch.chdir(inside)

    assert paths.root() == tmp_path


@pytest.mark.parametrize(
    ("place", "found"),
    [("nowhere", "found no such folder at"), ("", "found a folder without its pyproject.toml at")],
)
def test_a_root_that_is_no_clone_is_told(place, found, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path / place))

    with pytest.raises(FileNotFoundError, match=f"VITRINE_ROOT to be a clone of vitrine, {found}"):
        paths.require_clone()

    (tmp_path / "pyproject.toml").write_text(OURS)
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))
    paths.require_clone()


def test_what_is_made_again_lies_apart_from_what_is_published(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))

    assert paths.runs() == tmp_path / "runs"
    assert paths.retrained() == tmp_path / "build" / "retrain"


def test_outside_of_a_clone_the_sentence_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.delenv("VITRINE_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "paths.py"))

    with pytest.raises(FileNotFoundError, match="found no pyproject.toml of it upwards of"):
        paths.root()
