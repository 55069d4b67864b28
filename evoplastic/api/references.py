"""Where a genome is that somebody names: one resolver for every place that asks for a genome.

g.safetensors            a file
runs/laptop-seed1-001    a run directory: its last center; the folder runs/ may be left out
RUN@40, RUN@initial      the center of a run after 40 generations, the genome it began with
RUN@e7                   the genome of an environment that evolved with it (POET)
3f0c4e...                an MLflow run: its last center; with @40 too, once the run is over
m-3f0c4e...              a logged model of MLflow
a1b2c3d4                 the first digits of a genome's digest
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from evoplastic.api.defaults import RUNS
from evoplastic.checks import EnvironmentFault, UsageError, require
from evoplastic.inside import require_inside

SUFFIX = ".safetensors"  # of genome files
SHIPPED = Path(__file__).resolve().parents[2] / "genomes"  # in a clone of the project
FEWEST_DIGITS = 6  # of a digest
MODEL = re.compile(r"m-[0-9a-f]{32}")
DIGITS = re.compile(rf"[0-9a-f]{{{FEWEST_DIGITS},64}}")
HINT = (
    "give a genome file, a run directory, RUN@GENERATION, RUN@ENVIRONMENT, an id of an MLflow run "
    "or of a logged model, or the first digits of a digest"
)


class Found(NamedTuple):
    """A genome's file, and the configuration of its run where that is known."""

    path: Path
    config: Path | None


def find_genome(ref: str | Path, store: str | None = None) -> Found:
    """The genome that a reference means.

    Args:
        ref: see above.
        store: MLflow tracking URI; none means MLFLOW_TRACKING_URI, else ./mlflow.db.

    Raises:
        UsageError: there is none, listing everything that was tried; digits that several genomes
            begin with; a generation that a run has not kept, listing those that it has.
    """
    text, tried = str(ref), list[str]()
    found = _on_disk(text, tried)
    if found is None and _is_word(text):
        found = _by_digits(text, tried) or _in_store(text, store, tried)
    if found is None:
        listed = "; ".join(tried)
        raise UsageError(f"no genome {text!r} (tried: {listed}); {HINT}")
    return found


def _is_word(text: str) -> bool:
    """Whether a reference may be an id or digits, and is no path that was mistyped."""
    return re.fullmatch(r"[\w.-]+(@\w+)?", text) is not None and not text.endswith(SUFFIX)


def _on_disk(text: str, tried: list[str]) -> Found | None:
    path = Path(text)
    if os.path.isfile(text):  # which no name upsets
        return _beside(path)
    tried.append("a file or run directory of that name")
    if os.path.isdir(text):
        return _of_run(path, "center")
    run, at, which = text.rpartition("@")
    run, which = (run, which) if at else (text, "center")
    if not run:
        return None
    places = [Path(run)] if at else []
    places += [] if Path(run).is_absolute() else [RUNS / run]
    for place in places:
        tried.append(f"the run directory {place}")
        if os.path.isdir(place):
            return _of_run(place, which)
    return None


def _beside(file: Path) -> Found:
    from evoplastic.records.names import CONFIG_NAME, PAIRS

    folder = file.absolute().parent
    config = (folder.parent if folder.name == PAIRS else folder).parent / CONFIG_NAME
    return Found(file, config if config.is_file() else None)


def _of_run(directory: Path, which: str) -> Found:
    """The genome of a run directory: "center", "initial", of a generation, or an environment."""
    from evoplastic.records.names import CENTER_NAME, INITIAL_NAME, generation_of, kept_name

    require_inside(directory)
    genomes = directory / "genomes"
    if re.fullmatch(r"e\d{1,9}", which):
        return _of_environment(directory, which)
    known = {"center": CENTER_NAME, "initial": INITIAL_NAME, "0": INITIAL_NAME}
    if not which.isdecimal() or which in known:
        require(
            which in known,
            f"{directory}@{which} names no genome of a run; give a generation, as in "
            f"{directory}@40, or {directory}@initial",
        )
        file = genomes / known[which]
        require(
            file.is_file(),
            f"{directory} has no genome {known[which]}; give the directory of a run that has been "
            "evaluated at least once",
        )
        return _beside(file)
    file = genomes / kept_name(int(which))
    if not file.is_file():
        kept = sorted(generation_of(each) for each in genomes.glob("gen_*") if _is_kept(each))
        listed = ", ".join(map(str, kept)) or "none"
        raise UsageError(
            f"{directory} has not kept the center of generation {which}; evaluated centers are "
            f"kept (evaluation.every, evaluation.genomes_mib), here of generations {listed}"
        )
    return _beside(file)


