"""One set of colours for the same things in all figures, here and in the browser's JavaScript.

Crops have the colours of their legend. Everything else that comes back in several figures has its
colour here; a test holds the JavaScript and the style sheets to these.
"""

from stma_nb import patches

VV, VH = "#0072b2", "#d55e00"
ATTENTION = "#8a94a0"
"""What the network looked at."""
NEED = "#009e73"
"""What it needed: how much worse it does without (occlusion)."""

PARTS = {
    patches.TRAIN: "#a6cee3",
    patches.VALID: "#e69f00",
    patches.TEST: "#882255",
    patches.UNUSED: "#ffffff",
}
"""Areas of the parts of a split."""
CURVES = {patches.TRAIN: "#1f78b4", patches.VALID: "#c77700", patches.TEST: "#882255"}
"""The same parts as lines and marks, which must be darker than areas."""
