from .maps import (
    web_map as web_map,
)
from .plots import (
    backscatter as backscatter,
)
from .plots import (
    colour_map as colour_map,
)
from .plots import (
    error_matrix as error_matrix,
)
from .plots import (
    history as history,
)
from .plots import (
    html_image as html_image,
)
from .plots import (
    ink as ink,
)
from .plots import (
    label_maps as label_maps,
)
from .plots import (
    live_history as live_history,
)
from .plots import (
    network_diagram as network_diagram,
)
from .plots import (
    parts_map as parts_map,
)
from .plots import (
    profiles as profiles,
)
from .plots import (
    show as show,
)
from .widgets import (
    crop_chooser as crop_chooser,
)
from .widgets import (
    crop_difference as crop_difference,
)
from .widgets import (
    crop_pair as crop_pair,
)
from .widgets import (
    describe_pair as describe_pair,
)
from .widgets import (
    parcel_curves as parcel_curves,
)
from .widgets import (
    show_widget as show_widget,
)
