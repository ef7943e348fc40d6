from .early import (
    accuracy_by_date as accuracy_by_date,
)
from .runs import (
    run as run,
)
