from .plan import (
    measure as measure,
)
from .table import (
    COLUMNS as COLUMNS,
    folder as folder,
    ratios as ratios,
    read as read,
    speeds as speeds,
)
