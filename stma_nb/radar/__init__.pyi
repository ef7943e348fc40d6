from .backscatter import (
    REFERENCE_ANGLE as REFERENCE_ANGLE,
    at_dates as at_dates,
    composite as composite,
    cross_ratio as cross_ratio,
    expect_units as expect_units,
    fill_gaps as fill_gaps,
    from_db as from_db,
    gamma0 as gamma0,
    normalise_incidence as normalise_incidence,
    orbit_offsets as orbit_offsets,
    rvi as rvi,
    to_db as to_db,
)
from .grd import (
    calibrate as calibrate,
    geocode as geocode,
    incidence_angle as incidence_angle,
    mask_border as mask_border,
    open_grd as open_grd,
    simulate_grd as simulate_grd,
    thermal_noise as thermal_noise,
    to_image as to_image,
)
from .speckle import (
    LOOKS as LOOKS,
    boxcar as boxcar,
    boxcar_enl as boxcar_enl,
    db_bias as db_bias,
    db_spread as db_spread,
    enl as enl,
    gamma_map as gamma_map,
    independent_samples as independent_samples,
    lee as lee,
    quegan_yu as quegan_yu,
    quegan_yu_enl as quegan_yu_enl,
    refined_lee as refined_lee,
)
from .terrain import (
    LOOK_AZIMUTH as LOOK_AZIMUTH,
    flatten_terrain as flatten_terrain,
    local_geometry as local_geometry,
    onto_terrain as onto_terrain,
)
