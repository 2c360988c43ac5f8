"""Tell whether an executed notebook is fresh: what it depended on, and what changed since.

A stamp is stored in the metadata of an executed notebook. It holds digests, of: the code cells,
the vitrine modules that the kernel imported, the tracked files that it read, the locked versions
of our dependencies that it imported, the parameters, the profile and the photos switch. Markdown,
captions and tags are prose: they can change without an execution. The versions that ran, among
those that the lock has for several Pythons, are noted for the reader and compared with nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from vitrine.book import dependencies, sources
from vitrine.book.dependencies import digest

__all__ = ["KEY", "State", "Verdict", "code_cells", "is_injected", "make", "renew", "state"]

KEY = "vitrine"
"""Name of the stamp in the metadata of a notebook."""

_FACTS = ("schema", "profile", "parameters", "photos", "code", "modules", "files", "versions")


class State(StrEnum):
    """How an executed notebook stands to its source."""

    FRESH = "fresh"
    """Executing it again would change nothing."""
    PROSE = "prose-only"
    """Its text changed, its code and inputs did not: the text can be refreshed in place."""
    STALE = "stale"
    """Its code, or something it depends on, changed since; or it was never executed."""
    HOLLOW = "hollow"
    """It carries a stamp, but not the outputs that the stamp was made for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of a notebook, and why, in words that complete "because"."""

    state: State
    reason: str


def make(
    notebook: NotebookNode,
    *,
    profile: str,
    parameters: Mapping[str, object],
    photos: bool,
    log: Iterable[str],
) -> dict[str, object]:
    """Return the stamp of a notebook that has just been executed.

    Args:
        notebook: The executed notebook.
        profile: Profile it ran in.
        parameters: Parameters given, beyond the defaults.
        photos: Whether original photos were shown.
        log: What the kernel read and imported, as ``recorder`` notes it.
    """
    named = dependencies.named(log)
    facts = _facts(notebook, profile, parameters, photos, named)
    facts["stamp"] = digest(facts, length=64)
    facts["ran"] = dependencies.installed(facts["versions"])
    return renew(facts, notebook)


def renew(stamp: Mapping[str, object], notebook: NotebookNode) -> dict[str, object]:
    """Return the stamp of the same execution, for a notebook whose text changed."""
    return dict(stamp) | {"prose": _prose(notebook), "outputs": _outputs(notebook)}


def state(
    source: Path,
    output: Path,
    *,
    profile: str = "published",
    parameters: Mapping[str, object] | None = None,
    photos: bool = False,
) -> Verdict:
    """Compare an executed notebook with its source and with all that its stamp names.

    Args:
        source: The ``.py`` file.
        output: The executed ``.ipynb``; it may be absent.
        profile: Profile in which it would run now.
        parameters: Parameters it would be given now.
        photos: Whether it would show original photos now.
    """
    try:
        executed = nbformat.read(output, as_version=4)
    except FileNotFoundError:
        return Verdict(State.STALE, "it was never executed")
    except Exception:  # nbformat lets through whatever a broken file provokes
        return Verdict(State.STALE, f"{output.name} is not a readable notebook")
    stamp = executed.metadata.get(KEY)
    if not isinstance(stamp, Mapping) or set(_FACTS) - set(stamp):
        return Verdict(State.STALE, "it carries no stamp")
    if any(cell.execution_count is None for cell in code_cells(executed)):
        return Verdict(State.HOLLOW, "a code cell was never executed")
    if stamp.get("outputs") != _outputs(executed):
        return Verdict(State.HOLLOW, "its outputs are not those of its execution")
    now = sources.read(source)
    facts = _facts(now, profile, parameters or {}, photos, stamp)
    changed = [fact for fact in _FACTS if digest(stamp[fact]) != digest(facts[fact])]
    if "code" not in changed and facts["code"] != _code(executed):
        line = _line_in_pair(output, now, executed, code=True)
        return Verdict(State.STALE, f"its code was edited by hand, at line {line} of {output.name}")
    if changed:
        reasons = [_explain(fact, stamp[fact], facts[fact]) for fact in changed]
        if "code" in changed:
            line = _line_in_source(source, now, executed, code=True)
            place = f"its code changed, from line {line} of {source.name}"
            reasons[changed.index("code")] = place
        return Verdict(State.STALE, "; ".join(reasons))
    if stamp.get("prose") != _prose(now):
        line = _line_in_source(source, now, executed, code=False)
        reason = f"its text or captions changed, from line {line} of {source.name}"
        return Verdict(State.PROSE, reason)
    if _prose(now) != _prose(executed):
        line = _line_in_pair(output, now, executed, code=False)
        return Verdict(State.PROSE, f"its text was edited by hand, at line {line} of {output.name}")
    return Verdict(State.FRESH, "nothing it depends on changed")


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells that an execution must number: code that is not blank."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def _facts(
    notebook: NotebookNode,
    profile: str,
    parameters: Mapping[str, object],
    photos: bool,
    named: Mapping[str, Iterable[str]],
) -> dict[str, object]:
    return {
        "schema": 2,
        "profile": profile,
        "parameters": json.loads(json.dumps(dict(parameters), default=str)),
        "photos": photos,
        "code": _code(notebook),
        **dependencies.digests(named),
    }


def _own_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in code_cells(notebook) if not is_injected(cell)]


def _code(notebook: NotebookNode) -> str:
    return digest([cell.source for cell in _own_cells(notebook)])


def _explain(fact: str, before: object, after: object) -> str:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        changed = [k for k in sorted({*before, *after}) if before.get(k) != after.get(k)]
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        return f"{fact} changed: {', '.join(changed[:NAMED])}{more}"
    return f"{fact} was {before}, is {after}"


def _prose(notebook: NotebookNode) -> str:
    return digest([_spoken(c) for c in notebook.cells if not is_injected(c)])


def _outputs(notebook: NotebookNode) -> str:
    return digest([cell.outputs for cell in code_cells(notebook)])


NAMED = 3
"""Names of what changed that a reason gives; it counts the others."""
_IGNORED = {"papermill", "execution", "jupyter"}


def is_injected(cell: NotebookNode) -> bool:
    """Tell whether papermill added a cell, to give parameters."""
    return "injected-parameters" in cell.metadata.get("tags", [])


def _spoken(cell: NotebookNode) -> list[Any]:
    """Return what a page shows of a cell but code and outputs: its kind, text and captions."""
    metadata = {k: v for k, v in cell.metadata.items() if k not in _IGNORED}
    return [cell.cell_type, "" if cell.cell_type == "code" else cell.source, metadata]


def _line_in_source(source: Path, now: NotebookNode, executed: NotebookNode, *, code: bool) -> int:
    """Return the line of a source where its code, or else its text, first differs."""
    starts = dict(zip((c["id"] for c in now.cells), sources.first_lines(source), strict=True))
    for name, _, place in _differences(now, executed, code=code):
        return starts[name] + place
    return len(source.read_text(encoding="utf-8").splitlines())  # cells are gone


def _line_in_pair(pair: Path, now: NotebookNode, executed: NotebookNode, *, code: bool) -> int:
    """Return the line of an executed ``.ipynb`` that is not what its source gave it."""
    text = pair.read_text(encoding="utf-8").splitlines()
    for _, strange, _ in _differences(executed, now, code=code):
        written = json.dumps(strange, ensure_ascii=False)[1:-1]
        return next((n for n, line in enumerate(text, start=1) if written in line), 1)
    return 1  # cells are gone


def _differences(
    one: NotebookNode, other: NotebookNode, *, code: bool
) -> Iterator[tuple[str, str, int]]:
    """Yield the cells of ``one`` that differ: name, first line that does, its place in the cell."""
    pairs = zip_longest(_lines(one, code=code), _lines(other, code=code), fillvalue=("", []))
    for (name, lines), (_, old) in pairs:
        if lines and lines != old:
            same = takewhile(lambda pair: pair[0] == pair[1], zip(lines, old, strict=False))
            place = min(len(list(same)), len(lines) - 1)
            yield name, lines[place], place


def _lines(notebook: NotebookNode, *, code: bool) -> list[tuple[str, list[str]]]:
    """Return the name and the lines of each cell compared; the first stands for its ``# %%``."""
    found = []
    for cell in notebook.cells:
        if is_injected(cell) or (code and (cell.cell_type != "code" or not cell.source.strip())):
            continue
        if code:
            lines = ["", *cell.source.splitlines()]
        else:
            _, text, metadata = _spoken(cell)
            lines = [json.dumps(metadata, sort_keys=True), *text.splitlines()]
        found.append((cell.get("id", ""), lines))
    return found
