"""The final numbers as a table of booktabs: a document by itself, and what a paper can take in."""

from __future__ import annotations

import re
import unicodedata

from analysis.page.contents import Contents
from analysis.page.tables import TaskTable, task_tables

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "…": r"\dots{}",
    **{each: f"\\{each}" for each in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
}
LETTERS = "\u00df\u00e6\u00f8\u00c6\u00d8"  # in every LaTeX, beside those with these accents
ACCENTS = "\u0300\u0301\u0302\u0303\u0308\u030a\u0327"
SHORT = {
    "lifetimes above fixed policy": "above",
    "fixed policy": "fixed",
    "lowest-highest seed": "over seeds",
    "plasticity off": "off",
    "random genome": "random",
}
RANGE = re.compile(r"\d+-\d+")
SIGNED = re.compile(r"-\d[\d.]*")
HEAD = r"""% Compiles as it stands: pdflatex, or any other LaTeX.
% In a paper: \usepackage{booktabs,graphicx} in the preamble, what is between the two lines below.
\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{booktabs,graphicx}
\begin{document}
% --------------------------------------------------------------------------------
"""
FOOT = r"""% --------------------------------------------------------------------------------
\end{document}
"""


def latex_of(contents: Contents) -> str:
    """A LaTeX document with a table for each measure."""
    bodies = [_table(contents, table) for table in task_tables(contents)]
    return HEAD + "\n".join(bodies) + FOOT


def _table(contents: Contents, table: TaskTable) -> str:
    columns = [SHORT.get(each, escaped(each)) for each in table.columns]
    several = len(contents.settings) > 1
    lines = [
        r"\begin{table}",
        r"\centering",
        r"\small",
        r"\setlength{\tabcolsep}{4pt}",
        f"\\caption{{{_caption(contents, table)}}}",
        f"\\label{{tab:{table.measure.name}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        f"\\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join(["task", *columns]) + r" \\",
    ]
    before: tuple[int, str] | None = None
    for row in table.rows:
        if before is None or before != (row.setting, row.role):
            lines.append(r"\midrule")
        if several and (before is None or before[0] != row.setting):
            name = escaped(contents.names[row.setting])
            lines.append(f"\\multicolumn{{{len(columns) + 1}}}{{l}}{{\\emph{{{name}}}}} \\\\")
        before = (row.setting, row.role)
        task = escaped(row.task)
        shown = f"\\textbf{{{task}}}" if row.role == "held_out" else task
        lines.append(" & ".join([shown, *map(_number, row.cells)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table}", ""])


def _caption(contents: Contents, table: TaskTable) -> str:
    runs = contents.runs
    which = f"seed {runs[0].seed}" if len(runs) == 1 else f"{len(runs)} runs"
    return " ".join(
        [escaped(f"{table.title}; {which}. Bold: held-out tasks."), *map(escaped, table.notes)]
    )


def _number(cell: str) -> str:
    """A cell, which is our own; ranges get their dash, negative numbers their sign."""
    if RANGE.fullmatch(cell):
        return cell.replace("-", "--")
    return SIGNED.sub(r"$\g<0>$", cell)


def escaped(text: str) -> str:
    """Text as LaTeX sets it; characters that not every LaTeX has are named by their number.

    >>> escaped("50 % of") == "50 " + chr(92) + "% of", escaped(chr(0x3B1))
    (True, 'U+03B1')
    """
    return "".join(_letter(each) for each in text)


def _letter(letter: str) -> str:
    if letter in SPECIAL:
        return SPECIAL[letter]
    if letter.isspace():
        return " "
    if letter.isascii() or letter in LETTERS:
        return letter if letter.isprintable() else f"U+{ord(letter):04X}"
    base, *accents = list(unicodedata.normalize("NFD", letter))
    known = base.isascii() and base.isalpha() and len(accents) == 1 and accents[0] in ACCENTS
    return letter if known else f"U+{ord(letter):04X}"
