"""The rooms import each other along the arrows of docs/architecture.md, and no others."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
ARROWS = {
    "evoplastic": {"evoplastic"},
    "tasks": {"tasks", "evoplastic"},
    "cluster": {"cluster", "evoplastic", "tasks"},
    "analysis": {"analysis", "evoplastic", "tasks"},
}
COMMAND_LINE = ("evoplastic/__main__.py", "evoplastic/cli/")  # knows all rooms, by lazy imports
HOMES = {
    "torch": ("evoplastic/", "cluster/"),  # cluster/ carries tensors about, it computes nothing
    "numba": ("evoplastic/",),
    "llvmlite": ("evoplastic/",),
    "triton": ("evoplastic/",),
    "evotorch": ("evoplastic/search/",),
    "safetensors": ("evoplastic/",),
    "neurogym": ("tasks/",),
    "gymnasium": ("tasks/",),
    "ray": ("cluster/",),
    "pydantic": ("cluster/",),
    "mlflow": ("cluster/", "analysis/"),
    "matplotlib": ("analysis/",),
    "pandas": ("analysis/",),
}
HEAVY = sorted(set(HOMES) - {"torch"})


class Import(NamedTuple):
    """One import statement: who imports what, and whether it runs when the file is imported."""

    file: str
    line: int
    package: str
    eager: bool


def imports_of(path: Path) -> Iterator[Import]:
    """Every import of a file, those inside functions included."""
    file = path.relative_to(ROOT).as_posix()

    def visit(node: ast.AST, eager: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(file, child.lineno, alias.name.partition(".")[0], eager)
            elif isinstance(child, ast.ImportFrom):
                package = "." if child.level else (child.module or "").partition(".")[0]
                yield Import(file, child.lineno, package, eager)
            else:
                yield from visit(child, eager and not _postpones(child))

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), True)


def _postpones(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def all_imports() -> list[Import]:
    """Every import of every room."""
    files = [path for room in ARROWS for path in sorted((ROOT / room).rglob("*.py"))]
    assert len(files) > 30, f"found only {len(files)} files under {ROOT}, the test looks elsewhere"
    return [found for path in files for found in imports_of(path)]


def test_rooms_import_along_the_arrows_only() -> None:
    crossing = [
        found
        for found in all_imports()
        if found.package in ARROWS
        and found.package not in ARROWS[found.file.partition("/")[0]]
        and not (found.file.startswith(COMMAND_LINE) and not found.eager)
    ]
    assert not crossing


def module_of(path: Path) -> str:
    """The name by which a file is imported."""
    words = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(words[:-1] if words[-1] == "__init__" else words)


def module_imports(paths: Iterable[Path]) -> dict[str, set[str]]:
    """Which modules of ours each file names when it is imported, those for type checkers too."""
    modules = {module_of(path): path for path in paths}
    graph: dict[str, set[str]] = {}

    def visit(node: ast.AST) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module:
                for alias in child.names:
                    whole = f"{child.module}.{alias.name}"
                    yield whole if whole in modules else child.module
            else:
                yield from visit(child)

    for module, path in modules.items():
        found = visit(ast.parse(path.read_text(encoding="utf-8")))
        graph[module] = {name for name in found if name in modules and name != module}
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import one another, whatever way round."""
    graph = {module: set(others) for module, others in graph.items()}
    while leaf := next((module for module, others in graph.items() if not others), None):
        del graph[leaf]
        for others in graph.values():
            others.discard(leaf)
    # What is left lies on a circle, or leads to one: go on until a module comes again.
    found = []
    if graph:
        path = [min(graph)]
        while (following := min(graph[path[-1]])) not in path:
            path.append(following)
        found.append(path[path.index(following) :])
    return found


def test_no_two_modules_import_each_other() -> None:
    paths = [path for room in ARROWS for path in sorted((ROOT / room).rglob("*.py"))]
    assert circles(module_imports(paths)) == []


def test_a_circle_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a type checker's import too; one inside a function is none."""
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    folder = tmp_path / "cluster"
    folder.mkdir()
    for name, code in (
        ("one", "from cluster.two import f\n"),
        ("two", "from cluster import three\n"),
        ("three", "if TYPE_CHECKING:\n    import cluster.one\n"),
        ("four", "from cluster.one import f\n\ndef g():\n    import cluster.five\n"),
        ("five", "import cluster.four\n"),
    ):
        (folder / f"{name}.py").write_text(code)
    graph = module_imports(sorted(folder.glob("*.py")))
    assert circles(graph) == [["cluster.one", "cluster.two", "cluster.three"]]
    (folder / "three.py").write_text("")
    assert circles(module_imports(sorted(folder.glob("*.py")))) == []


def test_imports_are_absolute() -> None:
    assert not [found for found in all_imports() if found.package == "."]


def test_heavy_dependencies_stay_at_home() -> None:
    astray = [
        found
        for found in all_imports()
        if found.package in HOMES and not found.file.startswith(HOMES[found.package])
    ]
    assert not astray


def test_evotorch_and_ray_are_imported_when_needed_only() -> None:
    """Importing either takes seconds, and most commands need neither."""
    eager = [found for found in all_imports() if found.package in ("evotorch", "ray")]
    assert eager, "no file imports evotorch or ray, the test looks elsewhere"
    assert not [found for found in eager if found.eager]


def test_command_line_parses_without_heavy_imports() -> None:
    eager = {
        found.package
        for found in all_imports()
        if found.file.startswith(COMMAND_LINE) and found.eager
    }
    assert eager <= set(sys.stdlib_module_names) | {"evoplastic"}


def test_a_crossing_import_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of imports finds them in functions, and tells eager from postponed ones."""
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / "tasks" / "one.py"
    path.parent.mkdir()
    path.write_text(
        "import ray.util\nfrom cluster import loop\ndef f():\n    from . import two\n"
        "if TYPE_CHECKING:\n    import mlflow\n"
    )
    assert [(found.package, found.eager) for found in imports_of(path)] == [
        ("ray", True),
        ("cluster", True),
        (".", False),
        ("mlflow", False),
    ]


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


REFUSE_HEAVY = f"""
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {[*HEAVY, "yaml", "rich", "psutil", "cluster", "analysis"]!r}:
            raise ImportError(f"{{name}} is not installed")

sys.meta_path.insert(0, Refuse())
"""


def test_kernels_run_on_a_machine_that_has_torch_and_numpy_alone() -> None:
    code = REFUSE_HEAVY + (
        "import torch, evoplastic, evoplastic.lifetime.config, evoplastic.network.neurons\n"
        "import evoplastic.types, evoplastic.random.counters, evoplastic.engines as lifetime\n"
        "lifetime.choose_engine('reference')\n"
        "import evoplastic.engines.reference.engine\n"
        "print(torch.cuda.is_initialized())"
    )
    assert run_python(code) == "False"


def test_importing_evoplastic_reads_nothing_more_than_itself() -> None:
    code = "import sys; import evoplastic; print('torch' in sys.modules, 'numpy' in sys.modules)"
    assert run_python(code) == "False False"
