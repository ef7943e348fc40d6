from .edits import (
    Scene as Scene,
    apply_edits as apply_edits,
    area_curve as area_curve,
    area_mask as area_mask,
    check_edits as check_edits,
    in_words as in_words,
)
from .explorer import (
    AttentionExplorer as AttentionExplorer,
)
from .meaning import (
    deletion_curve as deletion_curve,
    occlude_dates as occlude_dates,
    occlude_neighbourhood as occlude_neighbourhood,
    randomised as randomised,
    rank_agreement as rank_agreement,
    true_separability as true_separability,
    uniform_attention as uniform_attention,
)
from .recorded import (
    by_crop as by_crop,
    by_date as by_date,
    by_distance as by_distance,
    by_month as by_month,
    entropy as entropy,
    record as record,
)
