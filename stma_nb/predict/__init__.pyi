from .scene import (
    season_codes as season_codes,
    season_map as season_map,
)
