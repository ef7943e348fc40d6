from .scene import (
    season_map as season_map,
)
