from .checks import (
    CHUNK as CHUNK,
)
from .checks import (
    ORDER as ORDER,
)
from .checks import (
    POLARISATIONS as POLARISATIONS,
)
from .checks import (
    bands as bands,
)
from .checks import (
    check_layout as check_layout,
)
from .checks import (
    check_season as check_season,
)
from .checks import (
    pixel_size as pixel_size,
)
from .checks import (
    polarisations as polarisations,
)
from .checks import (
    quantity as quantity,
)
from .classes import (
    BRANDENBURG as BRANDENBURG,
)
from .classes import (
    Crop as Crop,
)
from .classes import (
    SeasonError as SeasonError,
)
from .classes import (
    background as background,
)
from .classes import (
    default_colour as default_colour,
)
from .classes import (
    flags as flags,
)
from .classes import (
    legend as legend,
)
from .classes import (
    make_legend as make_legend,
)
from .classes import (
    read_legend as read_legend,
)
from .classes import (
    same_classes as same_classes,
)
from .reading import (
    STATIC as STATIC,
)
from .reading import (
    acquisition_time as acquisition_time,
)
from .reading import (
    band_names as band_names,
)
from .reading import (
    open_layer as open_layer,
)
from .reading import (
    open_season as open_season,
)
from .reading import (
    open_whole as open_whole,
)
from .saving import (
    geotiff_profile as geotiff_profile,
)
from .saving import (
    save_season as save_season,
)
from .saving import (
    write_class_names as write_class_names,
)
from .saving import (
    write_legend as write_legend,
)
