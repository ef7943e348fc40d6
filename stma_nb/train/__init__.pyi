from .checkpoint import (
    Trained as Trained,
)
from .checkpoint import (
    check_dates as check_dates,
)
from .checkpoint import (
    load as load,
)
from .checkpoint import (
    save as save,
)
from .loop import (
    balanced_weights as balanced_weights,
)
from .loop import (
    fit as fit,
)
from .loop import (
    validate as validate,
)
from .rivals import (
    PixelClassifier as PixelClassifier,
)
from .rivals import (
    TempCNN as TempCNN,
)
from .rivals import (
    fit_forest as fit_forest,
)
from .rivals import (
    fit_tempcnn as fit_tempcnn,
)
from .rivals import (
    pixel_map as pixel_map,
)
from .transfer import (
    adapt_batch_norm as adapt_batch_norm,
)
from .transfer import (
    align as align,
)
from .transfer import (
    date_levels as date_levels,
)
from .transfer import (
    doubt as doubt,
)
from .transfer import (
    match_levels as match_levels,
)
from .transfer import (
    shift_calendar as shift_calendar,
)
