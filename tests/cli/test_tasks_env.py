"""tasks check TASK and tasks preview, for registered tasks and for a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoplastic.__main__ import main
from tasks.neurogym.environments import find_source
from tasks.neurogym.faults.replay import replay_trial
from tests.cli.conftest import Command

MINE = (
    "from tests.tasks.small_envs import Echo, RaisesInMidTrial\n\nclass MyTask(Echo):\n    pass\n"
)


def test_check_reports_levels_and_path(command: Command) -> None:
    found = command("tasks", "check", "GoNogo", "--json").json
    assert found["task"] == "GoNogo-v0"
    assert found["path"] == "bank"
    assert found["evolvable"] is True
    assert found["interface"] == {"num_inputs": 3, "num_outputs": 2}
    assert found["trial_steps"] == {"min": 75, "median": 75.0, "max": 75}
    assert found["oracle"]["accuracy"] == 1.0
    assert found["deterministic"]
    assert found["varies_with_seed"]
    assert found["periods_without_steps"] == ["fixation"]
    assert found["trials_per_s"] > 0


def test_check_speaks_to_people(command: Command, tmp_path: Path) -> None:
    (tmp_path / "my_task.py").write_text(MINE)
    answer = command("tasks", "check", "my_task.py:MyTask", "--set", "wait_ms=200")
    assert answer.code == 0
    for word in ("3 inputs, 3 actions", "20 to 20 steps of 20 ms", "bit for bit", "oracle"):
        assert word in answer.out
    assert "closest" in answer.out


RARELY = """
class Rarely(Echo):
    def _new_trial(self, **kwargs):
        if self.rng.rand() < 0.02:
            raise ValueError("no such stimulus")
        return super()._new_trial(**kwargs)
"""


def test_check_tries_one_trial_alone(command: Command, tmp_path: Path) -> None:
    (tmp_path / "my_task.py").write_text(MINE + RARELY)
    source = find_source("my_task.py:Rarely")
    raising = next(n for n in range(2000) if not isinstance(replay_trial(source, 7, n), int))
    words = ("tasks", "check", "my_task.py:Rarely", "--seed", "7", "--trial")
    told = command(*words, str(raising), "--json")
    assert (told.code, told.json["raises"]["said"]) == (2, "ValueError: no such stimulus")
    answer = command(*words, str(raising))
    assert answer.code == 2
    assert "raises in new_trial(): ValueError: no such stimulus" in answer.err
    assert "my_task.py" in answer.err
    assert "is sound, 15 steps" in command(*words, str(raising + 1)).out
    assert "--actions needs --trial" in command("tasks", "check", "dms", "--actions", "a").err


OLD = """
import gym
from gym import spaces
import numpy as np
import neurogym as ngym
from neurogym import TrialEnv


class Old(ngym.TrialEnv):
    def __init__(self, dt=100):
        super().__init__(dt=dt)
        self.timing = {'delay': ngym.random.TruncExp(600, 300, 3000), 'decision': 100}
        self.action_space = spaces.Discrete(3)
        self.observation_space = spaces.Discrete(3)

    def _new_trial(self, **kwargs):
        self.add_period(list(self.timing))
        ob = np.zeros((self.tmax / self.dt, 3))
        return {}

    def _step(self, action):
        return self.ob[self.t / self.dt], 0, False, {'new_trial': action == 1}
