from .instrument import (
    overpasses as overpasses,
    respond as respond,
    speckle as speckle,
)
from .meteorology import (
    weather as weather,
)
from .phenology import (
    NAMES as NAMES,
    profile as profile,
)
from .seasons import (
    WORLD as WORLD,
    season as season,
)
