"""The checks of notebook 10, Map a region."""

from stma_nb.course.exercises.checks import Verdict, check, exercise


@exercise
def region_1(answer: object) -> Verdict:
    """Windows over a pixel with an overlap of 0.6."""
    hints = {
        2.5: "Along one direction; there are two.",
        1 / 0.6**2: "A window moves by the share that does *not* overlap, 1 - q.",
        4: "That is for half overlap.",
        1.6**2: "Windows overlap more, not less: how far does a window move?",
    }
    return check(answer, 6.25, 1e-3, hints)


@exercise
def region_2(answer: object) -> Verdict:
    """GB of the paper's season: 3731 x 5095 x 41 dates x 2 polarisations x 4 bytes."""
    whole = 3731 * 5095 * 41 * 2 * 4 / 1e9
    hints = {
        whole / 2: "Two polarisations.",
        whole / 4: "Each number takes four bytes.",
        whole * 1e9: "In GB.",
        whole * 1e3: "That is in MB: a GB is 1e9 bytes.",
        whole * 8: "That is in gigabits.",
    }
    return check(answer, whole, 0.05, hints)


@exercise
def region_3(answer: object) -> Verdict:
    """Side of what must be read for a tile of 256 pixels, windows of 32 on a lattice of 16."""
    hints = {
        256: "Windows that touch the tile reach beyond it.",
        256 + 2 * 32: "A window that begins 32 pixels before the tile does not touch it.",
        256 + 16: "On both sides.",
    }
    return check(answer, 256 + 2 * 16, 0, hints)
