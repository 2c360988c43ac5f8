"""What the images are: their description is checked here, their content in test_rehearsal."""

import re
from functools import cache
from importlib.metadata import packages_distributions
from modulefinder import ModuleFinder
from pathlib import Path

import dockerfile
import pytest
import tree

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ("api", "ui")
ENTRIES = {"api": "vitrine.serving.__main__", "ui": "vitrine.serving.ui.__main__"}


@pytest.fixture(params=IMAGES)
def image(request):
    return request.param


@pytest.fixture
def described(image):
    return dockerfile.read(ROOT / "deploy" / f"Dockerfile.{image}")


def sources(described) -> set[str]:
    """Return the modules of vitrine that an image takes, folders opened."""
    found = set()
    for name in described.context:
        path = ROOT / name
        found |= set(path.rglob("*.py")) if path.is_dir() else {path}
    return {p.relative_to(ROOT).as_posix() for p in found if p.suffix == ".py"} - {
        "deploy/health.py"
    }


@cache
def finder(entry: str) -> ModuleFinder:
    """Follow the imports of an entry point through our sources, those of functions included."""
    found = ModuleFinder(path=[str(ROOT / "src")])
    found.import_hook(entry)
    return found


def imported(entry: str) -> set[str]:
    """Return the source files that an entry point reaches by imports."""
    files = [Path(m.__file__) for m in finder(entry).modules.values() if m.__file__]
    return {file.relative_to(ROOT).as_posix() for file in files}


def libraries(entry: str) -> set[str]:
    """Return the distributions, other than ours, that an entry point imports."""
    names = {name.partition(".")[0] for name in finder(entry).badmodules}
    holders = packages_distributions()
    return {re.sub("_", "-", owner).lower() for name in names for owner in holders.get(name, ())}


def test_image_holds_exactly_the_modules_that_it_imports(image, described):
    needed = imported(ENTRIES[image])

    held = sources(described)

    assert len(needed) > 5
    assert held == needed


def test_image_holds_every_library_that_its_modules_import(image):
    lock = (ROOT / "requirements" / f"{image}.txt").read_text()
    locked = set(re.findall(r"^([\w.\-]+)==", lock, re.M))
    everything = (ROOT / "requirements" / "all.txt").read_text()
    known = set(re.findall(r"^([\w.\-]+)==", everything, re.M))

    named = libraries(ENTRIES[image]) & known

    assert named - locked == set(), "add them to the extra, then `make lock`"


def test_image_starts_from_a_base_that_cannot_change(described):
    bases = {stage.base for stage in described.stages}

    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11[\w.\-]*@sha256:[0-9a-f]{64}", bases.pop())


def test_both_images_start_from_the_same_base():
    api, ui = (dockerfile.read(ROOT / "deploy" / f"Dockerfile.{name}") for name in IMAGES)

    assert api.final.base == ui.final.base


def test_packages_come_from_the_lock_by_their_hashes(image, described):
    build, final = described.stages

    commands = [step for step in build.steps if isinstance(step, str)]

    assert commands == [
        "pip install --no-cache-dir --require-hashes -r uv.txt",
        "uv venv /app/.venv",
        f"uv pip sync --python /app/.venv --require-hashes {image}.txt",
    ]
    assert not any(" pip " in step for step in final.steps if isinstance(step, str))


def test_image_runs_as_somebody_who_owns_nothing(described):
    final = described.final

    assert final.user == "10001"
    assert f"--uid {final.user}" in " ".join(s for s in final.steps if isinstance(s, str))


def test_image_says_whether_it_is_well_and_starts_without_a_shell_between(described):
    assert described.final.health[:2] == ["python", "/app/health.py"]
    assert described.final.command[0] == "python"


def test_interface_asks_nothing_of_other_sites():
    environment = dockerfile.read(ROOT / "deploy" / "Dockerfile.ui").final.environment

    assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert environment["HF_HUB_OFFLINE"] == environment["DO_NOT_TRACK"] == "1"


def test_build_context_holds_what_the_images_copy_and_nothing_private(described):
    rules = tree.rules()
    copied = [
        file.relative_to(ROOT).as_posix()
        for name in described.context
        for file in tree.files(ROOT / name)
        if "__pycache__" not in file.parts
    ]
    private = [
        ".git/config", ".venv/bin/python", "data/dataset.csv", "data/images/a.jpg",
        "deploy/compose.yaml", "runs/ledger.json", "requirements/all.txt", "README.md",
        "src/vitrine/serving/__pycache__/api.cpython-311.pyc",
    ]  # fmt: skip

    assert all(tree.kept(name, rules) for name in copied)
    assert not any(tree.kept(name, rules) for name in private)


def test_unknown_instruction_is_refused_rather_than_passed_over(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text("FROM scratch\nVOLUME /data\n")

    with pytest.raises(ValueError, match="found VOLUME, which the rehearsal cannot follow"):
        dockerfile.read(path)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "RUN true\nFROM scratch\n"])
def test_dockerfile_without_a_base_first_is_refused(tmp_path, text):
    path = tmp_path / "Dockerfile"
    path.write_text(text)

    with pytest.raises(ValueError, match=r"expected (at least one )?FROM"):
        dockerfile.read(path)


def test_instructions_are_read_as_docker_reads_them(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text(
        "FROM base@sha256:0 AS build\nCOPY a b/ ./\nRUN one \\\n    two\n"
        "FROM base@sha256:0\nARG REVISION=local\nENV A=1 \\\n    B=$REVISION\nWORKDIR /app\n"
        "COPY --chown=root:root --from=build /x /y\nUSER 7\n"
        'HEALTHCHECK --interval=3s CMD ["ask"]\nCMD ["go", "on"]\n'
    )

    build, final = dockerfile.read(path).stages

    assert (build.name, build.steps[1]) == ("build", "one two")
    assert build.steps[0].sources == ("a", "b/")
    assert final.environment == {"REVISION": "local", "A": "1", "B": "$REVISION"}
    assert (final.steps[0].origin, final.steps[0].target) == ("build", "/y")
    assert (final.user, final.health, final.command) == ("7", ["ask"], ["go", "on"])
