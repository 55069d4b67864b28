"""What tasks are called and said to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.neurogym.environments import EnvSource, find_source
from tasks.suites.catalogue import (
    all_tasks,
    closest_registered,
    describe_source,
    first_sentence,
    line_names,
    roles_in_suites,
    show_source,
)
from tests.tasks.small_envs import Echo


def test_every_task_is_listed_once() -> None:
    names = [entry.task for entry in all_tasks()]
    assert len(names) == len(set(names))
    assert {"dms", "GoNogo", "yang19.dmc", "evoplastic/MetaBandit"} <= set(names)
    for name in names[-3:]:
        assert find_source(name).name == f"{name}-v0"


def test_descriptions_come_from_suites_then_from_classes() -> None:
    assert describe_source(EnvSource("yang19.anti-v0")).startswith("Point away")
    assert describe_source(EnvSource("GoNogo-v0")) == "Go/No-go task."
    held = describe_source(EnvSource("evoplastic/GoOrHold-v0"))
    assert held.startswith("Point to the stimulus if it comes in one modality")
    assert describe_source(EnvSource(Echo)).startswith("See a bit, wait, say it")
    assert first_sentence(lambda: None) == ""


def test_lines_have_the_names_of_their_spaces() -> None:
    inputs, actions = line_names(EnvSource("yang19.dm1-v0", {"dim_ring": 2}))
    assert inputs == [
        "fixation",
        "stimulus_mod1 1",
        "stimulus_mod1 2",
        "stimulus_mod2 1",
        "stimulus_mod2 2",
    ]
    assert actions == ["fixation", "choice 1", "choice 2"]
    assert line_names(EnvSource(Echo)) == (["0", "1", "2"], ["0", "1", "2"])


def test_roles_in_our_suites() -> None:
    assert dict(roles_in_suites("yang19.dms-v0")) == {
        "mixed": "held_out",
        "yang19": "held_out",
        "yang19-hold": "held_out",
        "yang19-small": "held_out",
    }
    assert list(roles_in_suites("Null-v0")) == []


def test_settings_given_replace_defaults() -> None:
    assert show_source(EnvSource(Echo))["settings"] == {"wait_ms": "100"}
    assert show_source(EnvSource(Echo, {"wait_ms": 300}))["settings"] == {"wait_ms": "300"}


def test_a_copy_in_a_file_is_closest_to_what_it_copies(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from neurogym.envs.native.contextdecisionmaking import ContextDecisionMaking\n\n"
        "class Mine(ContextDecisionMaking):\n"
        "    def _new_trial(self, **kwargs):\n"
        "        self.rng.rand()\n"  # other draws
        "        return super()._new_trial(**kwargs)\n"
    )
    found = closest_registered(find_source(f"{path}:Mine"))
    assert found is not None
    assert found.task == "ContextDecisionMaking-v0"


@pytest.mark.parametrize("name", ["Bandit-v0", "ProbabilisticReasoning-v0"])
def test_what_cannot_be_compared_is_close_to_nothing(name: str) -> None:
    assert closest_registered(EnvSource(name)) is None
