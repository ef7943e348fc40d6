from .backscatter import (
    REFERENCE_ANGLE as REFERENCE_ANGLE,
)
from .backscatter import (
    composite as composite,
)
from .backscatter import (
    cross_ratio as cross_ratio,
)
from .backscatter import (
    expect_units as expect_units,
)
from .backscatter import (
    fill_gaps as fill_gaps,
)
from .backscatter import (
    from_db as from_db,
)
from .backscatter import (
    gamma0 as gamma0,
)
from .backscatter import (
    normalise_incidence as normalise_incidence,
)
from .backscatter import (
    orbit_offsets as orbit_offsets,
)
from .backscatter import (
    rvi as rvi,
)
from .backscatter import (
    to_db as to_db,
)
from .grd import (
    calibrate as calibrate,
)
from .grd import (
    geocode as geocode,
)
from .grd import (
    incidence_angle as incidence_angle,
)
from .grd import (
    mask_border as mask_border,
)
from .grd import (
    open_grd as open_grd,
)
from .grd import (
    simulate_grd as simulate_grd,
)
from .grd import (
    thermal_noise as thermal_noise,
)
from .grd import (
    to_image as to_image,
)
from .speckle import (
    LOOKS as LOOKS,
)
from .speckle import (
    boxcar as boxcar,
)
from .speckle import (
    boxcar_enl as boxcar_enl,
)
from .speckle import (
    db_bias as db_bias,
)
from .speckle import (
    db_spread as db_spread,
)
from .speckle import (
    enl as enl,
)
from .speckle import (
    gamma_map as gamma_map,
)
from .speckle import (
    independent_samples as independent_samples,
)
from .speckle import (
    lee as lee,
)
from .speckle import (
    quegan_yu as quegan_yu,
)
from .speckle import (
    quegan_yu_enl as quegan_yu_enl,
)
from .speckle import (
    refined_lee as refined_lee,
)
