"""A tracked file that git does not have whole is told by its name, in a sentence, to any reader."""

import re
import shutil

import pytest

from vitrine import paths
from vitrine.book import ledger_view, measurements, sources
from vitrine.data import tracked
from vitrine.data.tracked import TrackedError
from vitrine.report import ledger
from vitrine.report.ledger import context, service, teaching, training

RUN = "runs/majority/seed-0/run.json"
FACTS, BUDGET = ("data/facts/images.csv", "data/facts/pairs.csv"), "runs/bench/budget.json"
READERS = {
    "runs/ledger.json": ledger_view.refused,
    "runs/bench/serving.json": lambda: list(service.values()),
    "runs/bench/peers.json": lambda: list(service.values()),
    "runs/bench/model-folds.json": lambda: list(service.values()),
    "runs/bench/training.json": lambda: list(training.values()),
    "runs/bench/ssm.json": lambda: list(teaching.values()),
    "runs/bench/scan.json": lambda: list(teaching.values()),
    BUDGET: lambda: measurements.commands(paths.root()),
    RUN: lambda: measurements.trainings(paths.root()),
    "_toc.yml": sources.names,
    "ressources/mambavision_ablations.csv": lambda: list(teaching.values()),
    "ressources/prior_poc.csv": context.values,
    "ressources/goals.csv": context.values,
    "src/vitrine/serving/models/efficientnet-lite0/model.json": lambda: list(service.values()),
    "src/vitrine/serving/models/mambavision/model.json": lambda: list(service.values()),
    "ressources/prior_trial.csv": context.values,
    **dict.fromkeys(FACTS, context.values),
}
DAMAGES = (
    lambda text: "",
    lambda text: text[: text.index("\n") + 2],  # cut
    lambda text: "<<<<<<< ours\n" + text,  # two branches that met
    lambda text: {"{": "{}", "f": "a: 1"}.get(text[0], "a,b\n1,2\n"),  # another content
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Return a root with these files alone, and the split."""
    for name in (*READERS, "data/splits/published.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.root() / name, tmp_path / name)
    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("name", "read"), READERS.items(), ids=READERS)
def test_a_damaged_file_is_named_by_whatever_reads_it(root, name, read):
    whole = (root / name).read_text(encoding="utf-8")

    for damage in DAMAGES:
        (root / name).write_text(damage(whole), encoding="utf-8")
        with pytest.raises(TrackedError) as refusal:
            read()
        told = rf"expected {re.escape(name)} whole, found [^;\n]+; restore it with git"
        assert re.fullmatch(told, str(refusal.value))


# Of facts, the command that makes them is told too; durations and runs may be absent.
@pytest.mark.parametrize("name", sorted(READERS.keys() - {BUDGET, RUN, *FACTS}))
def test_a_lost_file_is_named_too(root, name):
    (root / name).unlink()

    with pytest.raises(TrackedError, match=f"^expected {name} whole, found no such file; restore"):
        READERS[name]()


def test_the_check_of_the_ledger_names_one_that_is_damaged(root, monkeypatch):
    monkeypatch.setattr(ledger, "compute", dict)
    (root / "runs" / "ledger.json").write_text("{\n<<<<<<< ours\n")

    with pytest.raises(TrackedError, match=r"runs/ledger\.json whole, found no JSON from line 2"):
        ledger.check()


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.json", b'{"a": 1,\n', "no JSON from line 2 on"),
        ("a.json", b"[1]", "no object with fields"),
        ("a.json", b"{}", "no field a"),
        ("a.json", b"\xff\xfe", "bytes that are no text"),
        ("a.yml", b"a: 1\nb: [", "no YAML from line 2 on"),
        ("a.yml", b"a: \x00", "no YAML from line 1 on"),
        ("a.yml", b"- 1", "no object with fields"),
        ("a.csv", b"", "no table"),
        ("a.csv", b'a,b\n"1,2\n', "no table"),
        ("a.csv", b"a,b\n1,2\n3\n", "line 3 cut, or of another table"),
        ("a.csv", b"a,b\n1,2\n3,4", "line 3 cut, or of another table"),
        ("a.csv", b"b,c\n1,2\n", "no column a"),
    ],
)
def test_what_is_wrong_is_said_without_the_words_of_a_parser(tmp_path, name, content, found):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(TrackedError) as refusal:
        tracked.read(name, ("a",), root=tmp_path)

    assert str(refusal.value) == f"expected {name} whole, found {found}; restore it with git"


def test_a_whole_file_is_given_as_it_is(tmp_path):
    (tmp_path / "a.json").write_text('{"a": [1]}')
    (tmp_path / "a.yml").write_text("a: [1]")
    (tmp_path / "a.csv").write_text('a,b\n1,"two, or 2"\n')

    table = tracked.read("a.csv", ("a", "b"), root=tmp_path)

    assert tracked.read("a.json", root=tmp_path) == tracked.read("a.yml", root=tmp_path)
    assert table.to_dict("records") == [{"a": 1, "b": "two, or 2"}]
