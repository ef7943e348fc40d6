from .explorer import (
    AttentionExplorer as AttentionExplorer,
)
from .meaning import (
    deletion_curve as deletion_curve,
)
from .meaning import (
    occlude_dates as occlude_dates,
)
from .meaning import (
    occlude_neighbourhood as occlude_neighbourhood,
)
from .meaning import (
    randomised as randomised,
)
from .meaning import (
    rank_agreement as rank_agreement,
)
from .meaning import (
    true_separability as true_separability,
)
from .meaning import (
    uniform_attention as uniform_attention,
)
from .recorded import (
    by_crop as by_crop,
)
from .recorded import (
    by_date as by_date,
)
from .recorded import (
    by_distance as by_distance,
)
from .recorded import (
    by_month as by_month,
)
from .recorded import (
    entropy as entropy,
)
from .recorded import (
    record as record,
)
