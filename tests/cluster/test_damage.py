"""A journal that does not fit its run is refused by name, or the run goes on exactly right."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.checkpoint import load_checkpoint
from cluster.config.run import load_config
from cluster.executors import StopRequested
from cluster.journal import read_journal
from cluster.loop import evolve, resume
from cluster.progress import SilentProgress, Tick
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.records.events import EvaluationEvent, GenerationEvent

WORDS = (
    "engine=reference",
    "tracking.enabled=false",
    "num_neurons=16",
    "lifetime.num_trials=6",
    "lifetime.scored_trials=3",
    "search.popsize=4",
    "evolution.generations=6",
    "evaluation.every=2",
    "evaluation.held_out_lifetimes=1",
    "evaluation.train_lifetimes=0",
    "evaluation.controls=false",
)
Damage = Callable[[list[bytes]], bytes]


def changed_digit(number: int) -> Damage:
    """Another digit in the measured values of one line; the line is as good an event as before."""

    def damage(lines: list[bytes]) -> bytes:
        line = lines[number % len(lines)]
        place = [found.start() for found in re.finditer(rb"\d", line.split(b',"chain"')[0])][-1]
        other = b"%d" % ((int(line[place : place + 1]) + 1) % 10)
        lines[number % len(lines)] = line[:place] + other + line[place + 1 :]
        return b"".join(lines)

    return damage


def lost(first: int, count: int) -> Damage:
    def damage(lines: list[bytes]) -> bytes:
        first_lost = first % len(lines)
        return b"".join(lines[:first_lost] + lines[first_lost + count :])

    return damage


def cut(share: float) -> Damage:
    def damage(lines: list[bytes]) -> bytes:
        whole = b"".join(lines)
        return whole[: int(share * len(whole))]

    return damage


def zeroed(first: float, last: float) -> Damage:
    def damage(lines: list[bytes]) -> bytes:
        whole = b"".join(lines)
        begin, end = int(first * len(whole)), int(last * len(whole))
        return whole[:begin] + b"\0" * (end - begin) + whole[end:]

    return damage


def swapped(first: int) -> Damage:
    def damage(lines: list[bytes]) -> bytes:
        lines[first], lines[first + 1] = lines[first + 1], lines[first]
        return b"".join(lines)

    return damage


def unsealed(lines: list[bytes]) -> bytes:
    lines[3] = lines[3].split(b',"chain"')[0] + b"}\n"
    return b"".join(lines)


DAMAGES: dict[str, Damage] = {
    "emptied": lambda lines: b"",
    "without line feed": lambda lines: b"".join(lines)[:-1],
    "doubled": lambda lines: b"".join(lines + lines),
    "a line twice": lambda lines: b"".join([*lines[:3], lines[2], *lines[3:]]),
    "words": lambda lines: b"hello\n",
    "without a digest": unsealed,
    **{f"digit of line {number}": changed_digit(number) for number in (0, 1, 2, 4, -2, -1)},
    **{f"without line {number}": lost(number, 1) for number in (0, 1, 2, 5, -1)},
    **{f"without the last {count}": lost(-count, count) for count in (2, 3, 5)},
    "without the first 3": lost(0, 3),
    **{f"cut at {share}": cut(share) for share in (0.1, 0.5, 0.97)},
    **{f"zeroed {span}": zeroed(*span) for span in ((0, 1), (0, 0.1), (0.4, 0.6), (0.9, 1))},
    **{f"lines {number} and {number + 1} exchanged": swapped(number) for number in (0, 3)},
}


class StopAt(SilentProgress):
    """As if the scheduler wanted the machine back after so many generations."""

    def __init__(self, generation: int) -> None:
        self._generation = generation

    def tick(self, tick: Tick) -> None:
        """Ask for a stop once."""
        if tick.generation == self._generation:
            raise StopRequested


def contents(run_dir: Path) -> tuple[object, ...]:
    """What must not depend on luck."""
    tensors = load_checkpoint(run_dir / "checkpoints").tensors
    events, _ = read_journal(run_dir / "journal.ndjson")
    return (
        {name: tensor.numpy().tobytes() for name, tensor in tensors.items()},
        [
            (event.generation, event.metrics["fitness/loss_mean"])
            for event in events
            if isinstance(event, GenerationEvent)
        ],
        [
            (event.generation, event.genome_digest, event.entries)
            for event in events
            if isinstance(event, EvaluationEvent)
        ],
        Genome.load(run_dir / "genomes" / "initial.safetensors").digest,
    )


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The run at its end, pre-empted in the middle, and killed before a checkpoint."""
    folder = tmp_path_factory.mktemp("states")
    config = load_config("smoke", WORDS)
    evolve(config, folder / "done")
    evolve(config, folder / "preempted", progress=StopAt(4))
    shutil.copytree(folder / "preempted", folder / "killed")
    sorted((folder / "killed" / "checkpoints").iterdir())[-1].unlink()
    return {name: folder / name for name in ("done", "preempted", "killed")}


