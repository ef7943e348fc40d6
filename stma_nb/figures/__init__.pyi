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
from .drawings.network import (
    double_fusion as double_fusion,
    feature_maps as feature_maps,
    inside_stsa as inside_stsa,
    most_influence as most_influence,
    network_with_maps as network_with_maps,
    pixel_sees as pixel_sees,
    seen_by_a_pixel as seen_by_a_pixel,
    skip_mix as skip_mix,
    skip_mix_terms as skip_mix_terms,
)
from .drawings.patches import (
    windows as windows,
)
from .drawings.radar import (
    imaging_geometry as imaging_geometry,
    maize_stages as maize_stages,
    speckle_arrows as speckle_arrows,
    three_bounces as three_bounces,
)
from .drawings.region import (
    blending as blending,
    false_changes as false_changes,
    seams as seams,
)
from .drawings.sampling import (
    correction as correction,
    sampling as sampling,
)
from .drawings.terrain import (
    bursts as bursts,
    slopes as slopes,
)
from .lessons import (
    against_gamma as against_gamma,
    agreements as agreements,
    areas as areas,
    bars_by_date as bars_by_date,
    by_angle as by_angle,
    by_block as by_block,
    by_land as by_land,
    calendar as calendar,
    coverage as coverage,
    crop_curves as crop_curves,
    crop_seasons as crop_seasons,
    crop_years as crop_years,
    date_map as date_map,
    db_images as db_images,
    deletion as deletion,
    dots as dots,
    doubt_and_errors as doubt_and_errors,
    doubt_and_places as doubt_and_places,
    doubt_of_shifts as doubt_of_shifts,
    fields_and_mean as fields_and_mean,
    gain_by_depth as gain_by_depth,
    intervals as intervals,
    ladders as ladders,
    level_histograms as level_histograms,
    losses as losses,
    memory_used as memory_used,
    nearest_crops as nearest_crops,
    noise_errors as noise_errors,
    pairs_of_networks as pairs_of_networks,
    patch_images as patch_images,
    patch_with_label as patch_with_label,
    pixels_and_mean as pixels_and_mean,
    power_and_db as power_and_db,
    price_of_pairs as price_of_pairs,
    rate_test as rate_test,
    season_in_two_bands as season_in_two_bands,
    shared_and_weather as shared_and_weather,
    sharpness_varied as sharpness_varied,
    soft_edge as soft_edge,
    speed_ups as speed_ups,
    steps_by_crop as steps_by_crop,
    terrain as terrain,
    variograms as variograms,
    vh_against_vv as vh_against_vv,
    weather_effects as weather_effects,
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
    days_of as days_of,
    error_matrix as error_matrix,
    history as history,
    html_image as html_image,
    ink as ink,
    label_maps as label_maps,
    literal as literal,
    live_history as live_history,
    parts_map as parts_map,
    profiles as profiles,
    radar_image as radar_image,
    show as show,
    svg_of as svg_of,
)
from .temperature import (
    attention_temperature as attention_temperature,
)
