"""Names of what kernels read as numbers: places in `plan.Ints` and `plan.Reals`, and codes."""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines import codes
from evoplastic.engines.gpu.plan import Ints, Reals
from evoplastic.trials import timing


def _int(name: str) -> tl.constexpr:
    return tl.constexpr(Ints._fields.index(name))


def _real(name: str) -> tl.constexpr:
    return tl.constexpr(Reals._fields.index(name))


NUM_INDIVIDUALS, NUM_TRIALS, NUM_STEPS = (
    _int("num_individuals"),
    _int("num_trials"),
    _int("num_steps"),
)
W_STRIDE, ALPHA_STRIDE = _int("w_stride"), _int("alpha_stride")
PAIR_STRIDE = _int("pair_stride")
RESPONSE_START, RESPONSE_STOP = _int("response_start"), _int("response_stop")
FEEDBACK_START, FEEDBACK_STOP = _int("feedback_start"), _int("feedback_stop")
FIRST_TRIAL = _int("first_trial")
FIRST_QUIET_TRIAL = _int("first_quiet_trial")
FIRST_HIT_STEP, STOP_HIT_STEP = _int("first_hit_step"), _int("stop_hit_step")
PERTURB_HIDDEN = _int("perturb_hidden")
PERTURB_MODULATORS = _int("perturb_modulators")
HIT_BELOW, HIT_CENTRE = _int("hit_below"), _int("hit_centre")
TRIAL_PURPOSE, PERTURB_PURPOSE = _int("trial_purpose"), _int("perturb_purpose")
KEY0, KEY1 = _int("key0"), _int("key1")

LEAK, INITIAL_ACTIVATION = _real("leak"), _real("initial_activation")
STIMULUS_GAIN, FEEDBACK_GAIN = _real("stimulus_gain"), _real("feedback_gain")
ACTION_GAIN, BIAS_RATE = _real("action_gain"), _real("bias_rate")
RESPONSE_LENGTH = _real("response_length")
BINARY_CORRECT, BINARY_WRONG = _real("binary_correct"), _real("binary_wrong")
TRACE_GAIN, MAX_CHANGE, RETENTION = _real("trace_gain"), _real("max_change"), _real("retention")
MAX_P, MEAN_KEEP, MEAN_REST = _real("max_p"), _real("mean_keep"), _real("mean_rest")
TARGET_LOW, TARGET_HIGH = _real("target_low"), _real("target_high")
HIT_SCALE = _real("hit_scale")

FEEDBACK_LOSS = tl.constexpr(codes.FEEDBACK_LOSS)
FEEDBACK_CORRECT = tl.constexpr(codes.FEEDBACK_CORRECT)
FEEDBACK_PREDICTION_ERROR = tl.constexpr(codes.FEEDBACK_PREDICTION_ERROR)
FEEDBACK_GRADED = tl.constexpr(codes.FEEDBACK_GRADED)
FEEDBACK_GRADED_PREDICTION_ERROR = tl.constexpr(codes.FEEDBACK_GRADED_PREDICTION_ERROR)
FEEDBACK_REWARD = tl.constexpr(codes.FEEDBACK_REWARD)
OUTCOME_BINARY = tl.constexpr(codes.OUTCOME_BINARY)
OUTCOME_REWARD = tl.constexpr(codes.OUTCOME_REWARD)
BASELINE_KIND = tl.constexpr(codes.BASELINE_KIND)
BASELINE_NONE = tl.constexpr(codes.BASELINE_NONE)
IN_HOLD, IN_ANSWER = tl.constexpr(timing.HOLD), tl.constexpr(timing.ANSWER)
ENDED_WELL = tl.constexpr(timing.OVER_RIGHT)


@triton.jit
def whole(numbers, index: tl.constexpr):
    """A whole number of a batch."""
    return tl.load(numbers.ints + index).to(tl.int32)


@triton.jit
def unsigned(array, index: tl.constexpr):
    """A 32-bit word that was stored in 64 bits."""
    return tl.load(array + index).to(tl.uint32)


@triton.jit
def real(numbers, index: tl.constexpr):
    """A number of a batch."""
    return tl.load(numbers.reals + index)
