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
    scan as scan,
    slopes as slopes,
)
from .lessons.accuracy import (
    areas as areas,
    by_block as by_block,
    coverage as coverage,
    doubt_and_errors as doubt_and_errors,
    nearest_crops as nearest_crops,
    where_errors_sit as where_errors_sit,
)
from .lessons.common import (
    db_images as db_images,
    dots as dots,
    intervals as intervals,
    listed as listed,
)
from .lessons.explorer import (
    agreements as agreements,
    bars_by_date as bars_by_date,
    deletion as deletion,
    pairs_of_networks as pairs_of_networks,
)
from .lessons.preprocessing import (
    by_angle as by_angle,
    noise_errors as noise_errors,
    soft_edge as soft_edge,
    steps_by_crop as steps_by_crop,
    terrain as terrain,
)
from .lessons.real import (
    crop_curves as crop_curves,
    crop_years as crop_years,
    level_histograms as level_histograms,
)
from .lessons.region import (
    doubt_and_places as doubt_and_places,
    gain_by_depth as gain_by_depth,
    memory_used as memory_used,
)
from .lessons.spatial import (
    patch_images as patch_images,
    price_of_pairs as price_of_pairs,
    sharpness_varied as sharpness_varied,
)
from .lessons.splits import (
    by_land as by_land,
    gains_by_place as gains_by_place,
    ladders as ladders,
    patch_with_label as patch_with_label,
    rule_and_next_door as rule_and_next_door,
    variograms as variograms,
)
from .lessons.temporal import (
    date_map as date_map,
    season_in_two_bands as season_in_two_bands,
    weight_received as weight_received,
)
from .lessons.time_series import (
    against_gamma as against_gamma,
    calendar as calendar,
    fields_and_mean as fields_and_mean,
    pixels_and_mean as pixels_and_mean,
    power_and_db as power_and_db,
    shared_and_weather as shared_and_weather,
    vh_against_vv as vh_against_vv,
)
from .lessons.training import (
    losses as losses,
    rate_test as rate_test,
    speed_ups as speed_ups,
)
from .lessons.transfer import (
    crop_seasons as crop_seasons,
    doubt_of_shifts as doubt_of_shifts,
    remedies as remedies,
    weather_effects as weather_effects,
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
