"""Names of what a run records: metrics, tags, models, files, and keys within them.

The folders `cluster` (writing) and `analysis` (reading) know each other through these names and
through the types in `events.py` alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from evoplastic.metric_names import metric_word

Role = Literal["train", "held_out"]
Condition = Literal["plastic", "plasticity_off", "random_genome"]
Status = Literal["done", "preempted", "interrupted", "failed"]

LOSS_STATISTICS = ("mean", "median", "best", "std")
ACCURACY_STATISTICS = ("mean", "median", "q25", "q75")

# Metric names; "/" groups charts in MLflow.
TRAIN_ACCURACY = "train/accuracy_mean"
TRAIN_REWARD = "train/reward_mean"
CLIPPED_LIFETIMES = "search/clipped_lifetimes"  # share whose gradient was larger than allowed
GRADIENT_NORM = "search/gradient_norm"
CENTER_NORM = "search/center_norm"
UPDATE_NORM = "search/update_norm"
FLAT_GENERATIONS = "search/flat_generations"  # in a row that told the search nothing
SEARCH_STDEV = "search/stdev"  # of the individuals, in units of their fields' scales
ARCHIVE_COVERAGE = "archive/coverage"  # share of cells that have an elite
ARCHIVE_QD_SCORE = "archive/qd_score"  # sum over elites of what their loss is better than the worst
POET_ACTIVE = "poet/active_pairs"
POET_CREATED = "poet/created"  # environments that were not there from the start
POET_SOLVED = "poet/solved"
POET_ANNECS = "poet/annecs"  # novel ones that were created and solved
POET_TRANSFERS = "poet/transfers"  # genomes that moved
POET_SCORE = "poet/score_mean"  # latest score of each genome in its own environment
SUMMARY = "_summary"  # what is asked first; MLflow sorts groups, and this one before all others
FAILED_INDIVIDUALS = "fault/failed_individuals"
RETRIED_SHARDS = "fault/retried_shards"
RAISED_TRIALS = "fault/raised_trials"  # of users' tasks, left out where they were drawn or lived
GENERATION_SECONDS = "time/generation_s"
EVALUATE_SECONDS = "time/evaluate_s"
UPDATE_SECONDS = "time/update_s"
CHECKPOINT_SECONDS = "time/checkpoint_s"
BANKS_SECONDS = "time/banks_s"
RENEW_SECONDS = "time/renew_s"  # making and judging environments, lifetimes apart

# Tag names of a run in the tracking store.
TAG_RUN_ID = "evoplastic.run_id"
TAG_CONFIG = "evoplastic.config_digest"
TAG_SUITE = "evoplastic.suite_digest"
TAG_GIT_COMMIT = "evoplastic.git_commit"
TAG_GIT_DIRTY = "evoplastic.git_dirty"
TAG_ENGINE = "evoplastic.engine"
TAG_GENOME = "genome.sha"
TAG_GENOME_PARENT = "genome.parent_sha"
TAG_RESUMES = "evoplastic.resumes"
TAG_SWEEP = "evoplastic.sweep_id"
TAG_SETTING = "evoplastic.setting_digest"  # of all settings but seed, name and machinery
TAG_OVERRIDES = "evoplastic.overrides"  # what differs from the recipe
TAG_RECIPE = "evoplastic.recipe"

# Tag names of a kept genome, a logged model of the tracking store.
MODEL_TYPE = "evoplastic genome"
MODEL_TAG_DIGEST = "genome_digest"
MODEL_TAG_PARENT = "parent_digest"  # of the first parent
MODEL_TAG_PARENT_RUN = "parent_run"  # of a first parent in another run
MODEL_TAG_PARENTS = "parents"  # all, as JSON
MODEL_TAG_OPERATOR = "operator"
MODEL_TAG_RUN = "run_id"
MODEL_TAG_GENERATION = "generation"
MODEL_TAG_USER = "user"
MODEL_TAG_CELL = "cell"  # of an elite: its bins along the axes of the archive
MODEL_HELD_OUT = "held_out/accuracy_mean"  # over all held-out lifetimes; metric of such a model

# File of a run directory: {"uri": the store last delivered to, "stores": {uri: how far it is}}.
JOURNAL_NAME = "journal.ndjson"
CONFIG_NAME = "config.resolved.yaml"
GENOME_SUFFIX = ".safetensors"
TRACKING_NAME = "tracking.json"
INITIAL_NAME = "initial.safetensors"  # these two in the folder genomes/
START_NAME = f"start{GENOME_SUFFIX}"  # the genome of another run that a run began with
CENTER_NAME = "center.safetensors"
SWEEP_NAME = "sweep.json"  # beside the directories of the runs of a sweep
ARCHIVE_NAME = "archive.json"  # what the elites of a run do, if it keeps any
PEDIGREE_NAME = "pedigree.parquet"  # who descends from whom, of a search that keeps individuals
PEDIGREE_LOG_NAME = "pedigree.ndjson"  # what it is made of, a line for each generation
PEDIGREE_SCHEMA = "evoplastic/pedigree/1"
NOT_RECORDED = "not recorded"  # operator of an individual of whose birth nothing is known
ELITES = "elites"  # folder of them in genomes/
ENVIRONMENTS_NAME = "environments.parquet"  # that evolve: of whom, when, solved by whom
TRANSFERS_NAME = "transfers.parquet"  # genomes that were tried in other environments than theirs
ENVIRONMENTS_FILE = "environments.yaml"  # the same environments as a collection of meta-tasks
PAIRS = "pairs"  # folder in genomes/ of the genome of each environment
POET_SCHEMA = "evoplastic/poet/1"
SOURCES = "sources"  # folder of what a run was made from


def kept_name(generation: int) -> str:
    """File of an evaluated center, in the folder genomes/ too.

    >>> kept_name(40)
    'gen_00000040.safetensors'
    """
    return f"gen_{generation:08d}{GENOME_SUFFIX}"


def generation_of(file: Path) -> int:
    """The generation of a file that is named by `kept_name`."""
    return int(file.stem.removeprefix("gen_"))


CHAIN = "chain"  # key of the running digest in a line of the journal


def loss_metric(statistic: str) -> str:
    """Metric of the population's losses: mean, median, best or std.

    >>> loss_metric("mean")
    'fitness/loss_mean'
    """
    return f"fitness/loss_{statistic}"


def group_metric(group: str, statistic: str) -> str:
    """Metric of the bare center over the held-out tasks of one group.

    >>> group_metric("3 new together", "accuracy_mean")
    'held_out_group/3 new together/accuracy_mean'
    """
    return f"held_out_group/{metric_word(group)}/{statistic}"


def task_metric(role: Role, condition: Condition, task: str, statistic: str) -> str:
    """Metric of the bare center on one task.

    >>> task_metric("held_out", "plastic", "dms", "accuracy_median")
    'held_out/dms/accuracy_median'
    >>> task_metric("train", "plasticity_off", "and", "accuracy_mean")
    'control/plasticity_off/and/accuracy_mean'
    >>> task_metric("train", "plastic", "lights@2", "reward_mean")
    'train/lights_x40_2/reward_mean'
    """
    group = role if condition == "plastic" else f"control/{condition}"
    return f"{group}/{metric_word(task)}/{statistic}"
