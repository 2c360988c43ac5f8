"""What the Dockerfiles say is checked here; what the images do, in test_rehearsal."""

import re
from functools import cache
from importlib.metadata import packages_distributions
from modulefinder import ModuleFinder
from pathlib import Path, PurePosixPath

import pytest
import rehearse

ROOT = Path(__file__).resolve().parents[2]
IMAGES = {image.name: image for image in rehearse.IMAGES}


@pytest.fixture(params=IMAGES)
def image(request):
    return request.param


@pytest.fixture
def text(image):
    return described(image)


def described(image) -> str:
    """Return the Dockerfile of an image, without comments, one instruction a line."""
    written = (ROOT / "deploy" / f"Dockerfile.{image}").read_text()
    return re.sub(r"\s*\\\n\s*", " ", re.sub(r"^#.*\n", "", written, flags=re.M))


def sources(image) -> set[str]:
    """Return the modules of vitrine that an image takes, folders opened."""
    paths = [ROOT / "src" / name for name in rehearse.sources(image)]
    found = {file for p in paths for file in (p.rglob("*.py") if p.is_dir() else [p])}
    return {p.relative_to(ROOT).as_posix() for p in found if p.suffix == ".py"}


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


def libraries(entry: str) -> list[set[str]]:
    """Return what is installed by the names, other than ours, that an entry point imports.

    Several distributions may share a name, such as ``opentelemetry``: any of them may be meant.
    """
    names = {name.partition(".")[0] for name in finder(entry).badmodules}
    holders = packages_distributions()
    return [{re.sub("_", "-", one).lower() for one in holders.get(name, ())} for name in names]


def test_image_holds_exactly_the_modules_that_it_imports(image):
    needed = imported(f"{IMAGES[image].module}.__main__")

    held = sources(image)

    assert len(needed) > 5
    assert held == needed


def test_image_holds_each_file_that_its_modules_read_beside_them(image):
    taken = [ROOT / "src" / name for name in rehearse.sources(image)]
    modules = [ROOT / name for name in sources(image)]

    named = {
        module.parent / name
        for module in modules
        for name in re.findall(r'"([a-z_]+\.(?:toml|css|js))"', module.read_text(encoding="utf-8"))
    }
    read = {file for file in named if file.is_file()}

    assert read
    assert [f for f in read if not any(f == p or p in f.parents for p in taken)] == []


def test_each_source_lands_where_it_lies(text):
    copies = re.findall(r"^COPY (src/.*) (\S+)/$", text, re.M)
    places = [(name, target) for names, target in copies for name in names.split()]

    folders = [
        (name.rstrip("/") if name.endswith("/") else str(PurePosixPath(name).parent), target)
        for name, target in places
    ]

    assert len(folders) == text.count(" src/")
    assert [folder for folder, target in folders if folder != f"src/{target}"] == []


def test_image_holds_every_library_that_its_modules_import(image):
    lock = (ROOT / "requirements" / f"{image}.txt").read_text()
    locked = set(re.findall(r"^([\w.\-]+)==", lock, re.M))
    everything = (ROOT / "requirements" / "all.txt").read_text()
    known = set(re.findall(r"^([\w.\-]+)==", everything, re.M))

    named = [owners & known for owners in libraries(f"{IMAGES[image].module}.__main__")]

    assert sum(map(bool, named)) > 5
    absent = [owners for owners in named if owners and not owners & locked]
    assert absent == [], "add them to the extra, then `make lock`"


def test_both_images_start_from_one_base_that_cannot_change():
    bases = {base for name in IMAGES for base in re.findall(r"^FROM (\S+)", described(name), re.M)}

    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11[\w.\-]*@sha256:[0-9a-f]{64}", bases.pop())


def test_packages_come_from_the_lock_by_their_hashes(image, text):
    commands = re.findall(r"^RUN (.*)$", text, re.M)

    assert commands[:3] == [
        "pip install --no-cache-dir --require-hashes -r uv.txt",
        "uv venv /app/.venv",
        f"uv pip sync --python /app/.venv --require-hashes {image}.txt",
    ]
    assert [command.split()[0] for command in commands[3:]] == ["useradd"]
    assert f"COPY requirements/uv.txt requirements/{image}.txt ./" in text


def test_image_runs_as_somebody_who_owns_nothing(text):
    final = text.rpartition("\nFROM ")[2]

    assert re.findall(r"^USER (.*)$", final, re.M) == [rehearse.USER]
    assert f"useradd --uid {rehearse.USER} " in final


def test_image_starts_what_the_rehearsal_starts_without_a_shell_between(image, text):
    wanted = IMAGES[image]

    assert text.splitlines()[-1] == f'CMD ["python", "-m", "{wanted.module}"]'
    assert f'CMD ["python", "/app/health.py", "{wanted.health}"]' in text
    assert "COPY deploy/health.py ./" in text


def test_interface_asks_nothing_of_other_sites():
    text = described("ui")

    assert "GRADIO_ANALYTICS_ENABLED=False" in text
    assert "HF_HUB_OFFLINE=1" in text and "DO_NOT_TRACK=1" in text


def test_build_context_holds_what_the_images_copy_and_nothing_private(text):
    first, *rules = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in "#"
    ]
    let_in = tuple(rule.removeprefix("!") for rule in rules if rule.startswith("!"))

    copied = re.findall(r"\b(?:src|deploy|requirements|ressources)/\S+", text.split("ARG")[0])

    assert first == "*" and rules[-1] == "**/__pycache__"
    assert len(copied) > 5 and all(name.startswith(let_in) for name in copied)
    assert set(let_in) == {
        "deploy/health.py", "requirements/api.txt", "requirements/ui.txt", "requirements/uv.txt",
        "ressources/pictures", "src/vitrine",
    }  # fmt: skip
