"""Write the foot of every page: version, newest run cited, documents, how to cite and to report.

The address of the repository is one key of ``_config.yml``, ``vitrine_repository``: links that need
it appear only where it is set.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx

from vitrine.book import downloads, stamps, wording
from vitrine.book.roles import LedgerText
from vitrine.report.fr import space

__all__ = ["newest", "setup"]

_SHORT = 7
"""Characters shown of a commit."""
_NO_ADDRESS = (
    "Signaler une erreur : un ticket dans le dépôt d’où vient cette copie, avec la phrase en cause."
)


def setup(app: Sphinx) -> None:
    """Register the address of the repository and what the template of the foot prints."""
    app.add_config_value("vitrine_repository", "", "html", [str])
    app.connect("html-page-context", _tell, priority=100)  # the theme renders the foot to try it


def newest(root: Path, runs: Iterable[str]) -> str:
    """Write the day and the commit of the newest of these runs; nothing where none has a file.

    Args:
        root: The repository, or its staged copy.
        runs: Names, such as ``majority/seed-0``, pretrainings included.
    """
    folders = (root / "runs", root / "runs" / "pretrain")
    files = {folder / run / "run.json" for run in runs for folder in folders}
    known = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    if not known:
        return ""
    last = max(known, key=lambda run: (run["timing"]["started"], run["code"]["commit"]))
    day = wording.day(datetime.fromisoformat(last["timing"]["started"]).date())
    return f"{day}, commit {last['code']['commit'][:_SHORT]}"


def _tell(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    root, address = Path(app.srcdir), app.config.vitrine_repository.rstrip("/")
    run = newest(root, [] if doctree is None else _cited(app, page, doctree))
    lines = [f"Exécution la plus récente citée sur cette page : {run}."] if run else []
    context["foot"] = {
        "lines": [space(line) for line in [*_citation(app), *lines]],
        "documents": downloads.linked(app.env),
        "outside": _outside(address, page, notebook=_is_notebook(app, page)),
        "report": "" if address else space(_NO_ADDRESS),
    }


def _citation(app: Sphinx) -> list[str]:
    """Return how to cite the book, as ``CITATION.cff`` says, where there is one."""
    file = Path(app.srcdir) / "CITATION.cff"
    if not file.is_file():
        return []
    about = yaml.safe_load(file.read_text(encoding="utf-8"))
    title, version = about["title"], about["version"]
    return [f"Pour citer ce livre : {app.config.author}, « {title} », version {version}."]


def _is_notebook(app: Sphinx, page: str) -> bool:
    return page in app.env.found_docs and app.env.doc2path(page).endswith(".ipynb")


def _cited(app: Sphinx, page: str, doctree: nodes.document) -> Iterator[str]:
    """Yield the runs that the numbers of a page come from, and those that its notebook read."""
    for number in doctree.findall(LedgerText):
        yield from number.get("runs", ())
    if _is_notebook(app, page):
        notebook = json.loads(Path(app.env.doc2path(page)).read_text(encoding="utf-8"))
        for file in notebook["metadata"].get(stamps.KEY, {}).get("files", {}):
            if file.startswith("runs/") and file.endswith("/run.json"):
                yield file.removeprefix("runs/").removesuffix("/run.json")


def _outside(address: str, page: str, *, notebook: bool) -> list[tuple[str, str]]:
    """Return the links that need the address of the repository, with their texts."""
    if not address:
        return []
    links = [("Le dépôt", address), ("Signaler une erreur", f"{address}/issues/new")]
    host, _, place = address.removeprefix("https://").partition("/")
    if notebook and host == "github.com":
        links += [
            ("Ouvrir dans Colab",
             f"https://colab.research.google.com/github/{place}/blob/main/{page}.ipynb"),
            ("Ouvrir dans Binder",
             f"https://mybinder.org/v2/gh/{place}/main?labpath={page}.ipynb"),
        ]  # fmt: skip
    return links
