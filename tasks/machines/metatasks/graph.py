"""Ways through the states of a meta-task: what is reached, what is endless, how long it takes.

`next_S[s]` are the states that s may lead to; a state that ends the trial leads nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence


def reached(next_S: Sequence[Collection[int]], ends: Collection[int]) -> set[int]:
    """The states that some way from state 0 comes to.

    >>> sorted(reached([{1}, {1, 2}, {0}, {0}], ends=[2]))
    [0, 1, 2]
    """
    met, todo = {0}, [0]
    while todo:
        for new in next_S[todo.pop()]:
            if new not in met:
                met.add(new)
                if new not in ends:
                    todo.append(new)
    return met


def cycle_without_end(
    next_S: Sequence[Collection[int]], ends: Collection[int]
) -> tuple[int, ...] | None:
    """States that lead around in a circle without ending the trial, the first one again at last.

    >>> cycle_without_end([{1}, {2}, {1, 3}, {0}], ends=[3])
    (1, 2, 1)
    >>> cycle_without_end([{1}, {2}, {3}, {0}], ends=[3])
    """
    done: set[int] = set()
    way: list[int] = []
    branches = [iter([0])]
    while branches:
        state = next(branches[-1], None)
        if state is None:
            branches.pop()
            if way:
                done.add(way.pop())
        elif state in ends and way:
            continue
        elif state in way:
            return (*way[way.index(state) :], state)
        elif state not in done:
            way.append(state)
            branches.append(iter(sorted(next_S[state])))
    return None


def longest_way(next_S: Sequence[Collection[int]], ends: Collection[int]) -> int:
    """Actions of the longest trial of states without circles.

    >>> longest_way([{1, 2}, {2}, {0}], ends=[2])
    2
    """
    layer, steps = {0}, 0
    while layer:
        layer = {new for state in layer for new in next_S[state] if new not in ends}
        steps += 1
    return steps
