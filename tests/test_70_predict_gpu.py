"""A tile on a GPU is mapped as on a CPU; here the CPU takes the GPU's path, and so does a GPU if
there is one.
"""

import pickle

import numpy as np
import pytest
import torch

from stma_nb import cube, patches, train
from stma_nb.model import STMA
from stma_nb.predict import gpu, scene, tiles

pytestmark = pytest.mark.usefixtures("one_thread")
PATCH = 16
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")),
    pytest.param(
        "mps", marks=pytest.mark.skipif(not torch.backends.mps.is_available(), reason="no mps")
    ),
]


@pytest.fixture
def holed(season):
    """The season with a hole, in which one whole window has no data."""
    for name in ("vv", "vh"):
        season[name].values[:, 16:36, 20:60] = np.nan
    return season


@pytest.fixture
def mappers(holed):
    """A function that gives the mapper of a CPU and one of a device, and their reader."""
    torch.manual_seed(0)
    model = STMA(dates=holed.sizes["time"], patch=PATCH, classes=3, width=8).eval()
    scaling = patches.fit_scaling(holed)
    windows = patches.corners(holed.crop.shape, PATCH, 0.5)
    layers = [holed[name].data for name in scaling.bands]
    wanted = {"map", "probabilities", "entropy"}

    def make(device, batch=None, precision="float32"):
        given = (tiles.inference_form(model), scaling, windows)
        usual = tiles.TileMapper(*given, None, "cpu", wanted)
        there = gpu.DeviceMapper(*given, batch, device, wanted, precision=precision)
        return usual, there, lambda tile: tiles.read_tile(layers, windows, PATCH, tile)

    make.network = model
    return make


TILES = tiles.tile_grid((48, 64), 32)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch", [None, 1, 7, 100])
def test_probabilities_are_those_of_the_cpu(mappers, device, batch):
    usual, there, read = mappers(device, batch)
    for tile in TILES:
        expected = usual.probabilities(tile, read(tile))
        assert np.isnan(expected).any() or tile[0].start, "the hole lies in the upper tiles"
        np.testing.assert_allclose(there.probabilities(tile, read(tile)), expected, atol=2e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_bytes_are_those_of_the_cpu(mappers, device):
    usual, there, read = mappers(device)
    for tile in TILES:
        expected, found = usual.layers(tile, read(tile)), there.layers(tile, read(tile))
        assert found.keys() == expected.keys()
        for name, layer in expected.items():
            assert found[name].shape == layer.shape and found[name].dtype == np.uint8
            np.testing.assert_array_equal(found[name] == 255, layer == 255)
            off = np.abs(found[name].astype(int) - layer)
            assert off.max() <= 1 and (off > 0).mean() < 0.01, name


@pytest.mark.parametrize("device", DEVICES)
def test_tiles_sent_ahead_by_another_thread_give_the_same_map(mappers, device):
    usual, _, read = mappers(device)
    usual.device = device
    there, send = gpu.on_device(usual, read, mappers.network, "float32")
    usual.device = "cpu"
    for tile, layers in scene._here(send, there.layers, TILES):
        np.testing.assert_array_equal(layers["map"], usual.layers(tile, read(tile))["map"])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("precision", "close"), [("bf16", 0.05), ("float16", 0.01)])
def test_the_whole_network_computes_in_16_bits(mappers, device, precision, close):
    usual, there, read = mappers(device, precision=precision)
    expected = usual.probabilities(TILES[0], read(TILES[0]))
    kinds = set()
    there.model.decoder.register_forward_hook(lambda module, x, y: kinds.add(y.dtype))
    found = there.probabilities(TILES[0], read(TILES[0]))
    assert kinds == {gpu.NUMBERS[precision]}, "beyond the trunk as well"
    assert 0 < np.nanmax(np.abs(found - expected)) < close


def test_any_network_computes_in_16_bits(mappers, holed):
    _, there, read = mappers("cpu", precision="bf16")
    torch.manual_seed(0)
    there.model = train.UNet(dates=5, patch=PATCH, classes=3, width=4).eval()
    shares = there.probabilities(TILES[0], read(TILES[0]))
    np.testing.assert_allclose(np.nansum(shares, 0)[np.isfinite(shares[0])], 1, atol=1e-5)


def test_a_batch_that_is_given_is_filled_up_and_others_are_even(mappers):
    sizes = []
    for batch in (7, None):
        _, there, read = mappers("cpu", batch)
        there.limit = 10
        there.model.register_forward_hook(lambda module, x, y: sizes.append(len(x[0])))
        there.layers(TILES[0], read(TILES[0]))
        sizes.append("|")
    # 16 windows touch the tile; of one of them there is no data.
    assert sizes == [7, 7, 7, "|", 8, 7, "|"]


def test_windows_that_fit_half_of_the_free_memory():
    assert gpu.windows_within(free=8e9, need=1e8) == 40
    assert gpu.windows_within(free=80e9, need=1e6) == gpu.MOST
    assert gpu.windows_within(free=1e8, need=1e9) == 1


def test_a_mapper_can_be_sent_to_a_worker_without_the_network_in_its_reader(mappers):
    _, there, _ = mappers("cpu")
    read = there.ahead(len)
    assert len(pickle.dumps(read)) < 2000 < len(pickle.dumps(there.layers))


def test_apples_gpu_maps_but_says_that_it_does_not_train(monkeypatch):
    from stma_nb.train import hardware

    monkeypatch.setattr(hardware, "pick_device", lambda device: device)  # there is none here
    with pytest.raises(ValueError, match=r"mps\) maps but does not train: .* Take the CPU"):
        hardware.fabric("mps", "32-true")


def test_a_tile_without_any_data_is_no_data(mappers, holed):
    _, there, read = mappers("cpu")
    values = np.full_like(read(TILES[0]), np.nan)
    assert (there.layers(TILES[0], values)["map"] == 255).all()
    assert cube.legend(holed), "the season itself is whole"
