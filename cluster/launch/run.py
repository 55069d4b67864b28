"""The run that a launch file starts: settings, directory, and how the work is shared out."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.config.run import RunConfig, known_recipes, load_config
from cluster.workers.staffing.request import parse_workers
from evoplastic.checks import UsageError, require
from evoplastic.rules.python_file import is_reference

# Words that pass through a shell, YAML and Ray's own quoting unchanged.
PLAIN = re.compile(r"[A-Za-z0-9_./=,:+%-]+")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What is asked for, of each node that computes."""

    nodes: int
    cpus: int
    gpus: int = 0
    memory: str | None = None


@dataclass(frozen=True, kw_only=True)
class LaunchedRun:
    """One run, checked here before it is started elsewhere."""

    recipe: str
    overrides: tuple[str, ...]
    config: RunConfig
    run_dir: str
    options: tuple[str, ...] = ()  # of `evolve`: workers, and what each of them has

    @property
    def name(self) -> str:
        """A name that Slurm, Kubernetes and clouds all take."""
        return plain_name(f"{self.config.name}-seed{self.config.seed}")

    def words(self, recipe: str | None = None, *options: str) -> list[str]:
        """`evolve` with everything that follows; another place of the settings holds overrides."""
        settings = [self.recipe, *self.overrides] if recipe is None else [recipe]
        where = ["--run-dir", self.run_dir, "--continue"]
        return ["evolve", *settings, *where, *options, *self.options]

    @property
    def plain(self) -> bool:
        """Whether the settings are a recipe that comes along, and words that need no quotes."""
        return (
            self.recipe in known_recipes()
            and not self.files
            and all(PLAIN.fullmatch(word) for word in self.overrides)
        )

    @property
    def suite_file(self) -> str | None:
        """The suite, where it is a file."""
        suite = self.config.suite
        return suite if "/" in suite or suite.endswith((".yaml", ".yml")) else None

    def shared_out(self, machine: Machine) -> list[str]:
        """Options of `growing`, unless one process does it all on its one node."""
        alone = machine.nodes == 1 and machine.gpus <= 1 and not self.options
        return [] if alone else self.growing(machine)

    def growing(self, machine: Machine) -> list[str]:
        """Options of `evolve` for nodes that come one by one: a worker wherever there is room.

        None where the number of workers was given.
        """
        given = dict(zip(self.options[::2], self.options[1::2], strict=True))
        if "--workers" in given:
            return []
        cpus, gpus = given.get("--cpus-per-worker"), given.get("--gpus-per-worker")
        room = room_for_workers(
            machine, None if gpus is None else float(gpus), None if cpus is None else int(cpus)
        )
        return ["--workers", str(room)]

    @property
    def files(self) -> list[str]:
        """Files of the user that the run needs where it is started."""
        named = [] if self.recipe in known_recipes() else [self.recipe]
        named += [] if self.suite_file is None else [self.suite_file]
        values = (word.partition("=")[2] for word in self.overrides)
        return named + [value.rpartition(":")[0] for value in values if is_reference(value)]


def check_run(
    recipe: str,
    overrides: Sequence[str],
    run_dir: str,
    machine: Machine,
    *,
    workers: str | None = None,
    gpus_per_worker: float | None = None,
    cpus_per_worker: int | None = None,
) -> LaunchedRun:
    """The run with its options, or what is wrong with it, hours before a queue would find out.

    Raises:
        UsageError: the settings do not hold, or the machine has not what workers or the engine
            need.
    """
    config = load_config(recipe, overrides)
    require(bool(run_dir) and run_dir.isprintable(), f"--run-dir is {run_dir!r}, expected a path")
    require_engine(config, machine)
    for option, asked, there in (
        ("gpus", gpus_per_worker, machine.gpus),
        ("cpus", cpus_per_worker, machine.cpus),
    ):
        require(
            asked is None or asked <= there,
            f"--{option}-per-worker is {asked or 0:g}, but a node has {there}; raise "
            f"--{option}, or ask for less",
        )
    _require_workers(machine, workers, gpus_per_worker, cpus_per_worker)
    given = (
        ("--workers", workers),
        ("--gpus-per-worker", gpus_per_worker),
        ("--cpus-per-worker", cpus_per_worker),
    )
    options = [
        word
        for option, value in given
        if value is not None
        for word in (option, f"{value:g}" if isinstance(value, float) else str(value))
    ]
    return LaunchedRun(
        recipe=recipe,
        overrides=tuple(overrides),
        config=config,
        run_dir=run_dir,
        options=tuple(options),
    )