def fault_of_resume(run_dir: Path) -> str | None:
    """Resume a run to its end; the refusal, or None."""
    try:
        assert resume(run_dir).status == "done"
    except UsageError as error:
        return str(error)
    return None


@pytest.mark.parametrize("state", ["done", "preempted", "killed"])
def test_every_damage_is_named_or_mended(
    states: dict[str, Path], tmp_path: Path, state: str
) -> None:
    expected = contents(states["done"])
    named = mended = 0
    for number, (name, damage) in enumerate({"removed": None, **DAMAGES}.items()):
        run_dir = tmp_path / str(number)
        shutil.copytree(states[state], run_dir)
        journal = run_dir / "journal.ndjson"
        initial = (run_dir / "genomes" / "initial.safetensors").read_bytes()
        if damage is None:
            journal.unlink()
        else:
            journal.write_bytes(damage(journal.read_bytes().splitlines(keepends=True)))
        fault = fault_of_resume(run_dir)
        assert fault is None or str(journal) in fault, name
        assert fault is not None or contents(run_dir) == expected, name
        named += fault is not None
        mended += fault is None
        assert (run_dir / "genomes" / "initial.safetensors").read_bytes() == initial, name
    print(f"{state}: {named} named, {mended} exactly right, of {len(DAMAGES) + 1}")
    assert named + mended >= 30
    assert named > mended


def test_a_journal_shorter_than_what_was_delivered_is_named(
    states: dict[str, Path], tmp_path: Path
) -> None:
    """Its last line was a session, which would be measured again and told a second time."""
    run_dir = tmp_path / "run"
    shutil.copytree(states["done"], run_dir)
    journal = run_dir / "journal.ndjson"
    size = journal.stat().st_size
    (run_dir / "tracking.json").write_text(
        f'{{"stores": {{"sqlite:///a.db": {{"experiment": "study", "offset": {size}}}}}}}'
    )
    assert resume(run_dir).already_finished
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(UsageError, match="has lost lines"):
        resume(run_dir)


def test_a_journal_of_another_run_is_named(states: dict[str, Path], tmp_path: Path) -> None:
    evolve(load_config("smoke", WORDS), tmp_path / "other")
    run_dir = tmp_path / "run"
    shutil.copytree(states["done"], run_dir)
    shutil.copy(tmp_path / "other" / "journal.ndjson", run_dir / "journal.ndjson")
    with pytest.raises(UsageError, match="does not begin with the start of run"):
        resume(run_dir)


def test_a_journal_of_an_earlier_version_goes_on_with_digests(
    states: dict[str, Path], tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(states["preempted"], run_dir)
    journal = run_dir / "journal.ndjson"
    plain = re.sub(rb',"chain":"[0-9a-f]{16}"', b"", journal.read_bytes())
    journal.write_bytes(plain)
    assert resume(run_dir).status == "done"
    assert contents(run_dir) == contents(states["done"])
    whole = journal.read_bytes()
    assert whole.startswith(plain)
    journal.write_bytes(whole.replace(b'"generation":2', b'"generation":3', 1))
    with pytest.raises(UsageError, match="does not follow on the lines before it"):
        resume(run_dir)


def test_another_first_genome_is_never_written_over(
    states: dict[str, Path], tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(states["preempted"], run_dir)
    initial = run_dir / "genomes" / "initial.safetensors"
    shutil.copy(run_dir / "genomes" / "center.safetensors", initial)
    before = initial.read_bytes()
    with pytest.raises(UsageError, match=r"initial\.safetensors is not the genome"):
        resume(run_dir)
    assert initial.read_bytes() == before
    initial.unlink()
    assert resume(run_dir).status == "done"
    assert contents(run_dir) == contents(states["done"])
