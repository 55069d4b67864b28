"""genome import | show | diff | list: look into genomes, and import published ones."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, positive, print_json, print_table

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers


REFERENCE = (
    "a genome file, a run directory (its last center), RUN@GENERATION (or, of a run in which tasks "
    "evolve, RUN@ENVIRONMENT), an id of an MLflow run or "
    "logged model, or the first digits of a digest"
)


def add_verbs(verbs: Subparsers) -> None:
    """Declare `genome` and its verbs."""
    family = add_verb(
        verbs,
        "genome",
        "import, describe and compare genomes",
        "evoplastic genome show runs/laptop-seed1-001/genomes/center.safetensors",
    ).add_subparsers(title="verbs", metavar="VERB", required=True)

    importing = add_verb(
        family,
        "import",
        "import the text matrices of a published run (row = receiving neuron)",
        "evoplastic genome import --w w.txt --alpha alpha.txt --out g.safetensors",
        run_import,
    )
    importing.add_argument(
        "--w", type=Path, required=True, metavar="FILE", help="innate weights N x N"
    )
    importing.add_argument(
        "--alpha", type=Path, required=True, metavar="FILE", help="plasticity coefficients N x N"
    )
    importing.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="genome to write"
    )
    importing.add_argument(
        "--num-inputs", type=positive, default=2, metavar="I", help="stimulus inputs (default 2)"
    )
    importing.add_argument(
        "--num-outputs", type=positive, default=2, metavar="O", help="responses (default 2)"
    )
    add_json(importing)

    show = add_verb(
        family,
        "show",
        "describe a genome: sizes, neuron groups, weights, where it came from",
        "evoplastic genome show g.safetensors\n"
        "evoplastic genome show runs/laptop-seed1-001@40 --json",
        run_show,
    )
    show.add_argument("genome", metavar="GENOME", help=REFERENCE)
    add_json(show)

    diff = add_verb(
        family,
        "diff",
        "say how far two genomes of one size lie apart",
        "evoplastic genome diff runs/laptop-seed1-001@initial runs/laptop-seed1-001",
        run_diff,
    )
    diff.add_argument("old", metavar="OLD", help=REFERENCE)
    diff.add_argument("new", metavar="NEW", help="as OLD")
    add_json(diff)

    listing = add_verb(
        family,
        "list",
        "list the genomes that a run keeps: generation, digest, parents, held-out scores",
        "evoplastic genome list runs/laptop-seed1-001\n"
        "evoplastic genome list 3f0c... --store sqlite:///mlflow.db --json",
        run_list,
    )
    listing.add_argument("run_ref", metavar="RUN", help="run directory, run id or MLflow run id")
    listing.add_argument("--store", metavar="URI", help="MLflow store (default: as `ui`)")
    add_json(listing)


def run_import(args: argparse.Namespace) -> int:
    """Text matrices to one genome file."""
    from evoplastic.genome.describe import describe_genome
    from evoplastic.genome.text import genome_from_text

    paths = {"w": args.w, "alpha": args.alpha}
    genome = genome_from_text(paths, args.num_inputs, args.num_outputs)
    genome.save(args.out)
    if args.json:
        print_json({"genome": str(args.out), **describe_genome(genome)})
    else:
        print(f"wrote {args.out}: {genome.groups.num_neurons} neurons, digest {genome.digest}")
    return exits.DONE


def run_show(args: argparse.Namespace) -> int:
    """Everything that is known about one genome."""
    from evoplastic.api.setting import load
    from evoplastic.genome.describe import describe_genome

    genome = load(args.genome)
    description = describe_genome(genome)
    if args.json:
        print_json(description)
    else:
        description["parents"] = [str(parent) for parent in genome.parents]
        print_table(("", ""), _leaves(description))
    return exits.DONE


def run_diff(args: argparse.Namespace) -> int:
    """Distances between two genomes, per field."""
    from evoplastic.api.setting import load
    from evoplastic.genome.describe import distances

    old, new = load(args.old), load(args.new)
    apart = distances(old, new)
    if args.json:
        print_json({"old": old.digest, "new": new.digest, **apart})
        return exits.DONE
    print(f"old  {old.digest}\nnew  {new.digest}")
    columns = list(next(iter(apart.values())))
    print_table(
        ("", *(column.replace("_", " ") for column in columns)),
        [
            (name, *(f"{values[column]:.4g}" for column in columns))
            for name, values in apart.items()
        ],
    )
    return exits.DONE


def run_list(args: argparse.Namespace) -> int:
    """The kept genomes of one run, by generation."""
    from analysis.negations import BIAS_MEANS
    from analysis.store import open_run
    from evoplastic.checks import UsageError
    from evoplastic.genome.genome import Genome
    from tasks.suites.negations import negations_of

    records = open_run(args.run_ref, args.store)
    negations = negations_of(records.start, records.config)
    reached = {event.generation: event.held_out_accuracy for event in records.evaluations}
    biases = {event.generation: event.held_out_bias(negations) for event in records.evaluations}
    found: list[dict[str, Any]] = []
    damaged: list[str] = []  # why a file is none of the genomes
    for name, path in records.genomes.items():
        try:
            genome = Genome.load(path)
        except UsageError as fault:
            damaged.append(str(fault))
            continue
        generation = genome.provenance.get("generation", "")
        known = int(generation) if generation.isdecimal() else None
        found.append(
            {
                "genome": name,
                "generation": known,
                "digest": genome.digest,
                "parents": [parent.digest for parent in genome.parents],
                "operator": genome.operator,
                "held_out": None if known is None else reached.get(known),
                "bias": None if known is None else biases.get(known),
            }
        )
    found.sort(key=lambda each: (each["generation"] is None, each["generation"], each["genome"]))
    if args.json:
        print_json({"run_id": records.run_id, "genomes": found, "damaged": damaged})
        return exits.DONE
    print_table(
        ("generation", "genome", "digest", "made by", "from", "held out", "bias"),
        [
            (
                "-" if each["generation"] is None else str(each["generation"]),
                each["genome"],
                each["digest"][:16],
                each["operator"] or "-",
                ", ".join(digest[:16] for digest in each["parents"]) or "-",
                *(
                    "-" if each[name] is None else f"{each[name]:.1%}"
                    for name in ("held_out", "bias")
                ),
            )
            for each in found
        ],
        title=f"Genomes of run {records.run_id}",
    )
    if any(each["bias"] is not None for each in found):
        print(f"\n{BIAS_MEANS}")
    for reason in damaged:
        print(f"left out: {reason}", file=sys.stderr)
    return exits.DONE


def _leaves(values: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, dict):
            rows += _leaves(value, f"{name} ")
        elif isinstance(value, list):
            rows.append((name, ", ".join(map(str, value)) or "-"))
        else:
            rows.append((name, f"{value:.4g}" if isinstance(value, float) else str(value)))
    return rows