def room_for_workers(machine: Machine, gpus: float | None, cpus: int | None) -> int:
    """How many workers all nodes have room for, with so many GPUs and CPUs for each."""
    room = machine.cpus // (cpus or 1)
    gpus = min(1, machine.gpus) if gpus is None else gpus
    return machine.nodes * (min(room, int(machine.gpus / gpus)) if gpus > 0 else room)


def _require_workers(
    machine: Machine, workers: str | None, gpus: float | None, cpus: int | None
) -> None:
    """Refuse workers that could never come."""
    if workers == "0":
        require(
            machine.nodes == 1 and gpus is None and cpus is None,
            "--workers 0 is one process on one node, and more is asked for; leave it out, or say "
            "how many workers",
        )
        return
    request = parse_workers(workers, gpus_per_worker=gpus, cpus_per_worker=cpus or 1)
    require(
        request.most != "num_gpus" or machine.gpus > 0,
        "--workers num_gpus is one worker for each GPU, and --gpus is 0; say how many GPUs a node "
        "has, or leave out --workers",
    )
    room = room_for_workers(machine, gpus, cpus)
    require(
        request.least <= room,
        f"--workers is {request.words}, but there is room for {room} on {machine.nodes} nodes of "
        f"{machine.cpus} CPUs and {machine.gpus} GPUs, so that no generation would begin; ask for "
        "fewer, or for more nodes",
    )


def require_engine(config: RunConfig, machine: Machine) -> None:
    """Refuse an engine that does not go with the nodes.

    Raises:
        UsageError: there is no GPU for it, or it would leave GPUs idle.
    """
    require(
        config.engine != "gpu" or machine.gpus > 0,
        "engine=gpu needs a GPU, and --gpus is 0; say --gpus 1, or leave the engine to `auto`",
    )
    require(
        machine.gpus == 0 or config.engine in ("auto", "gpu"),
        f"--gpus is {machine.gpus}, but engine={config.engine} leaves GPUs idle; leave out --gpus, "
        "or the engine",
    )


def require_image(image: str, config: RunConfig, machine: Machine) -> None:
    """Refuse an image that lacks the engine: those of our Dockerfile say what they hold.

    Raises:
        UsageError: GPUs are to be used, and the image holds the CPU engine alone.
    """
    tag = image.rpartition(":")[2]
    for_cpus = re.search(r"(^|[-_.])cpu($|[-_.])", tag) is not None
    require(
        not (for_cpus and (machine.gpus > 0 or config.engine == "gpu")),
        f"the image {image} holds the CPU engine alone, but "
        f"{'engine=gpu' if config.engine == 'gpu' else f'--gpus {machine.gpus}'} needs the GPU "
        "engine; build one with `docker build --build-arg DEVICE=cuda`, and give it as --image",
    )


def require_workers(run: LaunchedRun) -> None:
    """Refuse a run without workers on a cluster whose head computes nothing.

    Raises:
        UsageError: `--workers 0` was asked for.
    """
    require(
        run.options[:2] != ("--workers", "0"),
        "--workers 0 is the driver alone, and would leave the nodes of the cluster idle; leave it "
        "out, or say how many workers",
    )


def require_within(run: LaunchedRun, folder: Path) -> None:
    """Refuse files that would not travel with the folder.

    Raises:
        UsageError: a file lies elsewhere.
    """
    for file in run.files:
        where = Path(os.path.relpath(file, folder))
        if where.is_absolute() or ".." in where.parts:
            raise UsageError(
                f"{file} is not within {folder}, which is copied to the cluster; start from a "
                "folder that holds all files of the run"
            )


def plain_name(text: str) -> str:
    """A name of at most 40 small letters, digits and dashes.

    >>> plain_name("Mine_v2.1-seed3")
    'mine-v2-1-seed3'
    """
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:40].strip("-")


def as_command(words: Sequence[str]) -> str:
    """Words as a line for a shell."""
    return " ".join(map(shlex.quote, words))
