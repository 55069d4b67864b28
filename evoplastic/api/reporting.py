"""One page about some runs, to be sent: written here, and put beside the runs in MLflow."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evoplastic.checks import EnvironmentFault, UsageError, require

if TYPE_CHECKING:
    from analysis.page.again import Origin
    from analysis.store import RunRecords

logger = logging.getLogger(__name__)

SUFFIXES = (".html", ".htm")


class Report(NamedTuple):
    """What was written, and where else it is."""

    files: tuple[Path, ...]
    run_ids: tuple[str, ...]
    story: str
    mlflow_run_ids: tuple[str, ...]  # runs that have the files among their figures
    left_out: tuple[str, ...]  # a sentence for each run of a folder without a number


def report(
    *runs: str | Path,
    out: str | Path = "report.html",
    latex: str | Path | None = None,
    pdf: bool = False,
    store: str | None = None,
    to_mlflow: bool = True,
) -> Report:
    """Write one self-contained page about a run, or about several of them, compared.

    Everything is read and made before a file is written; where one cannot be written, none is.

    Args:
        runs: run directories, run ids, MLflow run ids, or folders of runs, as for `analyze`.
        out: the page, below 5 MB; it opens without a network.
        latex: file for the tables, a LaTeX document with booktabs.
        pdf: print the page beside it with Chromium, as report.pdf.
        store: MLflow tracking URI; none means that of each run.
        to_mlflow: add the files to the figures of the runs that were delivered to MLflow; a store
            that fails costs a warning.

    Raises:
        UsageError: no such run, none with an evaluation, runs that were measured on different
            tasks, a seed twice in one setting; a name that no page can have.
        EnvironmentFault: a file cannot be written; no browser to print with; a store that does not
            answer though a run is to be read from it.
    """
    from analysis.folders import open_all
    from analysis.page.contents import contents_of
    from analysis.page.latex import latex_of
    from analysis.page.making import page_of
    from analysis.page.printing import find_browser, printed
    from analysis.page.story import story
    from evoplastic.storage import write_together

    page_file, table_file = _places(Path(out), None if latex is None else Path(latex))
    browser = find_browser() if pdf else None
    require(len(runs) > 0, "no run given, expected at least one to report")
    found = open_all(runs, store)
    contents = contents_of(found.runs, found.keys)
    page = page_of(contents, {run.run_id: origin_of(run) for run in contents.runs})
    written = {page_file: page.encode(errors="replace")}
    if table_file is not None:
        written[table_file] = latex_of(contents).encode()
    if browser is not None:
        written[page_file.with_suffix(".pdf")] = printed(page, browser)
    write_together(written)
    told = _deliver(contents.runs, list(written), store) if to_mlflow else ()
    return Report(
        files=tuple(written),
        run_ids=tuple(run.run_id for run in contents.runs),
        story=" ".join(story(contents)),
        mlflow_run_ids=told,
        left_out=found.left_out,
    )


def _places(page: Path, table: Path | None) -> tuple[Path, Path | None]:
    require(
        page.suffix.lower() in SUFFIXES,
        f"the report is to be {page}, expected a name that ends in .html",
    )
    require(
        table is None or table.suffix.lower() == ".tex",
        f"the table is to be {table}, expected a name that ends in .tex",
    )
    for place in (page, table):
        require(
            place is None or not place.is_dir(), f"{place} is a folder, expected a file to write"
        )
    return page, table


def origin_of(run: RunRecords) -> Origin:
    """From what recipe a run was made, and all of its settings without places of this machine."""
    from analysis.page.again import Origin
    from analysis.page.words import without_places
    from cluster.config.run import load_config
    from cluster.tracking.page.naming import overrides, parameters
    from evoplastic.records.names import CONFIG_NAME

    name = str(run.config.get("name", ""))
    try:
        whole = load_config(run.directory / CONFIG_NAME).model_dump(mode="json")
        own = {key: v for key, v in parameters(whole).items() if not _of_a_start(key)}
        differing = {k: v for k, v in overrides(whole).items() if not _of_a_start(k)}
        words = tuple(f"{key}={_word(value)}" for key, value in differing.items())
        recipe = parameters(load_config(name).model_dump(mode="json"))
        same = parameters(load_config(name, [f"seed={run.seed}", *words]).model_dump(mode="json"))
        told = tuple(f"{k}={_word(without_places(v))}" for k, v in differing.items())
        again = {key: value for key, value in same.items() if not _of_a_start(key)} == own
    except UsageError:  # a name that no recipe has, or settings of a version that had others
        return Origin(None, {}, (), _settings(run.config))
    before = {key: recipe.get(key, recipe.get(f"{key}.name")) for key in differing}
    changes = {key: (before[key], value) for key, value in differing.items()}
    if not again:
        return Origin(None, {}, (), _settings(run.config))
    return Origin(name, changes, told, _settings(run.config))


def _of_a_start(key: str) -> bool:
    return key.startswith("warm_start")  # named by `--from`


def _settings(config: dict[str, Any]) -> str:
    """A configuration as a file; of a path of this machine the name is left."""
    import yaml

    from analysis.page.words import without_places

    kept = {key: v for key, v in config.items() if key not in ("tracking", "warm_start")}
    return str(yaml.safe_dump(without_places(kept), sort_keys=False, allow_unicode=True))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _deliver(
    runs: Sequence[RunRecords], files: Sequence[Path], store: str | None
) -> tuple[str, ...]:
    """Put the files among the figures of each run that its store knows."""
    from analysis.mlflow_store import find_uri, log_figures

    told = []
    with tempfile.TemporaryDirectory(prefix="evoplastic-") as folder:
        name = "report" if len(runs) == 1 else f"report_of_{len(runs)}_runs"
        named = [Path(folder) / f"{name}{file.suffix}" for file in files]
        for file, copy in zip(files, named, strict=True):
            shutil.copyfile(file, copy)
        for run in runs:
            tracking = run.config.get("tracking") or {}
            if not tracking.get("enabled", True):
                continue
            uri = store or (find_uri() if run.from_mlflow else find_uri(run.config, run.directory))
            try:
                told.append(log_figures(run.run_id, named, uri))
            except (UsageError, EnvironmentFault) as error:
                logger.warning("the report was not added to MLflow: %s", error)
    return tuple(told)
