"""Compile once per machine and version: Numba functions kept between processes.

Numba notices a change of a function's own file only. The engine spans several, so its machine code
lives in a folder named after all of them, the compiler's version and the processor.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from numba.core import types
from numba.extending import overload

from evoplastic.machine import caches, can_write

_announced: set[Any] = set()


def cache_folder() -> Path:
    """Where machine code is kept: below NUMBA_CACHE_DIR, or where this user's caches are."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen and can_write(Path(chosen)) else caches()
    return base / f"cpu-{_version()}"


@cache
def _version() -> str:
    content = hashlib.sha256()
    package = Path(__file__).parents[3]
    for pattern in ("random/*.py", "rules/*.py", "engines/codes.py", "engines/cpu/**/*.py"):
        for source in sorted(package.glob(pattern)):
            content.update(source.read_bytes())
    processor = (
        llvmlite.binding.get_host_cpu_name(),
        llvmlite.binding.get_host_cpu_features().flatten(),
    )
    content.update(repr((numba.__version__, processor)).encode())
    return content.hexdigest()[:16]


INLINED: dict[str, Any] = {
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "error_model": "numpy",
    "_nrt": False,
}


def inlined(function: Callable[..., Any]) -> Any:
    """A function that other compiled functions absorb; Python cannot call it.

    Leaving out the wrappers for Python halves the time to compile. Without Numba's runtime (_nrt)
    no array is counted: a kernel holds dozens, and counting them at calls cost as much as a step.
    """
    return numba.njit(**INLINED)(function)


def by_type(absent: Callable[..., Any], present: Callable[..., Any]) -> Any:
    """A function whose first argument may be None: of two with the same arguments, it is `absent`
    where it is None, else `present`. Which one is known when it is compiled, and the other is not.
    """

    def chosen(channel: Any, *args: Any) -> Any:
        raise NotImplementedError("for compiled functions alone")

    @overload(chosen, jit_options=INLINED, strict=False)
    def choose(channel: Any, *args: Any) -> Any:
        return absent if channel is types.none else present

    return chosen


def outlined(function: Callable[..., Any]) -> Any:
    """A function that other compiled functions call: what is rare is kept out of their loops."""
    return numba.njit(
        no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=False
    )(function)


def compiled_once(function: Callable[..., Any]) -> Any:
    """A function compiled without the interpreter lock and kept between processes.

    Where no cache folder can be written, it is compiled again in every process.
    """
    dispatcher = numba.njit(nogil=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=False)(
        function
    )
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # no folder can be written
        pass
    finally:
        numba.config.CACHE_DIR = before
    return dispatcher


def announce_compilation(function: Any, what: str, seconds: int) -> None:
    """Say on stderr that the first call is about to compile, unless it has been done before."""
    if function.signatures or function in _announced:
        return
    _announced.add(function)
    kept = cache_folder().glob(f"**/*.{function.py_func.__name__}-*.nbc")
    if next(kept, None) is None:
        print(f"compiling {what}, once, about {seconds} s", file=sys.stderr, flush=True)
