from .augment import (
    add_speckle as add_speckle,
)
from .augment import (
    drop as drop,
)
from .augment import (
    jitter as jitter,
)
from .augment import (
    turn as turn,
)
from .dataset import (
    PatchDataset as PatchDataset,
)
from .leakage import (
    Variogram as Variogram,
)
from .leakage import (
    class_counts as class_counts,
)
from .leakage import (
    leak_report as leak_report,
)
from .leakage import (
    variogram as variogram,
)
from .splits import (
    PARTS as PARTS,
)
from .splits import (
    TEST as TEST,
)
from .splits import (
    TRAIN as TRAIN,
)
from .splits import (
    UNUSED as UNUSED,
)
from .splits import (
    VALID as VALID,
)
from .splits import (
    block_split as block_split,
)
from .splits import (
    covered as covered,
)
from .splits import (
    leave_one_region_out as leave_one_region_out,
)
from .splits import (
    leave_one_year_out as leave_one_year_out,
)
from .splits import (
    parcel_split as parcel_split,
)
from .splits import (
    published_windows as published_windows,
)
from .splits import (
    random_pixels as random_pixels,
)
from .splits import (
    random_split as random_split,
)
from .splits import (
    regions as regions,
)
from .splits import (
    unfilled as unfilled,
)
from .splits import (
    windows_of as windows_of,
)
from .windows import (
    FLOOR as FLOOR,
)
from .windows import (
    IGNORE as IGNORE,
)
from .windows import (
    ORDER as ORDER,
)
from .windows import (
    Scaling as Scaling,
)
from .windows import (
    blend_weight as blend_weight,
)
from .windows import (
    corners as corners,
)
from .windows import (
    fit_scaling as fit_scaling,
)
from .windows import (
    network_input as network_input,
)
from .windows import (
    stitch as stitch,
)
from .windows import (
    without_data as without_data,
)
