from .products import (
    parcel_vote as parcel_vote,
    sieve as sieve,
)
from .scene import (
    season_codes as season_codes,
    season_map as season_map,
)
