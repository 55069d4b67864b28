"""Tables of self-paced runs: accuracy and reward beside their levels, at 100 columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from analysis.generalization import final_table, role_accuracy_by_generation, scores_by_generation
from analysis.measures import is_self_paced
from analysis.seeds import compare_seeds
from analysis.store import open_run
from analysis.tables.final import format_final_table
from analysis.tables.seeds import format_seeds_table
from tests.analysis import free_runs, runs

WITH_BANDIT = (*free_runs.TWO, free_runs.BANDIT)


def shown(content: RenderableType) -> str:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(content)
    return capture.get()


def rows_of(text: str, task: str) -> list[list[str]]:
    """Cells of each row of a task."""
    return [line.split()[1:] for line in text.splitlines() if line.split()[:1] == [task]]


def test_a_task_without_answers_has_rewards_alone(tmp_path: Path) -> None:
    table = scores_by_generation(
        open_run(runs.write_run(tmp_path, free_runs.whole_run(WITH_BANDIT)))
    )
    bandit = table[(table["task"] == "Bandit-v0") & (table["condition"] == "plastic")].iloc[-1]
    assert bandit[["mean", "median", "above_fixed_policy", "chance"]].isna().all()
    # skill 0.7 of a third task, 0.7 * (1 - 0.3 * 2 / 3) = 0.56 of the way from -2 to 20
    assert bandit["reward_mean"] == pytest.approx(-2 + 22 * 0.56)
    assert tuple(bandit[["reward_chance", "reward_fixed_policy", "reward_oracle"]]) == (-2, 6, 20)
    assert bandit["lifetimes"] == 8


def test_roles_pool_only_tasks_with_accuracy(tmp_path: Path) -> None:
    records = open_run(runs.write_run(tmp_path, free_runs.whole_run(WITH_BANDIT)))
    table = role_accuracy_by_generation(records)
    train = table[(table["role"] == "train") & (table["condition"] == "plastic")]
    assert set(train["lifetimes"]) == {8}
    assert set(train["chance"]) == {0.0625}
    assert not any(name.startswith("reward") for name in table.columns)


def test_free_running_runs_show_accuracy_and_reward_of_every_task(tmp_path: Path) -> None:
    records = open_run(runs.write_run(tmp_path, free_runs.whole_run(WITH_BANDIT)))
    text = shown(format_final_table(final_table(records)))
    accuracy, reward = rows_of(text, "yang19.go")
    # generations 0 and 40, quartiles, above fixed, fixed policy, chance, off, random genome
    assert accuracy == ["18", "72", "67-77", "100", "12", "6", "11", "18"]
    # generations 0 and 40, quartiles, fixed policy, chance, oracle, off, random genome
    assert reward == ["0.03", "0.67", "0.61..0.72", "0.30", "-0.10", "1.00", "-0.04", "0.03"]
    assert [len(rows_of(text, name)) for name in ("yang19.ctxdlydm1", "Bandit-v0")] == [2, 1]
    assert text.index("held-out tasks:") < text.index("yang19.ctxdlydm1") < text.index("yang19.go")


def test_the_text_below_says_what_each_level_means(tmp_path: Path) -> None:
    records = open_run(runs.write_run(tmp_path, free_runs.whole_run(WITH_BANDIT)))
    words = " ".join(shown(format_final_table(final_table(records))).split())
    for phrase in (
        "last 10 of the 40 trials",
        "8 of each held-out task and 8 of each training task",
        "Chance: any action with equal probability at each step.",
        "ignores the stimuli but knows when an answer is due",
        "gives one fixed answer",
        "Oracle: always the target action.",
        "have a reward alone: Bandit-v0.",
        "Measured at generation 40.",
    ):
        assert phrase in words


def test_only_rewards_make_one_table(tmp_path: Path) -> None:
    records = open_run(runs.write_run(tmp_path, free_runs.whole_run((free_runs.BANDIT,))))
    text = shown(format_final_table(final_table(records)))
    assert "Percent correct" not in text
    assert "Above fixed" not in text
    assert len(rows_of(text, "Bandit-v0")) == 1


@pytest.mark.parametrize("count", [(10, 4), (24, 6)])
def test_many_long_names_are_shown_whole(tmp_path: Path, count: tuple[int, int]) -> None:
    tasks = free_runs.many(*count)
    records = open_run(runs.write_run(tmp_path, free_runs.whole_run(tasks)))
    text = shown(format_final_table(final_table(records)))
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "…" not in text
    for task in tasks[1:]:
        assert len(rows_of(text, task.name)) == (1 if task.chance is None else 2)


def test_an_old_journal_without_rewards_is_read(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path, runs.whole_run())
    journal = run / "journal.ndjson"
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    for event in events:
        for entry in event.get("entries", []):
            for name in [name for name in entry if name.startswith("reward")]:
                del entry[name]
    journal.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    table = final_table(open_run(run))
    assert table["reward_mean"].isna().all()
    assert not is_self_paced(table)
    assert "Reward" not in shown(format_final_table(table))


def test_several_seeds_show_the_spread_of_both_measures(tmp_path: Path) -> None:
    refs = [
        runs.write_run(tmp_path / str(seed), free_runs.whole_run(WITH_BANDIT, seed, shift))
        for seed, shift in ((1, 0.0), (2, 0.1))
    ]
    report = compare_seeds(refs, tmp_path / "out")
    text = shown(format_seeds_table(report))
    accuracy, reward = rows_of(text, "yang19.go")
    assert accuracy[:2] == ["77", "(72-81)"]
    # 0.7 and 0.8 of the way from -0.1 to 1
    assert reward == ["0.72", "(0.67..0.78)", "0.30", "-0.10", "1.00", "-0.04", "0.03"]
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert {file.name for file in report.files} >= {
        "accuracy_across_seeds.png",
        "accuracy_by_task_across_seeds.png",
        "reward_by_task_across_seeds.csv",
    }
