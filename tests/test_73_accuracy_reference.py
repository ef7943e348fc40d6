"""Wrong labels in the reference: as many as asked for, and what they do to scores and areas."""

import numpy as np
import pytest

from stma_nb import accuracy


@pytest.fixture
def reference():
    """Codes of four classes, of which the last is rare, and nodata."""
    codes = np.random.default_rng(0).choice(4, (200, 100), p=[0.5, 0.3, 0.19, 0.01])
    codes = codes.astype(np.uint8)
    codes[:10] = 255
    return codes


def test_as_many_pixels_are_wrong_as_asked_for(reference):
    flipped = accuracy.flip_labels(reference, 0.1, 4)
    wrong = flipped != reference
    assert flipped.dtype == np.uint8 and wrong.sum() == 0.1 * 190 * 100
    assert (flipped[:10] == 255).all() and (flipped[10:] < 4).all()
    # Any other class, all alike: from 0 a third of them goes to each of the others.
    to = (
        np.bincount(flipped[wrong & (reference == 0)], minlength=4)
        / (wrong & (reference == 0)).sum()
    )
    np.testing.assert_allclose(to, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.05)
    np.testing.assert_array_equal(flipped, accuracy.flip_labels(reference, 0.1, 4))
    assert (flipped != accuracy.flip_labels(reference, 0.1, 4, seed=1)).any()
    np.testing.assert_array_equal(accuracy.flip_labels(reference, 0, 4), reference)
    assert (accuracy.flip_labels(reference, 1, 4) != reference)[10:].all()


def test_whole_parcels_are_wrong():
    parcel = np.kron(np.arange(100).reshape(10, 10), np.ones((4, 4), int)) * 7  # 0 is none
    reference = parcel % 3
    flipped = accuracy.flip_labels(reference, 0.25, 3, parcel=parcel)
    of_parcel = [
        np.unique((flipped != reference)[parcel == number]) for number in np.unique(parcel)
    ]
    assert all(len(found) == 1 for found in of_parcel), "a parcel is right or wrong as a whole"
    assert np.sum(of_parcel) == round(0.25 * 99) and not of_parcel[0][0]


def test_a_perfect_map_is_scored_down_and_a_rare_class_grows(reference):
    """By expectation the map has as much right as there are right labels, and of a class of 1 %
    there seem to be 0.95 of it and a third of 5 % of all the rest.
    """
    flipped = accuracy.flip_labels(reference, 0.05, 4)
    matrix = accuracy.error_matrix(reference, flipped, 4)
    assert accuracy.overall_accuracy(matrix) == pytest.approx(0.95)
    true = (reference == 3).sum()
    seen = accuracy.stratified_estimate(matrix, np.bincount(reference[10:].ravel())).area
    assert seen["estimate"][3] == pytest.approx(0.95 * true + 0.05 / 3 * (19_000 - true), rel=0.1)


def test_what_cannot_be_flipped_is_said(reference):
    for share, classes in ((1.5, 4), (-0.1, 4), (0.1, 1)):
        with pytest.raises(ValueError, match="expected a share from 0 to 1 and two classes"):
            accuracy.flip_labels(reference, share, classes)
    with pytest.raises(ValueError, match="Reference and parcels have shapes"):
        accuracy.flip_labels(reference, 0.1, 4, parcel=reference[:5])
