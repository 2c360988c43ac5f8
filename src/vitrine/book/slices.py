"""The few statements of a notebook that one of its results depends on.

A notebook reads from top to bottom; one of its figures needs a part of it. Going up from the cell
that shows the figure, a statement is kept if it binds or changes a name that is still needed. What
a page draws and what is drawn alone thus come from the same lines, and cannot drift apart.

Static, so an approximation on the safe side: a statement too many costs time and nothing else. A
change that goes through a second name of the same object would be missed; notebooks, with cells of
at most 12 lines and no function of their own, have none.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["slice_of"]

_SILENT = {"display", "print"}
_SCOPES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def slice_of(cells: Sequence[str], position: int) -> list[ast.stmt]:
    """Return what must run for the last expression of a cell to have its value, that one last.

    Args:
        cells: Source of the code cells, in order.
        position: Rank of the cell whose last expression is wanted.

    Raises:
        ValueError: If the cell does not end on an expression.
    """
    bodies = [ast.parse(source).body for source in cells[: position + 1]]
    if not bodies[-1] or not isinstance(bodies[-1][-1], ast.Expr):
        raise ValueError("expected a cell that ends on an expression, found none to show")
    imported: set[str] = set()
    seen = [_effects(statement, imported, body) for body in bodies for statement in body]
    wanted = seen.pop()
    needed, kept = set(wanted.reads), [wanted.statement]
    for effect in reversed(seen):
        if (effect.binds | effect.changes) & needed:
            kept.append(_trimmed(effect.statement, needed))
            needed = (needed - effect.settles) | effect.reads
    return kept[::-1]


@dataclass
class _Effects(ast.NodeVisitor):
    """What a statement does to names.

    Attributes:
        statement: The statement.
        imported: Names of modules and of what they define: calling a method of one changes nothing.
        shown: Whether it is the last of its cell, whose value is looked at and not thrown away.
        reads: Names it needs.
        binds: Names it gives a value to.
        changes: Names whose value it may change in place.
        settles: Names it binds whatever happens, so that what they were before is not needed.
        local: Names that mean something else inside the expression being visited.
        given: Names that the block being visited has given a value to.
    """

    statement: ast.stmt
    imported: set[str]
    shown: bool
    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    settles: set[str] = field(default_factory=set)
    local: list[set[str]] = field(default_factory=list)
    given: list[set[str]] = field(default_factory=list)

    def visit_Name(self, node: ast.Name) -> None:  # noqa: D102
        if any(node.id in names for names in self.local):
            return
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        else:
            self.binds.add(node.id)

    def visit_For(self, node: ast.For) -> None:  # noqa: D102
        """What a loop gives a value to, then reads, it needs from nobody."""
        self.visit(node.iter)
        self.visit(node.target)
        self._block(node.body, _names(node.target))
        self._block(node.orelse, set())

    def visit_Attribute(self, node: ast.Attribute) -> None:  # noqa: D102
        self._stored(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:  # noqa: D102
        self._stored(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:  # noqa: D102
        self._change(node.target)
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:  # noqa: D102
        """A call whose value is thrown away was made for what it changes."""
        call = node.value
        if isinstance(call, ast.Call):
            if isinstance(call.func, ast.Attribute):
                self._change(call.func)
            if not self.shown and getattr(call.func, "id", None) not in _SILENT:
                for argument in call.args:
                    self._change(argument)
        self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> None:  # noqa: D102
        self.binds.add(_bound(node))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:  # noqa: D102
        self.binds.add(node.name)
        self._scoped(node, {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)})

    def visit_Lambda(self, node: ast.Lambda) -> None:  # noqa: D102
        self._scoped(node, {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)})

    def generic_visit(self, node: ast.AST) -> None:  # noqa: D102
        if isinstance(node, _SCOPES):
            self._scoped(node, set().union(*(_names(loop.target) for loop in node.generators)))
        else:
            super().generic_visit(node)

    def _block(self, body: list[ast.stmt], names: set[str]) -> None:
        self.given.append(set(names))
        for statement in body:
            self.visit(statement)
            if isinstance(statement, ast.Assign):
                self.given[-1].update(*map(_names, statement.targets))
        self.given.pop()

    def _read(self, name: str) -> None:
        if not any(name in names for names in self.given):
            self.reads.add(name)

    def _scoped(self, node: ast.AST, names: set[str]) -> None:
        self.local.append(names)
        super().generic_visit(node)
        self.local.pop()

    def _stored(self, node: ast.Attribute | ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._change(node)
        self.generic_visit(node)

    def _change(self, node: ast.AST) -> None:
        while not isinstance(node, ast.Name):
            node = getattr(node, "value", None) or getattr(node, "func", None)
            if node is None:
                return
        if node.id not in self.imported and not any(node.id in names for names in self.local):
            self._read(node.id)
            self.changes.add(node.id)


def _effects(statement: ast.stmt, imported: set[str], body: list[ast.stmt]) -> _Effects:
    effects = _Effects(statement, imported, shown=statement is body[-1])
    effects.visit(statement)
    if isinstance(statement, ast.Import | ast.ImportFrom):
        imported |= effects.binds
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom):
        effects.settles = set(effects.binds)
    return effects


def _names(target: ast.expr) -> set[str]:
    """Return the names that an assignment to ``target`` binds."""
    stored = (n for n in ast.walk(target) if isinstance(n, ast.Name))
    return {n.id for n in stored if isinstance(n.ctx, ast.Store)}


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _trimmed(statement: ast.stmt, needed: set[str]) -> ast.stmt:
    """Return an import without the names that nothing needs: one of them may be heavy."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return statement
    kept = [alias for alias in statement.names if _bound(alias) in needed]
    fields = dict(ast.iter_fields(statement)) | {"names": kept}
    return ast.copy_location(type(statement)(**fields), statement)