"""


def test_check_names_all_that_is_old_at_once(command: Command, tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(OLD)
    answer = command("tasks", "check", "old.py:Old")
    assert answer.code == 2
    assert "No module named 'gym' (old.py:2)" in answer.err
    lines = [line for line in answer.err.splitlines() if line.startswith("  old.py:")]
    assert [int(line.split(":")[1]) for line in lines] == [2, 3, 6, 9, 12, 14, 18, 22, 22]
    for said in (
        "from gymnasium import spaces",
        "from neurogym.core import TrialEnv",
        "from neurogym.utils.ngym_random import TruncExp",
        "spaces.Box(0, 1, shape=(3,))",
        "int(self.tmax / self.dt)",
        "return self.ob[self.t / self.dt], 0, False, False, {'new_trial': action == 1}",
    ):
        assert said in answer.err


def test_check_tries_what_can_be_tried(command: Command, tmp_path: Path) -> None:
    """Once it can be imported, all that is left is told in one go as well."""
    text = OLD.replace("import gym\nfrom gym ", "import gymnasium\nfrom gymnasium ")
    text = text.replace("from neurogym import TrialEnv", "from neurogym.core import TrialEnv")
    text = text.replace("ngym.TrialEnv", "TrialEnv")
    text = text.replace("ngym.random.TruncExp(600, 300, 3000)", "60")
    (tmp_path / "old.py").write_text(text)
    answer = command("tasks", "check", "old.py:Old")
    assert answer.code == 2
    assert "(observations): its observation space is Discrete(3)" in answer.err
    assert "(raises): new_trial() raised TypeError" in answer.err
    assert "(old.py:18)" in answer.err
    assert answer.err.count("\n  old.py:") == 4


def test_check_notes_what_was_hardly_meant(command: Command, tmp_path: Path) -> None:
    pays_nothing = "class Free(Echo):\n    def _step(self, action):\n"
    pays_nothing += (
        "        shown, _, *rest = super()._step(action)\n        return shown, 0, *rest"
    )
    (tmp_path / "my_task.py").write_text(f"{MINE}\n{pays_nothing}\n")
    assert "note: no action ever pays" in command("tasks", "check", "my_task.py:Free").out
    found = command("tasks", "check", "my_task.py:MyTask", "--json").json
    assert found["notes"] == []


def test_check_says_what_must_be_stepped(command: Command) -> None:
    answer = command("tasks", "check", "Reaching1D")
    assert answer.code == 0
    assert "observation depends on action" in answer.out
    assert "Suites take it" in answer.out
    found = command("tasks", "check", "Reaching1D", "--json").json
    assert (found["path"], found["evolvable"]) == ("stepping", True)
    assert found["interface"]["num_outputs"] == 3
    assert found["steps_per_s"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "yang19.dsm"), "did you mean 'yang19.dms-v0'?"),
        (("check", "SpatialSuppressMotion"), "(actions): its action space is Box"),
        (("check", "my_task.py:RaisesInMidTrial"), "the lever broke"),
        (("check", "my_task.py:MyTask", "--set", "wait_ms"), "expected KEY=VALUE"),
        (("check", "my_task.py:MyTask", "--set", "wait_ms=[1"), "is not valid YAML"),
        (("check", "my_task.py:MyTask", "--set", "no_such=1"), "no_such"),
        (("preview", "my_task.py:MyTask", "--out", "a.nothing"), "ending"),
        (("preview", "HierarchicalReasoning", "--out", "a.png"), "keeps state"),
        (("show", "yang19.dsm"), "did you mean 'yang19.dms-v0'?"),
    ],
)
def test_what_cannot_be_used_is_refused(
    command: Command, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "my_task.py").write_text(MINE)
    answer = command("tasks", *words)
    assert answer.code == 2
    assert message in answer.err


def test_preview_writes_a_picture(command: Command, tmp_path: Path) -> None:
    answer = command("tasks", "preview", "yang19.go", "--out", "pictures/go.png", "--trials", "2")
    assert answer.code == 0
    assert (tmp_path / "pictures" / "go.png").read_bytes().startswith(b"\x89PNG")
    assert "drew 2 trials" in answer.out


def test_preview_of_a_state_machine(command: Command, tmp_path: Path) -> None:
    answer = command("tasks", "preview", "DawTwoStep", "--out", "two.svg")
    assert answer.code == 0
    assert (tmp_path / "two.svg").read_text().startswith("<?xml")


def test_check_names_the_closest_task(command: Command) -> None:
    found = command("tasks", "check", "yang19.rtgo", "--json").json
    assert found["closest"]["task"].startswith("yang19.")
    assert found["closest"]["gain"] > 0.8
    machine = command("tasks", "check", "Bandit", "--json").json
    assert (machine["path"], machine["closest"]) == ("machine", None)


def test_check_doubts_a_task_that_goes_on_after_its_answer(command: Command) -> None:
    doubt = "right in every trial"
    assert doubt in command("tasks", "check", "evoplastic/TwoStimulus-dms").out
    words = ("--set", "answer_ends_trial=true")
    assert doubt not in command("tasks", "check", "evoplastic/TwoStimulus-dms", *words).out


def test_show_tells_lines_settings_and_suites(command: Command) -> None:
    shown = command("tasks", "show", "GoNogo", "--set", "timing={delay: 100}", "--json").json
    assert shown["inputs"] == ["fixation", "nogo", "go"]
    assert shown["actions"] == ["fixation", "go"]
    assert shown["settings"] == {"rewards": "None", "timing": "{'delay': 100}"}
    assert ["mixed", "train"] in shown["suites"]
    text = command("tasks", "show", "yang19.dms", "--set", "dim_ring=2").out
    assert "Point to the second stimulus" in text
    assert "5: 0, 1, 2, 3, 4" in text  # which modality is shown has no name of its own


SUITE = """
name: mine
pacing: self_paced
train: ["my_task.py:MyTask", {task: "my_task.py:Slow", name: slow}]
held_out: [GoNogo]
"""
SLOW = """
class Slow(Echo):
    def __init__(self, dt=20):
        super().__init__(dt, wait_ms=200)
