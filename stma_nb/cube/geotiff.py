"""GeoTIFFs opened as GeoTIFFs and as nothing else."""

from pathlib import Path

import rasterio
from rasterio.errors import RasterioIOError

from stma_nb.cube.classes import SeasonError

DRIVER = "GTiff"
"""Left to itself, GDAL tells a file's format by its content: a .tif may then be a list of other
files, on this computer or on a server, which are read as well."""


def open_geotiff(path: str | Path) -> rasterio.DatasetReader:
    """Open a file for reading if it is a GeoTIFF.

    Raises FileNotFoundError, and SeasonError for anything else: a pipe, which would be waited for,
    another format whatever its name, a damaged file.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no '{path}': check the name.")
    if not path.is_file():
        raise SeasonError(f"'{path}' is no file; expected a GeoTIFF.")
    try:
        return rasterio.open(path, driver=DRIVER)
    except RasterioIOError as error:
        raise SeasonError(
            f"'{path.name}' cannot be read as GeoTIFF: it is another format, damaged or truncated. "
            "Convert it (gdal_translate), or copy it again."
        ) from error
