"""Which data sets notebooks can come to read, found from their text and the toolkit's without running either."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_NOTEBOOKS = "the notebooks"


def needed_data_sets(code: str, toolkit: Path, known: Collection[str]) -> tuple[str, ...]:
    """Return the data sets that code can come to read through the toolkit.

    What the code names of the toolkit is followed to its definition, from there to all that this names, and so on; a
    definition that holds the text ``"digits/digits.npz"`` needs the set ``digits``. The toolkit's modules are followed
    through imports and ``module.name``; one that is handed on as a value leads nowhere.

    Parameters
    ----------
    code : str
        All code of the notebooks.
    toolkit : Path
        Folder of the package.
    known : collection of str
        Names of all data sets.

    Returns
    -------
    tuple of str
        Sorted.
    """
    files = {_dotted(path, toolkit): _Names.of(path.read_text(encoding="utf-8")) for path in toolkit.rglob("*.py")}
    files[_NOTEBOOKS] = _Names.of(code)
    ahead = {(_NOTEBOOKS, name) for name in files[_NOTEBOOKS].defines}
    seen: set[tuple[str, str]] = set()
    needed: set[str] = set()
    while ahead:
        module, name = ahead.pop()
        seen.add((module, name))
        for statement in files[module].defines.get(name, ()):
            needed |= _folders(statement) & set(known)
        ahead |= set(_leads_to(files, module, name)) - seen
    return tuple(sorted(needed))


@dataclass(frozen=True)
class _Names:
    """The names at the top level of a file.

    Attributes
    ----------
    defines : dict of str to list of ast.stmt
        Names with the statements that bind them; statements that bind none stand under the empty name.
    imports : dict of str to (str, str)
        Names that an import anywhere in the file binds, with module and the name in it (empty: the module itself).
    """

    defines: dict[str, list[ast.stmt]]
    imports: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, code: str) -> _Names:
        tree = ast.parse(code)
        defines: dict[str, list[ast.stmt]] = defaultdict(list)
        for statement in tree.body:
            for name in _bound(statement) or {""}:
                defines[name].append(statement)
        imports: dict[str, tuple[str, str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imports |= {alias.asname: (alias.name, "") for alias in node.names if alias.asname}
            elif isinstance(node, ast.ImportFrom):
                imports |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
        return cls(defines, imports)


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds, except by an import."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _leads_to(files: dict[str, _Names], module: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the names, each with its file, that a name stands for or that its definition mentions."""
    if name in files[module].defines:
        for statement in files[module].defines[name]:
            yield from _mentioned(files, module, statement)
    elif name in files[module].imports:
        target, inner = files[module].imports[name]
        if target in files:
            yield target, inner


def _mentioned(files: dict[str, _Names], module: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Name):
        yield module, node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        target, inner = files[module].imports.get(node.value.id, ("", ""))
        dotted = f"{target}.{inner}".rstrip(".")
        if dotted in files:
            yield dotted, node.attr
    for child in ast.iter_child_nodes(node):
        yield from _mentioned(files, module, child)


def _folders(statement: ast.stmt) -> set[str]:
    """Return the first part of each text in a statement that is a path."""
    constants = (node.value for node in ast.walk(statement) if isinstance(node, ast.Constant))
    return {text.split("/")[0] for text in constants if isinstance(text, str) and "/" in text}


def _dotted(path: Path, toolkit: Path) -> str:
    """Return the dotted name of a file of the toolkit."""
    parts = path.relative_to(toolkit.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