"""


def test_check_of_a_free_suite(command: Command, tmp_path: Path) -> None:
    (tmp_path / "my_task.py").write_text(MINE + SLOW)
    (tmp_path / "mine.yaml").write_text(SUITE)
    answer = command("tasks", "check", "--suite", "mine.yaml")
    assert answer.code == 0
    assert "suite mine is sound: 2 training tasks, 1 held out (GoNogo)" in answer.out
    assert "3 inputs, 3 actions" in answer.out
    found = command("tasks", "check", "--suite", "mine.yaml", "--json").json
    rows = {row["task"]: row for row in found["tasks"]}
    assert rows["slow"]["closest_train"]["task"] == "MyTask"
    assert rows["slow"]["levels"]["oracle"] == {"accuracy": 1.0, "reward": 1.0}
    assert (rows["GoNogo"]["num_outputs"], rows["GoNogo"]["path"]) == (2, "bank")


def test_check_warns_of_a_held_out_task_that_leaves_little_to_learn(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "my_task.py").write_text(MINE + SLOW)
    held_out = SUITE.replace("held_out: [GoNogo]", "").replace(
        "train: [", "train: [GoNogo]\nheld_out: ["
    )
    (tmp_path / "mine.yaml").write_text(held_out.replace("[GoNogo]", '[GoNogo, "my_task.py:Wait"]'))
    (tmp_path / "my_task.py").write_text(
        MINE + SLOW + SLOW.replace("Slow", "Wait").replace("200", "140")
    )
    answer = command("tasks", "check", "--suite", "mine.yaml")
    assert answer.code == 0
    assert "warning: what answers training task Wait is right in 100%" in answer.out


def test_check_refuses_a_free_suite_that_leaks(command: Command, tmp_path: Path) -> None:
    (tmp_path / "my_task.py").write_text(MINE + "class Copy(MyTask):\n    pass\n")
    leaky = SUITE.replace("my_task.py:Slow", "my_task.py:Copy").replace(
        "[GoNogo]", '["my_task.py:Echo"]'
    )
    (tmp_path / "mine.yaml").write_text(leaky)
    answer = command("tasks", "check", "--suite", "mine.yaml")
    assert answer.code == 2
    assert "held-out task 'Echo' asks the same as training task 'MyTask'" in answer.err


def test_what_is_no_environment_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(
        "def number(dt=20):\n    return 5\n\n\ndef broken(dt=20):\n    raise RuntimeError('no')\n"
    )
    assert main(["tasks", "check", "mine.py:number"]) == 2
    said = capsys.readouterr().err
    assert "it returns int, expected a neurogym TrialEnv" in said
    assert "attempts.py" not in said
    assert main(["tasks", "check", "mine.py:broken"]) == 2
    said = capsys.readouterr().err
    assert said.count("RuntimeError") == 1
    assert "mine.py:6" in said


def test_preview_of_the_states_of_a_meta_task(command: Command, tmp_path: Path) -> None:
    answer = command("tasks", "preview", "meta/two-step", "--graph", "--out", "states.svg")
    assert answer.code == 0
    assert "drew 3 states of two-step into states.svg" in answer.out
    assert "shows 2" in (tmp_path / "states.svg").read_text()
    refused = command("tasks", "preview", "DawTwoStep", "--graph", "--out", "states.svg")
    assert refused.code == 2
    assert "DawTwoStep is none; leave it out, or name meta/NAME" in refused.err


def test_a_combination_of_factors_is_shown_and_drawn(command: Command, tmp_path: Path) -> None:
    found = command("tasks", "show", "same-long-anti-a_over_b", "--json").json
    assert found["answers"] == {"0 0": 0, "0 1": 1, "1 0": 1, "1 1": 0}
    assert found["factors"]["modality"] == "a_over_b"
    assert (found["trials"], found["levels"]) == (16, {"chance": 0.5, "fixed": 0.5})
    assert found["periods_ms"]["stimulus1"] == [0.0, 120.0]
    text = command("tasks", "check", "and-short-pro-a").out
    assert "combinations (held-out, 3 new together)" in text
    out = tmp_path / "mine.png"
    words = ("tasks", "preview", "same-none-pro-b", "--out", out)
    drawn = command(*words, "--json").json
    assert (drawn["file"], drawn["task"]) == (str(out), "same-none-pro-b")
    assert out.stat().st_size > 10_000
    for more, said in (
        (("--trials", "5"), "--trials is 5, but same-none-pro-b has 4 different trials"),
        (("--set", "delay=long"), "takes no --set"),
        (("--graph",), "--graph draws states of a meta-task"),
    ):
        refused = command(*words, *more)
        assert (refused.code, said in refused.err) == (2, True)
    assert command("tasks", "show", "same-none-pro-b", "--table", "published").code == 2
