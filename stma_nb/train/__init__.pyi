from .checkpoint import (
    Trained as Trained,
    check_dates as check_dates,
    check_fits as check_fits,
    load as load,
    register as register,
    save as save,
)
from .contract import (
    Loss as Loss,
    Network as Network,
    Outputs as Outputs,
    Patches as Patches,
    attends as attends,
    check_network as check_network,
    device_of as device_of,
    main_of as main_of,
)
from .forest import (
    GradientBoosting as GradientBoosting,
    RandomForest as RandomForest,
    fit_boosting as fit_boosting,
    fit_forest as fit_forest,
)
from .loop import (
    balanced_weights as balanced_weights,
    fit as fit,
    validate as validate,
)
from .losses import (
    cross_entropy as cross_entropy,
)
from .tempcnn import (
    TempCNN as TempCNN,
    fit_tempcnn as fit_tempcnn,
)
from .transfer import (
    adapt_batch_norm as adapt_batch_norm,
    align as align,
    date_levels as date_levels,
    doubt as doubt,
    match_levels as match_levels,
    shift_calendar as shift_calendar,
)
from .unet import (
    UNet as UNet,
)
