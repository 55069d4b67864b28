"""Files of free-running suites: what they say, and what is refused under the file's name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evoplastic.checks import UsageError
from tasks.suites.loading import load_suite
from tasks.suites.suite_file import read_suite_file

FAMILIES = """
name: mine
pacing: self_paced
dt_ms: 50
defaults: {set: {dim_ring: 4}}
families:
  reach: [yang19.go, {task: yang19.anti-v0, name: away, set: {dim_ring: 8}, about: Look away.}]
  match: [yang19.dms]
held_out_family: match
permute: inputs
"""
SPLIT = """
name: mine
rule_cue: true
train: ["my_task.py:MyTask", GoNogo]
held_out: [evoplastic/TwoStimulus-dms]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_families_make_a_split(tmp_path: Path) -> None:
    content = read_suite_file(write(tmp_path, FAMILIES))
    assert [task.name for task in content.train] == ["yang19.go", "away"]
    assert [task.name for task in content.held_out] == ["yang19.dms"]
    assert content.families == {"reach": ("yang19.go", "away"), "match": ("yang19.dms",)}
    go, away = content.train
    assert (go.settings, away.settings) == ({"dim_ring": 4}, {"dim_ring": 8})
    assert {task.dt_ms for task in (*content.train, *content.held_out)} == {50}
    assert (away.description, go.description) == ("Look away.", "yang19.go with dim_ring=4")
    assert (content.permute, content.rule_cue) == ("inputs", False)


def test_another_family_is_held_out_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, FAMILIES)
    other = read_suite_file(f"{path}/reach")
    assert (other.name, other.held_out_families) == ("mine/reach", ("reach",))
    assert [task.name for task in other.held_out] == ["yang19.go", "away"]
    ours = load_suite("yang19/context")
    assert ours.name == "yang19/context"
    assert "yang19.ctxdm1" in [task.name for task in ours.held_out]
    assert set(ours.task_names) == set(load_suite("yang19").task_names)


def test_keys_of_free_suites_tell_the_kind_and_files_are_found_beside(tmp_path: Path) -> None:
    (tmp_path / "my_task.py").write_text("")
    content = read_suite_file(write(tmp_path, SPLIT))
    assert content.rule_cue
    mine, gonogo = content.train
    assert (mine.name, mine.source) == ("MyTask", f"{tmp_path / 'my_task.py'}:MyTask")
    assert (gonogo.name, gonogo.source, gonogo.dt_ms) == ("GoNogo", "GoNogo", 20)
    assert content.held_out[0].name == "dms"


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (FAMILIES, "held_out_family: match", "held_out_family: macth", "did you mean 'match'"),
        (FAMILIES, "held_out_family: match", "", "no held_out_family; it may be any of reach"),
        (FAMILIES, "match: [", "reaction: [", "family of suite file .*'match'"),
        (FAMILIES, "dt_ms: 50", "dt_ms: half", "dt_ms is 'half', expected a whole number"),
        (FAMILIES, "permute: inputs", "permute: input", "did you mean 'inputs'"),
        (FAMILIES, "pacing: self_paced", "pacing: self_pace", "did you mean 'self_paced'"),
        (FAMILIES, "{set: {dim_ring: 4}}", "{dim_ring: 4}", "defaults is .*expected {set"),
        (FAMILIES, "match: [yang19.dms]", "match: yang19.dms", "family match is 'yang19.dms'"),
        (FAMILIES, "match: [yang19.dms]", "match: [7]", "family match lists 7, expected the id"),
        (FAMILIES, "set: {dim_ring: 8}", "sett: {}", "did you mean 'set'"),
        (FAMILIES, "set: {dim_ring: 8}", "set: 8", "set of task 'yang19.anti-v0' is 8"),
        (FAMILIES, "set: {dim_ring: 8}", "set: {dt: 8}", "sets dt; the time step is dt_ms"),
        (FAMILIES, "set: {dim_ring: 8}", "set: {day: !!timestamp 2020-01-01}", "is not valid YAML"),
        (FAMILIES, "name: away", "name: 4", "name of task .* is 4, expected text"),
        (FAMILIES, "name: away", "name: yang19.dms", r"the names \['yang19.dms'\] for two"),
        (FAMILIES, "name: away", "name: yang19.go", r"\['yang19.go'\] more than once"),
        (FAMILIES, "pacing: self_paced", "train: [GoNogo]", "train and families"),
        (FAMILIES, "[yang19.dms]", "[]", "has no held-out tasks"),
        (SPLIT, "rule_cue: true", "rule_cue: maybe", "rule_cue is 'maybe', expected true"),
        (SPLIT, "rule_cue", "rule_cues", "did you mean 'rule_cue'"),
        (SPLIT, "name: mine", "name: mine\nheld_out_family: a", "has no families"),
        (SPLIT, '["my_task.py:MyTask", GoNogo]', "[]", "has no training tasks"),
        (SPLIT, "held_out:", "pacing: self_paced\ndefaults: {}\n#", "lacks held_out"),
    ],
)
def test_errors_name_the_file(tmp_path: Path, text: str, old: str, new: str, message: str) -> None:
    assert old in text
    path = write(tmp_path, text.replace(old, new))
    with pytest.raises(UsageError, match=message) as refused:
        load_suite(path)
    assert any(word in str(refused.value) for word in (str(path), "'mine'", "'away'"))


def test_a_family_of_a_suite_without_any_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot hold one out"):
        load_suite(f"{write(tmp_path, SPLIT)}/reach")
    with pytest.raises(UsageError, match="has no families, so it cannot hold one out"):
        load_suite("miconi2023/dms")


def test_kinds_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="says pacing: self_paced"):
        load_suite(write(tmp_path, "name: a\ntrain: [yang19.go]\nheld_out: [dms]"))
    with pytest.raises(UsageError, match=r"no table of its own.*set: {table: published}"):
        load_suite("yang19", "published")
    assert load_suite("yang19", "intended").self_paced


def test_naming_a_suite_imports_no_neurogym() -> None:
    code = (
        "import sys; from tasks.suites.loading import load_suite;"
        "load_suite('yang19/context').task_names;"
        "print('neurogym' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert printed.stdout.strip() == "False"
