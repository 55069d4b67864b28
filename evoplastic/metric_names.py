"""What a task is called where metrics go: a name that every store takes, and each task its own.

MLflow takes letters, digits, `_`, `-`, `.`, spaces and, of parts, `/`; it refuses what a path would
resolve to something else, and keys of more than 250 characters. Other characters are written as
their code, `_x5b_` for `[`, the way of ECMA-376 (Office Open XML), part 1, 22.4.2.4.
"""

from __future__ import annotations

import hashlib
import posixpath
import re

LONGEST_WORD = 200  # of the 250 characters of a metric's name, the rest is its group and statistic
TAKEN = re.compile(r"[/\w.\- :]+")
ESCAPE = re.compile(r"_x[0-9a-f]+_")
FOREIGN = re.compile(r"[^\w.\- ]|_(?=x)")


def metric_word(name: str) -> str:
    """The name of a task as a part of the names of its metrics; two names never share one.

    A name that MLflow takes stays as it is, unless it reads like an escape itself. In any other
    each character but letters, digits, `-`, `.` and spaces becomes `_xHEX_`, and so does a `_`
    before an x. Of what is too long the beginning stays, with a digest of the whole.

    Args:
        name: not empty.

    >>> metric_word("yang19.dms"), metric_word("lights[v=2]")
    ('yang19.dms', 'lights_x5b_v_x3d_2_x5d_')
    >>> metric_word("_x5b_"), metric_word("..")
    ('_x5f_x5b_', '_x2e__x2e_')
    """
    word = name
    if not TAKEN.fullmatch(name) or ESCAPE.search(name) or not _is_own_path(name):
        word = FOREIGN.sub(_escaped, name)
        if word in (".", ".."):  # a path would take these for folders
            word = word.replace(".", "_x2e_")
    if len(word) <= LONGEST_WORD:
        return word
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{FOREIGN.sub(_escaped, name)[: LONGEST_WORD - 19]}_x{digest}_"


def _escaped(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):x}_"


def _is_own_path(name: str) -> bool:
    """Whether a path keeps the name where it stands between two others."""
    whole = f"a/{name}/b"
    return posixpath.normpath(whole) == whole
