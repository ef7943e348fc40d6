from .phenology import (
    NAMES as NAMES,
)
from .seasons import (
    season as season,
    speckle as speckle,
    weather as weather,
)
