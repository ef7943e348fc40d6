"""What is opened as a GeoTIFF is one: another format of that name is not read."""

import os
import socketserver
import threading

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.transform import from_origin

from stma_nb import accuracy, cube
from stma_nb.predict import products

GRID = {"crs": "EPSG:32633", "transform": from_origin(400_000, 5_800_000, 10, 10)}


def write(path, **options):
    with rasterio.open(
        path, "w", **{"driver": "GTiff", "height": 48, "width": 64, "count": 1, "dtype": "uint8"},
        **GRID, **options,
    ) as tif:  # fmt: skip
        tif.write(np.ones((48, 64), "uint8"), 1)
    return path


def test_geotiffs_are_opened_also_cloud_optimised_ones(tmp_path):
    plain = write(tmp_path / "a.tif")
    rasterio.shutil.copy(plain, tmp_path / "b.tif", driver="COG")
    for name in ("a.tif", "b.tif"):
        with cube.open_geotiff(str(tmp_path / name)) as tif:
            assert tif.driver == "GTiff" and tif.read(1).all()


@pytest.fixture
def server():
    """Counts who calls."""
    calls = []

    class Listener(socketserver.BaseRequestHandler):
        def handle(self):
            calls.append(self.request.recv(100))
            self.request.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Listener) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
        yield listening.server_address[1], calls
        listening.shutdown()


def test_a_list_of_other_files_is_no_geotiff_and_calls_nobody(season, server, tmp_path):
    """A virtual raster may name files of this computer and of servers; GDAL would read them."""
    port, calls = server
    fake = tmp_path / "fake.tif"
    fake.write_text(
        '<VRTDataset rasterXSize="64" rasterYSize="48"><SRS>EPSG:32633</SRS>'
        "<GeoTransform>400000,10,0,5800000,0,-10</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>/vsicurl/'
        f"http://127.0.0.1:{port}/x.tif</SourceFilename><SourceBand>1</SourceBand>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    right = write(tmp_path / "right.tif")
    for look in (
        lambda: cube.open_geotiff(fake),
        lambda: accuracy.matrix_of_files(right, fake, 2),
        lambda: accuracy.matrix_of_files(fake, right, 2),
        lambda: products.read_parcels(fake, season),
    ):
        with pytest.raises(cube.SeasonError, match="'fake.tif' cannot be read as GeoTIFF"):
            look()
    assert not calls


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no '.*none.tif': check the name"):
        cube.open_geotiff(tmp_path / "none.tif")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.tif")
        with pytest.raises(cube.SeasonError, match="pipe.tif' is no file: expected a GeoTIFF"):
            cube.open_geotiff(tmp_path / "pipe.tif")
    (tmp_path / "png.tif").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(cube.SeasonError, match="'png.tif' cannot be read as GeoTIFF"):
        cube.open_geotiff(tmp_path / "png.tif")
