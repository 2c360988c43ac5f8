"""Check the parameters of a notebook in its kernel, and describe pictures by their pixels."""

import ast
import hashlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.lib.pretty import PrettyPrinter
    from PIL.Image import Image

__all__ = ["SessionError", "describe_pictures", "refuse_unknown_parameters"]


class SessionError(ValueError):
    """A profile or a parameter that does not exist, or data that the machine lacks."""


def refuse_unknown_parameters() -> None:
    """Refuse parameters that the notebook does not declare so, of which papermill only warns.

    It puts those given in a cell of their own, after that of the declared ones.
    """
    shell = _shell()
    declared: dict[str, ast.expr] = {}
    for cell in shell.user_ns.get("In", []) if shell else []:
        try:
            body = ast.parse(cell).body
        except SyntaxError:  # typed by hand and refused, in a notebook that is open
            continue
        assigned = {
            target.id: line.value
            for line in body
            if isinstance(line, ast.Assign)
            for target in line.targets
            if isinstance(target, ast.Name)
        }
        if cell.startswith("# Parameters\n"):
            _require_declared(assigned, declared)
        declared |= assigned


def _require_declared(given: Mapping[str, ast.expr], declared: Mapping[str, ast.expr]) -> None:
    if unknown := sorted(given.keys() - declared):
        raise SessionError(
            f"expected parameters among {', '.join(sorted(declared))}, found "
            f"{', '.join(unknown)}; correct the name given to papermill"
        )
    for name, value in given.items():
        try:
            usual, found = (ast.literal_eval(node) for node in (declared[name], value))
        except ValueError:  # computed
            continue
        if usual is not None and type(found) is not type(usual):
            raise SessionError(
                f"expected {name} of the type of {usual!r}, found {found!r}; correct the value "
                "given to papermill"
            )


def describe_pictures() -> None:
    """Make a notebook tell a picture by a digest of its pixels, beside the picture.

    nbval compares no ``image/png``, even strictly; it compares this text, which a page does not
    show. Of pixels and not of the file, whose compression depends on the version of a library.
    """
    if formatter := getattr(_shell(), "display_formatter", None):
        texts = formatter.formatters["text/plain"]
        texts.for_type_by_name("PIL.Image", "Image", _describe)


def _describe(picture: "Image", printer: "PrettyPrinter", cycle: bool) -> None:
    digest = hashlib.sha256(picture.convert("RGBA").tobytes()).hexdigest()
    printer.text(f"{picture.width} × {picture.height} pixels, sha256 {digest[:16]}")


def _shell() -> "InteractiveShell | None":
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
