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
)
from .component import (
    Component as Component,
    dates_of as dates_of,
    named as named,
    percent as percent,
    script as script,
    style as style,
)
from .drawings.attention import (
    gated_map as gated_map,
    gated_places as gated_places,
    one_date_asks as one_date_asks,
    query_key_value as query_key_value,
    token_arrows as token_arrows,
)
from .drawings.basics import (
    class_areas as class_areas,
    convolution as convolution,
    loss_by_step as loss_by_step,
    slope_of_loss as slope_of_loss,
    tensor_of_images as tensor_of_images,
)
from .drawings.patches import (
    windows as windows,
)
from .drawings.terrain import (
    bursts as bursts,
    slopes as slopes,
)
from .lessons import (
    areas as areas,
    bars_by_date as bars_by_date,
    by_angle as by_angle,
    by_land as by_land,
    calendar as calendar,
    crop_curves as crop_curves,
    crop_years as crop_years,
    date_map as date_map,
    db_images as db_images,
    dots as dots,
    doubt_and_errors as doubt_and_errors,
    intervals as intervals,
    ladders as ladders,
    level_histograms as level_histograms,
    noise_errors as noise_errors,
    pairs_of_networks as pairs_of_networks,
    patch_images as patch_images,
    patch_with_label as patch_with_label,
    price_of_pairs as price_of_pairs,
    season_in_two_bands as season_in_two_bands,
    shared_and_weather as shared_and_weather,
    sharpness_varied as sharpness_varied,
    soft_edge as soft_edge,
    steps_by_crop as steps_by_crop,
    terrain as terrain,
    variograms as variograms,
    weight_received as weight_received,
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
    show as show,
    svg_of as svg_of,
)
from .temperature import (
    attention_temperature as attention_temperature,
)
