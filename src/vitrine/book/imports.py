"""What a piece of code depends on: vitrine's modules, transitively, and the libraries they name.

Static: sources are parsed, never imported, so that asking costs milliseconds and no TensorFlow.
Imports inside functions count as well, but for ``loaded``: they wait until the function is called.
"""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vitrine import paths

__all__ = ["Module", "libraries", "loaded", "modules"]

_PACKAGE = "vitrine"
# Import names that are not the name of what one installs.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "keras": "tensorflow",
    "pytorch_lightning": "lightning",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """A source file reached by imports.

    Attributes:
        digest: Of its syntax tree without docstrings: comments and layout do not count.
        imports: Dotted names it imports.
        at_once: Those of them that importing it imports, outside any function.
    """

    digest: str
    imports: frozenset[str]
    at_once: frozenset[str]


def modules(code: str) -> dict[str, Module]:
    """Return the modules of vitrine that ``code`` reaches, by dotted name.

    Raises:
        SyntaxError: If ``code`` is not Python.
    """
    return _reach(_imports(ast.parse(code)), "imports")


def _reach(names: set[str], kind: str) -> dict[str, Module]:
    """Follow one kind of imports, from these names on."""
    found: dict[str, Module] = {}
    pending = sorted(names)
    while pending:
        name = pending.pop()
        parts = name.split(".")
        if parts[0] != _PACKAGE:
            continue
        # Importing a.b.c runs a, then a.b; c may be a name defined in a.b.
        for depth in range(1, len(parts) + 1):
            dotted = ".".join(parts[:depth])
            if dotted not in found and (file := _file(dotted)):
                found[dotted] = _parse(file, file.stat().st_mtime_ns, dotted)
                pending.extend(getattr(found[dotted], kind))
    return found


def libraries(code: str) -> set[str]:
    """Return the distributions, other than ours, that ``code`` and the modules it reaches import.

    The standard library comes along; it is in no lock, where callers look these names up.
    """
    names = _imports(ast.parse(code)).union(*(m.imports for m in modules(code).values()))
    return _distributions(names)


def loaded(code: str) -> set[str]:
    """Return the distributions, other than ours, that the imports of ``code`` load at once.

    What a function imports when it is called is left out, as ``session`` does with the trainers.
    """
    names = _imports(ast.parse(code), at_once=True)
    return _distributions(names.union(*(m.at_once for m in _reach(names, "at_once").values())))


def _distributions(names: set[str]) -> set[str]:
    tops = {name.split(".")[0] for name in names} - {_PACKAGE}
    return {_DISTRIBUTIONS.get(top, top.lower().replace("_", "-")) for top in tops}


def _file(dotted: str) -> Path | None:
    stem = paths.root().joinpath("src", *dotted.split("."))
    candidates = (stem.with_suffix(".py"), stem / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


@cache
def _parse(file: Path, changed: int, dotted: str) -> Module:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    package = dotted if file.name == "__init__.py" else dotted.rpartition(".")[0]
    imports, at_once = (frozenset(_imports(tree, package, at_once=b)) for b in (False, True))
    digest = hashlib.sha256(repr(_shape(tree)).encode("utf-8", "surrogatepass")).hexdigest()
    return Module(digest=digest[:16], imports=imports, at_once=at_once)


def _shape(node: object) -> object:
    """Rewrite a syntax tree as lists, without docstrings, alike in every Python we support.

    ``ast.dump`` is not: 3.12 adds fields, 3.13 leaves empty ones out.
    """
    if isinstance(node, list):
        return [_shape(item) for item in node if not _is_text(item)]
    if not isinstance(node, ast.AST):
        return node
    fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
    return [type(node).__name__, *((name, _shape(value)) for name, value in fields)]


def _is_text(statement: object) -> bool:
    """Tell a docstring, or a string that documents the line above it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _imports(tree: ast.Module, package: str = "", *, at_once: bool = False) -> set[str]:
    found: set[str] = set()
    for node in _at_once(tree) if at_once else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def _at_once(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the module does: the bodies of functions do not."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from _at_once(node)
