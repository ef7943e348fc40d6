from .runner import (
    ROOT as ROOT,
)
from .runner import (
    SAMPLE as SAMPLE,
)
from .runner import (
    NotebookError as NotebookError,
)
from .runner import (
    make_sample_season as make_sample_season,
)
from .runner import (
    notebooks as notebooks,
)
from .runner import (
    output_folder as output_folder,
)
from .runner import (
    parameters_of as parameters_of,
)
from .runner import (
    run_notebook as run_notebook,
)
from .runner import (
    sample_season as sample_season,
)
from .runner import (
    tidy as tidy,
)
from .runner import (
    to_html as to_html,
)
