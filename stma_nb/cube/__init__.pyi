from .checks import (
    CHUNK as CHUNK,
    ORDER as ORDER,
    POLARISATIONS as POLARISATIONS,
    bands as bands,
    check_layout as check_layout,
    check_season as check_season,
    chunk_side as chunk_side,
    ground_area as ground_area,
    pixel_size as pixel_size,
    polarisations as polarisations,
    quantity as quantity,
    simulation as simulation,
)
from .classes import (
    BRANDENBURG as BRANDENBURG,
    UNKNOWN as UNKNOWN,
    Crop as Crop,
    SeasonError as SeasonError,
    background as background,
    default_colour as default_colour,
    flags as flags,
    legend as legend,
    make_legend as make_legend,
    read_legend as read_legend,
    same_classes as same_classes,
)
from .geotiffs import (
    DRIVER as DRIVER,
    STATIC as STATIC,
    acquisition_time as acquisition_time,
    band_names as band_names,
    open_geotiff as open_geotiff,
    open_layer as open_layer,
    open_whole as open_whole,
)
from .parcels import (
    elected as elected,
    parcel_numbers as parcel_numbers,
    parcel_positions as parcel_positions,
    parcel_votes as parcel_votes,
)
from .reading import open_season as open_season
from .saving import (
    geotiff_profile as geotiff_profile,
    save_season as save_season,
    write_class_names as write_class_names,
    write_legend as write_legend,
)
from .values import (
    SCALES as SCALES,
    Scale as Scale,
    check_levels as check_levels,
    guess_scale as guess_scale,
    to_power as to_power,
)
from .words import class_name as class_name
