"""Run directories that are named by settings."""

from __future__ import annotations

import pytest

from cluster.config.naming import filled_in
from cluster.config.run import load_config
from evoplastic.checks import UsageError

CONFIG = load_config("smoke", ["seed=7", "search.sigma=0.02", "tracking.experiment=my/own"])


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ("runs/plain", "runs/plain"),
        ("runs/{name}-s{seed}-sigma{search.sigma}", "runs/smoke-s7-sigma0.02"),
        ("/shared/{seed:03d}/{rule}", "/shared/007/node_perturbation"),
        ("{tracking.experiment}", "my-own"),
        ("{tracking.uri}", "none"),
        ("a{{b}}", "a{b}"),
    ],
)
def test_settings_are_filled_in(given: str, filled: str) -> None:
    assert str(filled_in(given, CONFIG)) == filled


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{sead}", r"no setting 'sead'; did you mean 'seed'\?"),
        ("{search.stigma}", "did you mean 'search.sigma'"),
        ("{seed", "write {seed} for a setting"),
        ("{seed!r}", "there is no !r"),
        ("{name:03d}", "--run-dir {name:03d}: "),
    ],
)
def test_what_is_no_setting_is_refused(given: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        filled_in(given, CONFIG)
