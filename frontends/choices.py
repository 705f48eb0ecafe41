"""The settings that both fronts offer, and what is said beside each."""

from __future__ import annotations

MODEL_HELP = (
    "The network that reads the emotion. Shares are of FER-2013's PublicTest, times of the "
    "computer that measured them."
)
DETECTOR_HELP = "What finds the faces."
LEVEL_HELP = (
    "An answer less probable than this is given as not sure. The recommended level is the one at "
    "which 80 % of the sure answers were right."
)

RECOMMENDED = "Recommended"

CERTAIN_LEVELS: dict[str, float | None] = {
    RECOMMENDED: None,  # fixed on validation faces, and stored with each model
    **{f"{level} %": level / 100 for level in range(30, 100, 10)},
}
"""From which probability an answer counts as sure."""
