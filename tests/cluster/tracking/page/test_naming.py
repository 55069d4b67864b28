from __future__ import annotations

from typing import Any

import pytest
import yaml

from cluster.config.run import load_config
from cluster.tracking.page.naming import (
    LONGEST,
    MACHINERY,
    identity_tags,
    overrides,
    parameters,
    run_name,
    setting_digest,
)
from evoplastic.records.events import StartEvent
from tests.cluster import written_runs


def config(*changes: str, recipe: str = "laptop") -> dict[str, Any]:
    """A configuration as its file holds it."""
    loaded: dict[str, Any] = yaml.safe_load(load_config(recipe, changes).to_yaml())
    return loaded


def start(seed: int, name: str = "laptop") -> StartEvent:
    return StartEvent(**{**vars(written_runs.start()), "name": name, "seed": seed})


def test_a_name_tells_seed_and_what_differs() -> None:
    assert run_name(start(7), config("seed=7")) == "laptop-seed7"
    changed = config("seed=7", "search.sigma=0.05", "rule=oja", "threads=3")
    assert run_name(start(7), changed).startswith("laptop-seed7 ")
    assert "sigma=0.05" in run_name(start(7), config("search.sigma=0.05"))
    many = [f"lifetime.dynamics.{key}=3.5" for key in ("stimulus_gain", "feedback_gain")]
    many += ["search.sigma=0.05", "search.popsize=10", "num_neurons=90"]
    name = run_name(start(7), config(*many))
    assert name.endswith("+2")
    assert len(run_name(start(7, "n" * 64), config(*many))) <= LONGEST


def test_overrides_leave_out_seed_and_machinery() -> None:
    changed = config("seed=3", "threads=2", "engine=cpu", "tracking.experiment=x", "num_neurons=90")
    assert overrides(changed) == {"num_neurons": 90}
    assert overrides(config("name=mine", "num_neurons=90")) == {}, "no recipe is called so"


def test_another_search_is_named_as_one_would_say_it() -> None:
    """Options that came with the search are no differences; an option that was set is one."""
    changed = config("search=snes", "search.popsize=8")
    assert overrides(changed) == {"search": "snes", "search.popsize": 8}
    assert run_name(start(7), changed) == "laptop-seed7 search=snes popsize=8"
    assert setting_digest(load_config("laptop", ["search=snes", "search.popsize=8"]).flat()) == (
        setting_digest(changed)
    )


def test_an_entry_of_a_file_leaves_its_name_and_options() -> None:
    changed = config()
    changed["rule"] = {**changed["rule"], "name": "of_a_file", "eta": 0.5}
    assert overrides(changed) == {"rule.name": "of_a_file", "rule.eta": 0.5}


def test_a_genome_is_what_it_holds_however_it_was_named() -> None:
    one, other = (
        config() | {"warm_start": {"genome": "ab" * 32, "given": given, "adapt": False}}
        for given in ("first@2", "/home/me/runs/first@2")
    )
    assert identity_tags(one) == identity_tags(other)
    assert run_name(start(7), one).startswith("laptop-seed7 from=abababab")


@pytest.mark.parametrize(
    "change",
    ["seed=9", "name=other", "threads=2", "engine=cpu", "tracking.enabled=false",
     "pairs_per_shard=3", "evaluation.held_out_lifetimes=8"],
)  # fmt: skip
def test_seed_name_and_machinery_make_no_setting(change: str) -> None:
    assert setting_digest(config(change)) == setting_digest(config())


@pytest.mark.parametrize("change", ["search.sigma=0.07", "rule=oja", "evolution.generations=7"])
def test_what_decides_makes_a_setting(change: str) -> None:
    assert setting_digest(config(change)) != setting_digest(config())


def test_tags_group_seeds_and_tell_overrides() -> None:
    one, other = (identity_tags(config(f"seed={seed}", "num_neurons=90")) for seed in (1, 2))
    assert one == other
    assert one["evoplastic.overrides"] == "num_neurons=90"
    assert one["evoplastic.recipe"] == "laptop"


def test_machinery_is_no_parameter() -> None:
    kept = parameters(config())
    assert {"search.sigma", "seed", "suite", "evaluation.every"} < set(kept)
    assert not [key for key in kept if key.startswith(MACHINERY)]


def test_settings_of_old_runs_have_their_present_names() -> None:
    old = {"name": "x", "seed": 1, "evolution": {"sigma": 0.1, "alternate_halves": True}}
    assert parameters(old) == {
        "name": "x",
        "seed": 1,
        "search.sigma": 0.1,
        "curriculum.name": "alternate_halves",
    }
