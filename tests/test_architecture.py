"""The packages import each other along the arrows of docs/architecture.md, and no others."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.graph_of_files import circles, file_graph

ROOT = Path(__file__).resolve().parents[1]
ARROWS = {
    "evoplastic": {"evoplastic"},
    "tasks": {"tasks", "evoplastic"},
    "cluster": {"cluster", "evoplastic", "tasks"},
    "analysis": {"analysis", "evoplastic", "tasks"},
}
# Know all packages, by lazy imports: the command line, and what `import evoplastic` offers.
COMMAND_LINE = ("evoplastic/__main__.py", "evoplastic/cli/", "evoplastic/api/")
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
    "jinja2": ("analysis/",),
    "xarray": ("evoplastic/api/",),
    "sklearn": ("analysis/",),
}
MOST_FILES = 20  # of a folder
TASK_FOLDERS = ("baselines", "machines", "two_stimulus", "neurogym", "suites", "curricula")
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
    """Every import of every package."""
    files = [path for package in ARROWS for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(files) > 30, f"found only {len(files)} files under {ROOT}, the test looks elsewhere"
    return [found for path in files for found in imports_of(path)]


def test_packages_import_along_the_arrows_only() -> None:
    crossing = [
        found
        for found in all_imports()
        if found.package in ARROWS
        and found.package not in ARROWS[found.file.partition("/")[0]]
        and not (found.file.startswith(COMMAND_LINE) and not found.eager)
    ]
    assert not crossing


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


def test_no_files_import_each_other() -> None:
    graph = file_graph(ROOT, list(ARROWS))
    assert sum(map(len, graph.values())) > 300, "hardly any imports, the test looks elsewhere"
    assert circles(graph) == []


def test_no_folder_holds_too_many_files() -> None:
    assert crowded_folders(ROOT) == []


def crowded_folders(root: Path) -> list[str]:
    """Folders of more than `MOST_FILES` Python files."""
    counts = Counter(
        path.parent.relative_to(root).as_posix()
        for package in (*ARROWS, "tests")
        for path in (root / package).rglob("*.py")
    )
    return sorted(folder for folder, count in counts.items() if count > MOST_FILES)


def test_folders_of_tasks_are_few_and_import_downwards_only() -> None:
    assert {path.parent.name for path in (ROOT / "tasks").glob("*/*.py")} <= set(TASK_FOLDERS)
    assert len(TASK_FOLDERS) <= 6
    assert arrows_up(file_graph(ROOT, ["tasks"])) == []


def arrows_up(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Imports of a folder of tasks that stands behind one's own in `TASK_FOLDERS`."""
    return [
        (file, other)
        for file, others in sorted(graph.items())
        for other in sorted(others)
        if _place(file) < _place(other)
    ]


def _place(file: str) -> int:
    """tasks/__init__.py, which everything has, comes first."""
    _, folder, *rest = file.split("/")
    return TASK_FOLDERS.index(folder) if rest else -1


def test_planted_violations_are_found(tmp_path: Path) -> None:
    """A circle through TYPE_CHECKING and a function, an arrow that runs up, a full folder."""
    lines = {
        "evoplastic/one.py": "if TYPE_CHECKING:\n    from evoplastic.two import Two\n",
        "evoplastic/two.py": "def late():\n    from evoplastic import three\n",
        "evoplastic/three.py": "import evoplastic.one\n",
        "evoplastic/four.py": "from evoplastic.one import One\n",
        "tasks/machines/a.py": "from tasks.suites.b import B\n",
        "tasks/suites/b.py": "from tasks.baselines.c import C\n",
        "tasks/baselines/c.py": "",
    } | {f"cluster/file{number}.py": "" for number in range(MOST_FILES + 1)}
    for file, text in lines.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    circle = ["evoplastic/one.py", "evoplastic/three.py", "evoplastic/two.py"]
    assert circles(file_graph(tmp_path, list(ARROWS))) == [circle]
    up = [("tasks/machines/a.py", "tasks/suites/b.py")]
    assert arrows_up(file_graph(tmp_path, ["tasks"])) == up
    assert crowded_folders(tmp_path) == ["cluster"]


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
