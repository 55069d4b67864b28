"""What a node of a cluster is, found out with nothing but the standard library.

A node may lack this package, or have another version of it, or find a module of a user's under one
of our names. So what follows is sent there as code (`by_value`), and says what it meets in plain
values before anything of ours is imported: the first word of every worker, and what `evoplastic
doctor --address` asks of each node.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import platform
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from evoplastic import machine
from evoplastic.machine import processor, usable_cores

OUR_MARK = Path("evoplastic", "user_code", "own_names.py")  # what no folder of a user's holds
NEEDED = ("torch", "numpy")  # by every worker
COMPARED = (*NEEDED, "numba", "llvmlite", "evotorch", "neurogym")  # results may depend on these
ASK_GPUS = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
ASK_GPUS_TIMEOUT_S = 20.0


def by_value(function: Callable[..., Any]) -> bytes:
    """A function of this file, pickled so that it can be called where this package is not."""
    from ray import cloudpickle

    modules = [sys.modules[__name__], machine]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        pickled: bytes = cloudpickle.dumps(function)
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
    return pickled


def first_word(here: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker of Ray's says first; if it can work, our names are ours in it from here on.

    Args:
        here: `facts` of the driver.

    Returns:
        `facts` of the worker, with what `unfit` and `remark` say of it.
    """
    there = facts()
    cannot = unfit(there, here)
    if not cannot:
        claim_names(there["root"])
    return {**there, "unfit": cannot, "remark": remark(there, here)}


def facts(folder: str | None = None, *, gpus: bool = False) -> dict[str, Any]:
    """What this process and its node are.

    Args:
        folder: a file or folder of which to say whether it is seen from here.
        gpus: whether to ask for the GPUs of the node, which takes a moment.

    Returns:
        plain values: `host`, `pid`, `python` (version), `executable`, `cores`, `processor` and
        `gpus` (models), `root` (the folder that holds our packages, or None), `versions` (None for
        what is not there), `code` (a digest of our packages) and `seen`.
    """
    root = our_root()
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "cores": usable_cores(),
        "processor": processor().get("model name", platform.machine()),
        "gpus": gpu_models() if gpus else [],
        "root": root,
        "versions": {"evoplastic": our_version(root), **{name: version(name) for name in COMPARED}},
        "code": None if root is None else code_digest(root),
        "seen": None if folder is None else os.path.exists(folder),
    }


def our_root() -> str | None:
    """The folder that holds our packages, whatever else is called like one of them."""
    for place in sys.path:
        if Path(place or ".", OUR_MARK).is_file():
            return os.path.abspath(place or ".")
    for finder in sys.meta_path:  # an installation that is a link to a folder
        if finder is importlib.machinery.PathFinder or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec("evoplastic", None)
        if spec is not None and spec.origin is not None:
            root = Path(spec.origin).parents[1]
            if (root / OUR_MARK).is_file():
                return str(root)
    return None


def claim_names(root: str) -> None:
    """From here on, the names of our packages are those of the folder `root`, in this process."""
    spec = importlib.util.spec_from_file_location("_evoplastic_names", Path(root, OUR_MARK))
    assert spec is not None
    assert spec.loader is not None
    own_names = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(own_names)
    own_names.install()
    for name in list(sys.modules):  # of a user's, if something has imported them
        top = sys.modules.get(name.partition(".")[0])
        if name.partition(".")[0] in own_names.OURS and not _lies_in(top, root):
            del sys.modules[name]


def _lies_in(module: ModuleType | None, root: str) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).is_relative_to(root)


def our_version(root: str | None) -> str | None:
    """The version of the packages in a folder."""
    if root is None:
        return None
    text = Path(root, "evoplastic", "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return found[1] if found else None


def version(name: str) -> str | None:
    """The version of a package that is installed here."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def code_digest(root: str) -> str:
    """SHA-256 (16 hexadecimal digits) of all Python files of our packages."""
    digest = hashlib.sha256()
    for package in ("analysis", "cluster", "evoplastic", "tasks"):
        for path in sorted(Path(root, package).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def gpu_models() -> list[str]:
    """The GPUs of this node, whoever may use them, as their driver calls them."""
    try:
        done = subprocess.run(
            ASK_GPUS, capture_output=True, text=True, timeout=ASK_GPUS_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []  # no driver, or none that answers
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def unfit(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Why a node cannot work for a driver, and what to install there; nothing if it can.

    Args:
        theirs: `facts` of the node.
        ours: `facts` of the driver.
    """
    lacking, other = [], []
    for name, here in ours["versions"].items():
        there = theirs["versions"].get(name)
        if there is None and name in ("evoplastic", *NEEDED):
            lacking.append(name if here is None else f"{name} {here}")
        elif there is not None and here is not None and _release(there) != _release(here):
            other.append(f"{name} is {there} there and {here} here")
    reasons = [f"it has no {' and no '.join(lacking)}"] if lacking else []
    reasons += [", ".join(other)] if other else []
    if not reasons:
        return ""
    return f"{'; '.join(reasons)}; {'; '.join(_installing(theirs, ours))}"


def _installing(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """What to do so that a node has what the driver has."""
    wanted = [
        f"{name}=={_release(here)}"
        for name, here in ours["versions"].items()
        if here is not None and _release(theirs["versions"].get(name) or "") != _release(here)
    ]
    if wanted and wanted[0].startswith("evoplastic=="):
        yield (
            f"install {wanted[0].replace('==', ' ')} there as here (`make setup`, or pip install "
            f"of the same folder or wheel) for {theirs['executable']}, or start Ray there from an "
            "environment that has it"
        )
    elif wanted:
        yield f"install it there: {theirs['executable']} -m pip install {' '.join(wanted)}"


def remark(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """What is worth knowing of a node that can work; nothing if there is nothing."""
    if theirs["code"] != ours["code"] and not unfit(theirs, ours):
        return (
            f"has other code under the same version ({theirs['code']} in {theirs['root']}, here "
            f"{ours['code']}); results may differ: bring both to one state"
        )
    return ""


def _release(found: str) -> str:
    """A version without what says how it was built, as in 2.13.0+cpu."""
    return found.partition("+")[0]
