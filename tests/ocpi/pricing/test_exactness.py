"""No number of the package is inexact, and the package depends on nothing that has a state."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ocpi.pricing

FILES = sorted(Path(next(iter(ocpi.pricing.__path__))).rglob("*.py"))
ALLOWED = {"msgspec", "rich", "ocpi"}
OURS = ("ocpi.pricing", "ocpi.types", "ocpi.v221")


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text()))


def imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_there_is_no_float(path: Path) -> None:
    for node in nodes(path):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, (float, complex))), ast.dump(node)
        assert not (isinstance(node, ast.Name) and node.id == "float"), f"float in line {node.lineno}"
    assert "math" not in set(imports(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_exact_divides(path: Path) -> None:
    """Of decimals, that is; whole numbers have `//`."""
    divisions = [node for node in nodes(path) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    assert not divisions or path.stem == "exact"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_pure(path: Path) -> None:
    for name in imports(path):
        top = name.partition(".")[0]
        assert top in ALLOWED or top in __import__("sys").stdlib_module_names, name
        assert top != "ocpi" or name.startswith(OURS), name
