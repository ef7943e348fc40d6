from .costs import (
    Plan as Plan,
    Rates as Rates,
    Work as Work,
    cost as cost,
    fit_rates as fit_rates,
    plan as plan,
    work as work,
)
from .fields import (
    field_table as field_table,
    map_legend as map_legend,
    map_outlines as map_outlines,
    read_outlines as read_outlines,
)
from .layers import (
    check_layer_path as check_layer_path,
    qgis_style as qgis_style,
    save_layer as save_layer,
    write_fields as write_fields,
)
from .places import (
    places_to_visit as places_to_visit,
)
from .products import (
    parcel_vote as parcel_vote,
    sieve as sieve,
)
from .scene import (
    season_codes as season_codes,
    season_map as season_map,
)
