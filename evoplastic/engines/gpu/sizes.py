"""What a kernel is compiled for: sizes of groups and tiles, places of neurons, codes of options.

Needs no Triton.
"""

from __future__ import annotations

from typing import NamedTuple

from evoplastic.engines.codes import BASELINE_CODES, FEEDBACK_CODES, OUTCOME_CODES
from evoplastic.engines.gpu.every_step.codes import NO_CODES, RuleCodes, matrices_of, rule_codes
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.table import Schedule

SMALLEST_TILE = 16  # a matrix product on the GPU takes no smaller blocks
# Unclamped neurons whose matrices fit into the registers of one program, and how many matrices:
# weights and traces; or weights, coefficients, plastic weights and traces. With the schedule
# every_step it is as many as fit, `matrices_of` the rule.
ON_CHIP: dict[Schedule, tuple[int, int]] = {"at_outcome": (128, 2), "lazy": (64, 4)}
REGISTERS_FOR_MATRICES = 128  # of the 255 that a thread can have
REGISTERS_IF_SELF_PACED = 160  # of the 255, where sources that are clamped count too
# The matrices of one network, one behind the other, [len(MATRICES), row, U'].
MATRICES = ("w", "alpha", "p", "elig", "weight")
FULL_WARPS = 8  # warps of 255 registers a thread that fill a streaming multiprocessor
DRAWS_PER_BLOCK = 128
STEPS_PER_PRODUCT = 16


class Tiles(NamedTuple):
    """How a network is cut up.

    A matrix lies transposed, [row, U'], row = U' + C': U' is the number U of unclamped neurons and
    C' the number C of clamped ones, rounded up; row j < U' is unclamped source j, row U' + c is
    clamped source c, column i is unclamped target i, and everything beyond U and C is 0. What
    clamped neurons receive can never be observed and is left out.
    """

    on_chip: bool
    wide: int  # U'
    clamped: int  # C'
    block_sources: int
    block_targets: int
    num_warps: int
    programs_per_processor: int

    @property
    def row(self) -> int:
        """U' + C'."""
        return self.wide + self.clamped

    @property
    def matrix(self) -> int:
        """Numbers of one matrix."""
        return self.row * self.wide


class Sizes(NamedTuple):
    """All that a kernel is compiled for, as one compile-time constant."""

    neurons: int  # N
    inputs: int  # I
    outputs: int  # O
    num_clamped: int  # C
    num_unclamped: int  # U
    feedback_at: int  # first place of a group among the clamped neurons
    bias_at: int
    action_at: int
    modulators_at: int  # first place of a group among the unclamped neurons
    num_modulators: int  # K
    response_at: int
    wide: int  # U'
    clamped: int  # C'
    row: int  # U' + C'
    matrix: int  # numbers of one matrix
    matrices_width: int  # numbers that a program keeps of each piece of `bundles.Memory`,
    history_width: int  # in a row of it where there is a row for each step
    xi_width: int
    force_width: int
    x_width: int
    block_sources: int
    block_targets: int
    block_steps: int
    block_draws: int
    action_slots: int  # room for the actions where they are read from memory
    clamp_slots: int  # room for the clamped neurons in kernels that know both layouts
    kind_slots: int  # room for the running means of all trial kinds
    channels: int  # in a row of the observations
    choices: int  # in a row of the rewards
    feedback: int  # codes as in `engines.codes`
    outcome: int
    baseline: int
    gate_always: bool
    own_intrinsic: bool  # whether neurons have leaks and thresholds of their own
    gains: bool  # whether modulatory neurons amplify rates
    shifts: bool  # whether they shift thresholds
    fan_out: int  # signals that are fanned out onto plasticity, 0 if all targets have one M
    own_rows: int  # of what neurons have of their own: leak, threshold, and fan-outs
    lazy: bool  # the schedule: weights change at steps, else at outcomes
    on_chip: bool  # the layout: matrices in registers, else in memory
    self_paced: bool  # the kind of trials
    course: bool  # whether some task has a course, and lifetimes may have probes
    rule: RuleCodes  # what the schedule every_step is compiled for


