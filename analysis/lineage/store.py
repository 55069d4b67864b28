"""Lineages as a tracking store tells them: its logged models, whoever's runs they are of.

From a run to those that it began with and those that began with it, one query each for a run of
the family.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from analysis.lineage.graph import Key, Node
from analysis.mlflow_store import open_client
from evoplastic.checks import UsageError, require
from evoplastic.genome.parents import read_parents
from evoplastic.records.names import (
    MODEL_HELD_OUT,
    MODEL_TAG_DIGEST,
    MODEL_TAG_GENERATION,
    MODEL_TAG_OPERATOR,
    MODEL_TAG_PARENT_RUN,
    MODEL_TAG_PARENTS,
    MODEL_TAG_RUN,
    MODEL_TAG_USER,
)

PAGE = 1000
MOST_RUNS = 1000  # of a family


def nodes_in_store(run_ids: Iterable[str], digests: Iterable[str], uri: str) -> Iterator[Node]:
    """The genomes of some runs, of those that they began with, and of those that began with them.

    Args:
        run_ids: ids of runs, our own.
        digests: of genomes that may belong to any run.
        uri: MLflow tracking URI.

    Raises:
        UsageError: the family has too many runs.
        EnvironmentFault: the store does not answer.
    """
    with open_client(uri) as client:
        experiments = [each.experiment_id for each in client.search_experiments()]
        waiting = list(dict.fromkeys(run_ids))
        for digest in digests:
            clause = f"tags.`{MODEL_TAG_DIGEST}` = '{_word(digest)}'"
            waiting += [_tag(each, MODEL_TAG_RUN) for each in _models(client, experiments, clause)]
        seen: set[str] = set()
        while waiting:
            run_id = waiting.pop()
            if not run_id or run_id in seen:
                continue
            seen.add(run_id)
            require(
                len(seen) <= MOST_RUNS,
                f"more than {MOST_RUNS} runs of {uri} come from each other; ask for a genome "
                "further down",
            )
            word = _word(run_id)
            for model in _models(client, experiments, f"tags.`{MODEL_TAG_RUN}` = '{word}'"):
                node = _node(model, uri)
                yield node
                waiting += [parent.run_id for parent in node.parents]
            for model in _models(client, experiments, f"tags.`{MODEL_TAG_PARENT_RUN}` = '{word}'"):
                waiting.append(_tag(model, MODEL_TAG_RUN))


def _models(client: Any, experiments: list[str], clause: str) -> Iterator[Any]:
    token = None
    while experiments:
        page = client.search_logged_models(
            experiments, filter_string=clause, max_results=PAGE, page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def _tag(model: Any, name: str) -> str:
    return str(model.tags.get(name, ""))


def _word(text: str) -> str:
    return text.replace("'", "")  # the filter language has no escape


def _node(model: Any, uri: str) -> Node:
    generation = _tag(model, MODEL_TAG_GENERATION)
    try:
        parents = read_parents({"parents": json.loads(_tag(model, MODEL_TAG_PARENTS) or "[]")}, {})
    except (ValueError, UsageError):
        parents = ()
    reached = [metric for metric in (model.metrics or ()) if metric.key == MODEL_HELD_OUT]
    return Node(
        Key(
            _tag(model, MODEL_TAG_RUN),
            int(generation) if generation.isdecimal() else None,
            _tag(model, MODEL_TAG_DIGEST),
        ),
        parents,
        _tag(model, MODEL_TAG_OPERATOR),
        reached[0].value if reached else None,
        f"{uri} {model.model_id}",
        _tag(model, MODEL_TAG_USER),
    )
