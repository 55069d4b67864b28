"""Our four packages are found where this one lies, whatever the current folder holds.

A file `tasks.py` or a folder `cluster/` in the current folder comes first on Python's path with
`python -m evoplastic`, with `PYTHONPATH=.`, and in every worker of Ray. `import evoplastic`
installs a finder before the path; who imports something of ours imports `evoplastic` before.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

OURS = ("analysis", "cluster", "evoplastic", "tasks")
ROOT = Path(__file__).resolve().parents[2]  # the folder that holds the four


class OwnNames:
    """Finds our packages by their names; final."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a package of ours lies; None for everything else."""
        folder = ROOT / name
        if name not in OURS or not (folder / "__init__.py").is_file():
            return None
        return spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )


def install() -> None:
    """Put the finder before all others, once."""
    if not any(type(finder).__name__ == OwnNames.__name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, OwnNames())
