"""Mutated files and words: read, or refused in one paragraph; never a traceback, never a hang."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from evoplastic.checks import EnvironmentFault, UsageError
from tests.fuzz.inputs import Input, inputs

MUTATIONS = int(os.environ.get("EVOPLASTIC_FUZZ", "500"))
HANG_S = 5.0
NASTY = (
    *("null", "~", "true", "-1", "0", "1", "2.0", "1e308", "1.0e+308", ".nan", ".inf", "-.inf"),
    *("999999999999999999999", "9" * 5000, "0x10", "1:30", "1_000", "2020-99-99", "0.1e-400"),
    *("''", '""', "[]", "{}", "[[]]", "{a: 1}", "!!int x", "!!float x", "!!binary x", "&a [*a]"),
    *(
        '"\\ud800"',
        "\ud800",
        "\x00",
        "\x1b[31m",
        "\u202e",
        "[/red]",
        "$\\frac$",
        "../../etc/passwd",
    ),
    *("[" * 500, "{" * 500, "- " * 300, "a: &a [x]\nb: [*a, *a]", "x" * 30_000, "<<: 1", "? [a]"),
    *("external", "node_perturbation_network", "uniform", "evil.py:Evil", "module:Env-v0"),
)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Input]:
    return inputs(tmp_path_factory.mktemp("fuzz"))


@st.composite
def mutations(draw: st.DrawFn, texts: tuple[str, ...]) -> str:
    """A sound text with one to three things about it changed."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("value", "value", "cut", "double", "swap", "splice", "byte")))
        places = [found.span() for found in re.finditer(r"[\w.+-]+", text)] or [(0, len(text))]
        begin, end = draw(st.sampled_from(places))
        if kind == "value":
            nasty = draw(st.one_of(st.sampled_from(NASTY), st.text(max_size=12)))
            text = text[:begin] + nasty + text[end:]
        elif kind == "cut":
            text = text[:begin] + text[draw(st.integers(begin, len(text))) :]
        elif kind == "double":
            text = text[:end] + text[begin:]
        elif kind == "swap":
            other = draw(st.sampled_from(places))
            text = text[:begin] + text[slice(*other)] + text[end:]
        elif kind == "splice":
            text = text[:begin] + draw(st.sampled_from(texts))[begin:]
        elif text:
            place = draw(st.integers(0, len(text) - 1))
            text = text[:place] + draw(st.characters(codec=None)) + text[place + 1 :]
    return text


@pytest.mark.parametrize(
    "name",
    ["recipe", "override", "rule", "suite", "genome", "checkpoint", "tracking", "journal"],
)
def test_a_mutation_is_read_or_refused(
    ground: dict[str, Input], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    counts = {"read": 0, "refused": 0}
    slowest = 0.0
    tried = ground[name]

    @seed(random.randrange(1 << 32) if MUTATIONS > 500 else 15)
    @settings(
        max_examples=-(-MUTATIONS // 8),
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(mutations(tried.texts))
    def run(text: str) -> None:
        nonlocal slowest
        began = time.process_time()  # a busy machine takes none of it
        try:
            tried.read(text)
            counts["read"] += 1
        except (UsageError, EnvironmentFault):
            counts["refused"] += 1
        seconds = time.process_time() - began
        slowest = max(slowest, seconds)
        assert seconds < HANG_S, f"{seconds:.1f} s"

    run()
    print(f"{name}: {counts['read']} read, {counts['refused']} refused, slowest {slowest:.2f} s")
