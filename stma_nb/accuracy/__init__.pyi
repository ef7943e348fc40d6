from .area import (
    Estimate as Estimate,
)
from .area import (
    allocate as allocate,
)
from .area import (
    class_pixels as class_pixels,
)
from .area import (
    sample_size as sample_size,
)
from .area import (
    stehman_estimate as stehman_estimate,
)
from .area import (
    stratified_estimate as stratified_estimate,
)
from .area import (
    stratified_sample as stratified_sample,
)
from .matrix import (
    by_class as by_class,
)
from .matrix import (
    calibration as calibration,
)
from .matrix import (
    class_scores as class_scores,
)
from .matrix import (
    disagreement as disagreement,
)
from .matrix import (
    entropy as entropy,
)
from .matrix import (
    error_matrix as error_matrix,
)
from .matrix import (
    kappa as kappa,
)
from .matrix import (
    margin as margin,
)
from .matrix import (
    matrix_of_files as matrix_of_files,
)
from .matrix import (
    overall_accuracy as overall_accuracy,
)
from .matrix import (
    summary as summary,
)
from .parcels import (
    edge_accuracy as edge_accuracy,
)
from .parcels import (
    edge_distance as edge_distance,
)
from .parcels import (
    parcel_matrices as parcel_matrices,
)
from .parcels import (
    parcel_matrix as parcel_matrix,
)
from .parcels import (
    parcel_table as parcel_table,
)
from .parcels import (
    vote as vote,
)
from .report import (
    assess as assess,
)
from .resample import (
    Difference as Difference,
)
from .resample import (
    Interval as Interval,
)
from .resample import (
    block_matrices as block_matrices,
)
from .resample import (
    bootstrap as bootstrap,
)
from .resample import (
    paired_difference as paired_difference,
)
from .resample import (
    unit_matrices as unit_matrices,
)
