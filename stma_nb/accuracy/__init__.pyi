from .area import (
    Estimate as Estimate,
    McNemar as McNemar,
    allocate as allocate,
    class_pixels as class_pixels,
    mcnemar as mcnemar,
    sample_size as sample_size,
    stehman_estimate as stehman_estimate,
    stratified_difference as stratified_difference,
    stratified_estimate as stratified_estimate,
    stratified_sample as stratified_sample,
)
from .matrix import (
    by_class as by_class,
    calibration as calibration,
    class_scores as class_scores,
    disagreement as disagreement,
    entropy as entropy,
    error_matrix as error_matrix,
    kappa as kappa,
    margin as margin,
    matrix_of_files as matrix_of_files,
    overall_accuracy as overall_accuracy,
    post_stratify as post_stratify,
    summary as summary,
)
from .parcels import (
    edge_accuracy as edge_accuracy,
    edge_distance as edge_distance,
    parcel_matrices as parcel_matrices,
    parcel_matrix as parcel_matrix,
    parcel_table as parcel_table,
    vote as vote,
)
from .reference import (
    flip_labels as flip_labels,
)
from .report import (
    assess as assess,
)
from .resample import (
    Difference as Difference,
    Interval as Interval,
    block_matrices as block_matrices,
    error_range as error_range,
    interval as interval,
    paired_difference as paired_difference,
    unit_matrices as unit_matrices,
)
