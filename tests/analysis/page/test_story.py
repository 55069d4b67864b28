from __future__ import annotations

from pathlib import Path

from analysis.page.contents import contents_of
from analysis.page.story import story
from analysis.store import open_run
from tests.analysis import free_runs, runs
from tests.cluster.tracking.page import long_runs


def written(folder: Path, seed: int, shift: float = 0.0) -> Path:
    return runs.write_run(folder / f"r{seed}", runs.whole_run(seed, shift))


def test_a_run_is_told_by_its_numbers_beside_their_levels(tmp_path: Path) -> None:
    told = story(contents_of([open_run(written(tmp_path, 5))]))
    assert told == [
        "small (seed 5) is done: 4 generations.",
        "On the held-out task dms, on which no genome was ever selected, the newest network "
        "answers 75.0 % of the last 10 of 40 trials of a lifetime correctly.",
        "The best fixed policy reaches 62.5 %, which 75.0 % of the lifetimes exceed; chance is "
        "50.0 %.",
        "At generation 0 it was 45.0 %.",
        "On the training task and the newest network answers 95.0 % of the last 10 of 40 trials of "
        "a lifetime correctly.",
        "No evaluation came to 90 % on held-out tasks.",
        "With plasticity off the same network reaches 45.0 %.",
        "A random genome reaches 60.0 %.",
    ]


def test_when_the_ability_appeared_and_what_it_took(tmp_path: Path) -> None:
    told = " ".join(story(contents_of([open_run(long_runs.write(tmp_path / "long", 1))])))
    assert "40 generations in 1 min 20 s of evolution." in told
    assert "90 % on held-out tasks were first passed at generation 40, after 1 min 20 s" in told
    assert "(dms 9" in told  # a mean of two tasks has both beside it
    assert "dnms 9" in told


def test_seeds_are_told_with_their_spread(tmp_path: Path) -> None:
    seeds = [written(tmp_path, 5), written(tmp_path, 6, 0.1)]
    told = " ".join(story(contents_of([open_run(seed) for seed in seeds])))
    assert "2 runs (seeds 5 and 6) of small, which differ in nothing else." in told
    assert "78.8 % (75.0 % to 82.5 % over 2 seeds)" in told


def test_settings_are_compared_and_an_overlap_is_named(tmp_path: Path) -> None:
    low, high = ("search.sigma=0.05",), ()
    made = [
        long_runs.write(tmp_path / f"run{number}", seed, 20, changes, reached=reached)
        for number, (seed, changes, reached) in enumerate(
            [(1, high, 1.0), (2, high, 0.5), (1, low, 0.9), (2, low, 0.8)]
        )
    ]
    told = " ".join(story(contents_of([open_run(run) for run in made])))
    assert "4 runs of 2 settings, which differ in search.sigma." in told
    first, second = told.index("sigma=0.05: 8"), told.index("sigma=0.03: 8")
    assert first < second
    assert "overlap: the order of these two may be chance" in told
    apart = [open_run(made[0]), open_run(made[2])]
    assert "with one seed of a setting, chance may be all" in " ".join(story(contents_of(apart)))


def test_tasks_without_right_answers_are_named(tmp_path: Path) -> None:
    tasks = (*free_runs.TWO, free_runs.BANDIT)
    run = runs.write_run(tmp_path / "free", free_runs.whole_run(tasks))
    told = " ".join(story(contents_of([open_run(run)])))
    assert "1 task (Bandit-v0) has no right answers, and the rewards below." in told


def test_rewards_of_several_tasks_are_not_averaged(tmp_path: Path) -> None:
    tasks = [free_runs.BANDIT._replace(name=name, role="held_out") for name in ("A", "B")]
    run = runs.write_run(tmp_path / "free", free_runs.whole_run(tasks))
    told = " ".join(story(contents_of([open_run(run)])))
    # 0.7 and 0.7 * 0.85 of the way from chance, -2, to the oracle, 20
    assert "earns A 13.4, B 11.1 a trial over the last 10 of 40 trials" in told
    assert "At generation 0 it was A 0.64, B 0.244." in told
    assert "mean" not in told
