"""What compiled code knows options by: small whole numbers, the same ones in every engine."""

from __future__ import annotations

from evoplastic.lifetime.config import Feedback
from evoplastic.rules.config import Baseline, Outcome

(
    FEEDBACK_LOSS,
    FEEDBACK_CORRECT,
    FEEDBACK_PREDICTION_ERROR,
    FEEDBACK_GRADED,
    FEEDBACK_GRADED_PREDICTION_ERROR,
    FEEDBACK_REWARD,  # from here on rewards: self-paced trials feed them back after every step
    FEEDBACK_REWARD_PREDICTION_ERROR,
) = range(7)
FEEDBACK_CODES: dict[Feedback, int] = {
    "loss": FEEDBACK_LOSS,
    "correct": FEEDBACK_CORRECT,
    "prediction_error": FEEDBACK_PREDICTION_ERROR,
    "graded": FEEDBACK_GRADED,
    "graded_prediction_error": FEEDBACK_GRADED_PREDICTION_ERROR,
    "reward": FEEDBACK_REWARD,
    "reward_prediction_error": FEEDBACK_REWARD_PREDICTION_ERROR,
}

OUTCOME_GRADED, OUTCOME_BINARY, OUTCOME_REWARD = range(3)
OUTCOME_CODES: dict[Outcome, int] = {
    "graded": OUTCOME_GRADED,
    "binary": OUTCOME_BINARY,
    "reward": OUTCOME_REWARD,
}

BASELINE_KIND, BASELINE_SINGLE, BASELINE_NONE = range(3)
BASELINE_CODES: dict[Baseline, int] = {
    "kind": BASELINE_KIND,
    "single": BASELINE_SINGLE,
    "none": BASELINE_NONE,
}
