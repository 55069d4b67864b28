"""A rule from a Python file of a user: `my_rule.py:RULE` names an instance of `Rule`."""

from __future__ import annotations

import re
from pathlib import Path

from evoplastic.checks import UsageError, nearest, require
from evoplastic.rules.table import Rule
from evoplastic.user_code.project import open_project

REFERENCE = re.compile(r"(?P<path>.+\.py):(?P<name>\w+)")


def is_reference(word: object) -> bool:
    """Whether a word names a rule in a Python file.

    >>> is_reference("my_rule.py:RULE"), is_reference("oja")
    (True, False)
    """
    return isinstance(word, str) and REFERENCE.fullmatch(word) is not None


def load_rule(reference: str) -> Rule:
    """The rule that a file defines under a name; the file is run, with the project around it.

    Raises:
        UsageError: no such file or name, a file that cannot be run, or something else than a rule.
    """
    found = REFERENCE.fullmatch(reference)
    require(found is not None, f"{reference!r} is not of the form my_rule.py:RULE")
    assert found is not None
    path, name = Path(found["path"]), found["name"]
    require(path.is_file(), f"there is no file {path}; give the path of a Python file")
    try:
        module = open_project(path).load()
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    rules = {key: value for key, value in vars(module).items() if isinstance(value, Rule)}
    require(
        name in rules,
        f"{path} has no rule {name!r}; {nearest(name, rules)}"
        if rules
        else f"{path} has no rule; write {name} = Rule(...), see docs/rules.md",
    )
    return rules[name]
