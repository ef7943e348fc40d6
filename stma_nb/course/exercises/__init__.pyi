from .accuracy import (
    accuracy_1 as accuracy_1,
    accuracy_2 as accuracy_2,
    accuracy_3 as accuracy_3,
    accuracy_4 as accuracy_4,
    accuracy_5 as accuracy_5,
    accuracy_6 as accuracy_6,
    accuracy_7 as accuracy_7,
)
from .basics import (
    basics_1 as basics_1,
    basics_2 as basics_2,
    basics_3 as basics_3,
    basics_4 as basics_4,
    basics_5 as basics_5,
)
from .explorer import (
    explorer_1 as explorer_1,
    explorer_2 as explorer_2,
    explorer_3 as explorer_3,
    explorer_4 as explorer_4,
    explorer_5 as explorer_5,
)
from .network import (
    network_1 as network_1,
    network_2 as network_2,
    network_3 as network_3,
    network_4 as network_4,
    network_5 as network_5,
)
from .preprocessing import (
    preprocessing_1 as preprocessing_1,
    preprocessing_2 as preprocessing_2,
    preprocessing_3 as preprocessing_3,
    preprocessing_4 as preprocessing_4,
    preprocessing_5 as preprocessing_5,
    preprocessing_6 as preprocessing_6,
)
from .quickstart import (
    quickstart_1 as quickstart_1,
    quickstart_2 as quickstart_2,
    quickstart_3 as quickstart_3,
    quickstart_4 as quickstart_4,
    quickstart_5 as quickstart_5,
)
from .real import (
    real_1 as real_1,
    real_2 as real_2,
    real_3 as real_3,
    real_4 as real_4,
    real_5 as real_5,
)
from .region import (
    region_1 as region_1,
    region_2 as region_2,
    region_3 as region_3,
    region_4 as region_4,
    region_5 as region_5,
)
from .spatial import (
    spatial_1 as spatial_1,
    spatial_2 as spatial_2,
    spatial_3 as spatial_3,
    spatial_4 as spatial_4,
    spatial_5 as spatial_5,
)
from .splits import (
    splits_1 as splits_1,
    splits_2 as splits_2,
    splits_3 as splits_3,
    splits_4 as splits_4,
    splits_5 as splits_5,
    splits_6 as splits_6,
)
from .temporal import (
    temporal_1 as temporal_1,
    temporal_2 as temporal_2,
    temporal_3 as temporal_3,
    temporal_4 as temporal_4,
    temporal_5 as temporal_5,
)
from .time_series import (
    time_series_1 as time_series_1,
    time_series_2 as time_series_2,
    time_series_3 as time_series_3,
    time_series_4 as time_series_4,
    time_series_5 as time_series_5,
)
from .training import (
    training_1 as training_1,
    training_2 as training_2,
    training_3 as training_3,
    training_4 as training_4,
    training_5 as training_5,
)
from .transfer import (
    transfer_1 as transfer_1,
    transfer_2 as transfer_2,
    transfer_3 as transfer_3,
    transfer_4 as transfer_4,
    transfer_5 as transfer_5,
)