def _of_environment(directory: Path, name: str) -> Found:
    """The genome of an environment of a run in which tasks evolve."""
    from evoplastic.records.names import PAIRS

    file = directory / "genomes" / PAIRS / f"{name}{SUFFIX}"
    if not file.is_file():
        kept = sorted(int(each.stem[1:]) for each in file.parent.glob(f"e[0-9]*{SUFFIX}"))
        listed = ", ".join(f"e{number}" for number in kept) or "none, since no tasks evolve in it"
        raise UsageError(
            f"{directory} has no genome of an environment {name}; environments of it are {listed}"
        )
    return _beside(file)


def _is_kept(file: Path) -> bool:
    return re.fullmatch(r"gen_\d{8}\.safetensors", file.name) is not None


def _by_digits(text: str, tried: list[str]) -> Found | None:
    """A genome near the working directory whose digest begins so."""
    if not DIGITS.fullmatch(text):
        return None
    tried.append(f"digests of the genomes in ./, genomes/, {RUNS}/*/genomes/ and {SHIPPED}")
    found: dict[str, Path] = {}
    for file in _near():
        digest = written_digest(file)
        if digest is not None and digest.startswith(text):
            found.setdefault(digest, file)
    require(
        len(found) < 2,
        f"{len(found)} genomes begin with {text}: "
        + ", ".join(f"{digest[:16]} ({file})" for digest, file in sorted(found.items())[:8])
        + "; give more digits",
    )
    return next((_beside(file) for file in found.values()), None)


def _near() -> Iterator[Path]:
    for folder in (Path("."), Path("genomes"), *sorted(RUNS.glob("*/genomes")), SHIPPED):
        for file in sorted(folder.glob(f"*{SUFFIX}")):
            if file.is_file() and not file.is_symlink():
                yield file


def written_digest(file: Path) -> str | None:
    """The digest that a genome file's header states; None for anything else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np") as opened:
            header = json.loads((opened.metadata() or {})["evoplastic"])
        digest = (
            header["digest"] if str(header["schema"]).startswith("evoplastic/genome/") else None
        )
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        return None
    return digest if isinstance(digest, str) else None


@cache
def _downloads() -> tempfile.TemporaryDirectory[str]:
    """A folder for what comes from a store; it goes with the process."""
    return tempfile.TemporaryDirectory(prefix="evoplastic-")


def _in_store(text: str, store: str | None, tried: list[str]) -> Found | None:
    from analysis.mlflow_store import (
        download_model,
        download_records,
        find_uri,
        holder_of_genome,
    )

    uri = store or find_uri()
    folder = Path(tempfile.mkdtemp(dir=_downloads().name))
    try:
        if MODEL.fullmatch(text):
            tried.append(f"logged models of {uri}")
            download_model(text, folder, uri)
            return _only_genome(folder, text)
        run, _, which = text.partition("@")
        if DIGITS.fullmatch(run):
            tried.append(f"digests of the newest centers and of all logged models of {uri}")
            holder = holder_of_genome(run, uri)
            if holder.run_id is None and holder.model_id is not None and not which:
                download_model(holder.model_id, folder, uri)
                return _only_genome(folder, holder.model_id)
            run = holder.run_id or run
        tried.append(f"runs of {uri}")
        download_records(run, folder, uri)
    except UsageError as error:
        tried.append(str(error).split("; ")[0])
        return None
    except EnvironmentFault as error:
        tried.append(str(error).split("; ")[0])
        return None
    return _of_run(folder, which or "center")


def _only_genome(folder: Path, model: str) -> Found:
    from evoplastic.records.names import CONFIG_NAME

    files = sorted(folder.rglob(f"*{SUFFIX}"))
    require(len(files) == 1, f"logged model {model} holds {len(files)} genome files, expected one")
    config = next(iter(sorted(folder.rglob(CONFIG_NAME))), None)
    return Found(files[0], config)
