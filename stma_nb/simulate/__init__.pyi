from .phenology import (
    NAMES as NAMES,
)
from .seasons import (
    season as season,
)
from .seasons import (
    speckle as speckle,
)
from .seasons import (
    weather as weather,
)
