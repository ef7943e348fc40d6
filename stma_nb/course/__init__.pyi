from .recordings import (
    weights_by_name as weights_by_name,
)
from .runner import (
    ROOT as ROOT,
    SAMPLE as SAMPLE,
    SAMPLE_SPLIT as SAMPLE_SPLIT,
    NotebookError as NotebookError,
    make_sample_season as make_sample_season,
    notebooks as notebooks,
    output_folder as output_folder,
    parameters_of as parameters_of,
    run_notebook as run_notebook,
    sample_folder as sample_folder,
    sample_like as sample_like,
    sample_season as sample_season,
    sample_weights as sample_weights,
    tidy as tidy,
    to_html as to_html,
)
