from .jobs import (
    STUDIES as STUDIES,
    read as read,
    run as run,
)
from .real import (
    by_block as by_block,
)
from .results import (
    differences as differences,
    over_scenes as over_scenes,
    plus_minus as plus_minus,
    scores as scores,
    sign_turns as sign_turns,
    stored as stored,
    told as told,
    verdict as verdict,
)