def make_tiles(
    groups: NeuronGroups, config: LifetimeConfig, streamed: bool = False, self_paced: bool = False
) -> Tiles:
    """How a network is laid out: on chip where it fits, else streamed block by block.

    Self-paced trials keep what comes from clamped neurons on chip too, whose rates change at every
    step.
    """
    unclamped = groups.num_neurons - groups.num_clamped
    wide = max(SMALLEST_TILE, _power_of_two(unclamped))
    clamped = max(SMALLEST_TILE, _power_of_two(groups.num_clamped))
    every_step = config.schedule == "every_step"
    if every_step:
        matrices = matrices_of(config.rule)
        fits = _warps_with_all_sources(matrices, wide, clamped) <= FULL_WARPS
    else:
        largest, matrices = ON_CHIP[config.schedule]
        fits = max(wide, clamped) <= largest
        if self_paced:
            fits = fits and _warps_with_all_sources(matrices, wide, clamped) <= FULL_WARPS
    if fits and not streamed:
        if self_paced or every_step:
            num_warps = _warps_with_all_sources(matrices, wide, clamped)
        else:
            num_warps = max(1, matrices * wide * wide // (32 * REGISTERS_FOR_MATRICES))
        return Tiles(
            on_chip=True,
            wide=wide,
            clamped=clamped,
            block_sources=SMALLEST_TILE,
            block_targets=min(wide, 64),
            num_warps=num_warps,
            programs_per_processor=FULL_WARPS // num_warps,
        )
    block_sources, block_targets = (32, 64) if wide >= 64 else (SMALLEST_TILE, SMALLEST_TILE)
    return Tiles(
        on_chip=False,
        wide=_round_up(unclamped, block_targets),
        clamped=_round_up(groups.num_clamped, block_sources),
        block_sources=block_sources,
        block_targets=block_targets,
        num_warps=FULL_WARPS,
        programs_per_processor=1,
    )


def make_sizes(
    groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig, tiles: Tiles
) -> Sizes:
    """What the kernels of a batch are compiled for."""
    clamped, lazy = groups.num_clamped, config.schedule == "lazy"
    lines = batch.tables.interface
    own_intrinsic = config.dynamics.differs_between_neurons
    gains, shifts = (config.modulation.onto(to) is not None for to in ("gain", "threshold"))
    fan_out = 0
    if config.modulation.onto("plasticity") is not None:
        fan_out = 1 if config.rule.table.modulator == "outcome" else groups.num_modulators
    codes = rule_codes(config.rule) if config.schedule == "every_step" else NO_CODES
    return Sizes(
        neurons=groups.num_neurons,
        inputs=groups.num_inputs,
        outputs=groups.num_outputs,
        num_clamped=clamped,
        num_unclamped=groups.num_neurons - clamped,
        feedback_at=groups.feedback.start,
        bias_at=groups.bias,
        action_at=groups.action.start,
        modulators_at=groups.modulators.start - clamped,
        num_modulators=groups.num_modulators,
        response_at=groups.response.start - clamped,
        wide=tiles.wide,
        clamped=tiles.clamped,
        row=tiles.row,
        matrix=tiles.matrix,
        **_widths(tiles, config.schedule, codes, self_paced=batch.self_paced),
        block_sources=tiles.block_sources,
        block_targets=tiles.block_targets,
        block_steps=STEPS_PER_PRODUCT,
        block_draws=DRAWS_PER_BLOCK,
        action_slots=max(SMALLEST_TILE, _power_of_two(groups.num_outputs)),
        clamp_slots=_power_of_two(tiles.clamped),
        kind_slots=max(SMALLEST_TILE, _power_of_two(batch.tables.num_kinds)),
        channels=lines.num_inputs,
        choices=lines.num_outputs,
        feedback=FEEDBACK_CODES[config.feedback],
        outcome=OUTCOME_CODES[config.rule.outcome],
        baseline=BASELINE_CODES[config.rule.baseline],
        gate_always=config.rule.gate == "always",
        own_intrinsic=own_intrinsic,
        gains=gains,
        shifts=shifts,
        fan_out=fan_out,
        own_rows=2 * own_intrinsic + (gains + shifts) * groups.num_modulators + fan_out,
        lazy=lazy,
        on_chip=tiles.on_chip,
        self_paced=batch.self_paced,
        course=batch.tables.has_courses,
        rule=codes,
    )


def numbers_of_a_program(sizes: Sizes, num_steps: int) -> dict[str, int]:
    """How many numbers each piece of `bundles.Memory` holds for one program.

    Laid out as kernels find it (`matrices.memory_of`): T + 1 rows of what differs from step to
    step, one of what does not.
    """
    rows = num_steps + 1
    return {
        "matrices": sizes.matrices_width,
        "history": rows * sizes.history_width,
        "xi": rows * sizes.xi_width,
        "force": rows * sizes.force_width,
        "x": sizes.x_width,
    }


def _widths(
    tiles: Tiles, schedule: Schedule, rule: RuleCodes, *, self_paced: bool
) -> dict[str, int]:
    """The width of each piece of the memory, 0 for those that the kernel does without."""
    in_registers = tiles.on_chip and schedule != "at_outcome"
    forced = tiles.on_chip and schedule == "at_outcome" and not self_paced
    means = tiles.row if rule.centres else 0  # running means lie behind the activations
    return {
        "matrices_width": (len(MATRICES) + rule.num_pair) * tiles.matrix,
        "history_width": 0 if in_registers else tiles.row,
        "xi_width": tiles.row if rule.noisy_sources else tiles.wide,
        "force_width": tiles.wide if forced else 0,
        "x_width": 0 if tiles.on_chip else tiles.wide + means,
    }


def _warps_with_all_sources(matrices: int, wide: int, clamped: int) -> int:
    """Warps whose registers hold all numbers of some matrices, those from clamped sources too."""
    numbers = matrices * (wide + clamped) * wide
    return _power_of_two(-(-numbers // (32 * REGISTERS_IF_SELF_PACED)))


def _power_of_two(size: int) -> int:
    return 1 << (size - 1).bit_length()


def _round_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
