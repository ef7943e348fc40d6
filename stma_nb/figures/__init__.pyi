from .bench import (
    speckle_bench as speckle_bench,
)
from .chooser import (
    crop_chooser as crop_chooser,
    crop_difference as crop_difference,
    crop_pair as crop_pair,
    describe_pair as describe_pair,
    parcel_curves as parcel_curves,
)
from .colours import (
    ATTENTION as ATTENTION,
    CURVES as CURVES,
    NEED as NEED,
    PARTS as PARTS,
    VH as VH,
    VV as VV,
)
from .component import (
    Component as Component,
    dates_of as dates_of,
    named as named,
    percent as percent,
    script as script,
    style as style,
)
from .drawings.radar import (
    imaging_geometry as imaging_geometry,
    maize_stages as maize_stages,
    speckle_arrows as speckle_arrows,
    three_bounces as three_bounces,
)
from .lessons import (
    against_gamma as against_gamma,
    areas as areas,
    bars_by_date as bars_by_date,
    by_angle as by_angle,
    calendar as calendar,
    date_map as date_map,
    db_images as db_images,
    dots as dots,
    doubt_and_errors as doubt_and_errors,
    fields_and_mean as fields_and_mean,
    intervals as intervals,
    pairs_of_networks as pairs_of_networks,
    patch_images as patch_images,
    patch_with_label as patch_with_label,
    pixels_and_mean as pixels_and_mean,
    power_and_db as power_and_db,
    shared_and_weather as shared_and_weather,
    side_looking as side_looking,
    terrain as terrain,
    vh_against_vv as vh_against_vv,
    where_errors_sit as where_errors_sit,
)
from .maps import (
    web_map as web_map,
)
from .player import (
    season_player as season_player,
)
from .plots import (
    accuracy_by_date as accuracy_by_date,
    backscatter as backscatter,
    captioned as captioned,
    class_letters as class_letters,
    colour_map as colour_map,
    error_matrix as error_matrix,
    history as history,
    html_image as html_image,
    ink as ink,
    label_maps as label_maps,
    literal as literal,
    live_history as live_history,
    network_diagram as network_diagram,
    parts_map as parts_map,
    profiles as profiles,
    radar_image as radar_image,
    show as show,
    svg_of as svg_of,
)
from .temperature import (
    attention_temperature as attention_temperature,
)
