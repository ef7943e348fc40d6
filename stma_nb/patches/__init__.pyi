from .augment import (
    Variation as Variation,
    Variations as Variations,
    add_speckle as add_speckle,
    drop as drop,
    jitter as jitter,
    turn as turn,
)
from .dataset import (
    PatchDataset as PatchDataset,
)
from .leakage import (
    Variogram as Variogram,
    class_counts as class_counts,
    leak_report as leak_report,
    variogram as variogram,
)
from .splits import (
    PARTS as PARTS,
    TEST as TEST,
    TRAIN as TRAIN,
    UNUSED as UNUSED,
    VALID as VALID,
    block_folds as block_folds,
    block_numbers as block_numbers,
    block_split as block_split,
    covered as covered,
    leave_one_region_out as leave_one_region_out,
    leave_one_year_out as leave_one_year_out,
    parcel_split as parcel_split,
    published_windows as published_windows,
    random_pixels as random_pixels,
    random_split as random_split,
    regions as regions,
    unfilled as unfilled,
    windows_of as windows_of,
)
from .windows import (
    FLOOR as FLOOR,
    IGNORE as IGNORE,
    Scaling as Scaling,
    Window as Window,
    blend_weight as blend_weight,
    check_bands as check_bands,
    corners as corners,
    fit_scaling as fit_scaling,
    network_input as network_input,
    read_labels as read_labels,
    read_layers as read_layers,
    read_window as read_window,
    stitch as stitch,
    window_at as window_at,
    without_data as without_data,
)
