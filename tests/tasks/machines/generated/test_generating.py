"""The distribution of generated meta-tasks, what is kept of them, and the file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from evoplastic.__main__ import main
from evoplastic.checks import UsageError
from tasks.machines.generated.canonical import canonical_form
from tasks.machines.generated.distribution import draw_parts
from tasks.machines.generated.file import noted_adaptive, text_of, write_generated
from tasks.machines.generated.filters import REASONS
from tasks.machines.generated.generating import Request, generate, sift
from tasks.machines.metatasks.finding import find_meta_task
from tasks.machines.metatasks.graph import reached
from tasks.machines.metatasks.writing import as_text
from tasks.machines.state_machine import UP, ProbabilityVariable, StateVariable, StimulusVariable
from tasks.neurogym.task import SelfPacedTask


def test_the_distribution_is_the_published_one_mended() -> None:
    count = 1500
    drawn = [draw_parts(1, number) for number in range(count)]
    rewards = [rule for parts in drawn for rule in parts.rewards]
    chances = [rule.probability for rule in rewards]
    variables = [each for each in chances if isinstance(each, ProbabilityVariable)]
    assert not [rule for rule in rewards if rule.old == 0 and rule.flag == UP]
    assert all(0 not in parts.state_range for parts in drawn)
    assert all(parts.flags[0].value == UP for parts in drawn)
    for parts in drawn:
        assert len({y for y in parts.stimuli if isinstance(y, StimulusVariable)}) != 1
        assert all(abs(sum(row) - 1) < 1e-12 for rows in parts.transitions for row in rows)
    # shares, with about four standard errors
    assert len(rewards) / count == pytest.approx(1.6, abs=0.09)
    assert sum(each.complement for each in variables) / len(variables) == pytest.approx(
        0.5, abs=0.12
    )
    assert len(variables) / len(rewards) == pytest.approx(0.25 * 0.5, abs=0.04)
    moving = sum(isinstance(rule.old, StateVariable) for rule in rewards) / len(rewards)
    assert moving == pytest.approx(1 / 6, abs=0.04)
    silent = sum(y is None for parts in drawn for y in parts.stimuli) / (4 * count)
    assert 0.17 < silent < 0.27  # 0.2, and more where a single variable stimulus was redrawn


def test_a_noted_level_is_read_back_where_it_holds(tmp_path: Path) -> None:
    found = generate(Request(1, seed=0))
    (kept,) = found.kept
    text, task = text_of(found), kept.task
    noted = noted_adaptive(text, replace(task, dwell_steps=3))
    assert noted is not None
    assert noted.reward == pytest.approx(kept.levels.adaptive, abs=1e-4)
    assert noted.how == kept.levels.how
    assert noted_adaptive(text, replace(task, instance_trials=5)) is None
    assert noted_adaptive(text, replace(task, rewards=task.rewards[:0])) is None
    assert noted_adaptive(text, replace(task, name="other")) is None
    assert noted_adaptive(as_text(task), task) is None
    write_generated(found, tmp_path / "world.yaml")
    word = f"{tmp_path / 'world.yaml'}:{task.name}"
    assert SelfPacedTask(name="one", source=word).best_adaptive == noted


def test_what_is_kept_is_a_function_of_the_seed(tmp_path: Path) -> None:
    found = generate(Request(2, seed=0))
    again = generate(Request(1, seed=0))
    assert again.kept == found.kept[:1]
    first = text_of(again).partition("\n---\n")[2].rstrip()
    assert first in text_of(found)
    assert draw_parts(0, 5) != draw_parts(1, 5)
    for each in found.kept:
        levels = each.levels
        assert levels.fixed + 0.1 < levels.adaptive <= levels.oracle
        assert 0 < levels.difficulty <= 1
        leads = [
            {s for row in rows for s, p in enumerate(row) if p} for rows in each.task.transitions
        ]
        assert len(reached(leads, ())) == 4
        assert canonical_form(each.task.machine()) == each.form
    assert len({each.form for each in found.kept}) == 2
    assert found.drawn == len(found.kept) + sum(found.fell.values())
    path = tmp_path / "my_world.yaml"
    write_generated(found, path)
    task = found.kept[1].task
    read = find_meta_task(f"{path}:{task.name}")
    assert read.machine().rewards == task.machine().rewards
    assert (read.transitions, read.stimuli, read.name) == (
        task.transitions,
        task.stimuli,
        task.name,
    )
    with pytest.raises(UsageError, match=r"holds 2 meta-tasks .* name one, as in"):
        find_meta_task(str(path))
    with pytest.raises(UsageError, match="has no meta-task 'w1'"):
        find_meta_task(f"{path}:w1")


def test_more_than_there_are_says_why_others_fell() -> None:
    with pytest.raises(UsageError) as refused:
        generate(Request(5, seed=0, tries=60))
    message = str(refused.value)
    assert message.startswith("1 of 60 generated meta-tasks passed the filters, expected 5.")
    fell = {why: int(count) for count, why in re.findall(r"(\d+): ([^;.]+)", message)}
    assert sum(fell.values()) == 59
    assert set(fell) <= set(REASONS.values())
    assert "--tries 240" in message
    with pytest.raises(UsageError, match="gap is -1"):
        generate(Request(1, gap=-1.0))


def test_the_command_writes_a_world_that_other_commands_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my_world.yaml"
    assert main(["tasks", "generate", "--count", "1", "--seed", "0", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "kept 1 of 57 meta-tasks drawn" in said
    assert main(["tasks", "show", f"{out}:w56"]) == 0
    assert "A generated world" in capsys.readouterr().out
    refused = main(["tasks", "generate", "--count", "9", "--tries", "9", "--out", str(out)])
    assert refused == 2
    assert "0 of 9 generated" in capsys.readouterr().err


@pytest.mark.exhaustive
def test_a_thousand_candidates_leave_no_two_alike() -> None:
    found = sift(Request(1000, seed=1, tries=1000))
    assert found.drawn == 1000
    assert len({each.form for each in found.kept}) == len(found.kept) > 20
