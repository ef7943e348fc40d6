"""The authors' MATLAB files, written here in their true formats: v7.3 (HDF5, 512-byte header, axes
reversed) and v5.
"""

import io
import pickle
import zipfile

import h5py
import numpy as np
import pytest
import scipy.io
import torch

from stma_nb import cube, patches, predict, train
from stma_nb.__main__ import main
from stma_nb.model import STMA
from stma_nb.sources.brandenburg import (
    compare_with_release,
    open_brandenburg,
    open_train_list,
)

ROWS, COLUMNS, DATES = 40, 56, 5


def write_v73(path, name, array, matlab_class=b"single"):
    """What MATLAB's save -v7.3 writes: a header in the first 512 bytes, then HDF5 with the axes
    reversed, in compressed chunks.
    """
    stored = np.ascontiguousarray(array.T)
    with h5py.File(path, "w", userblock_size=512) as hdf:
        chunks = tuple(
            min(size, chunk) for size, chunk in zip(stored.shape, (1, 16, 16), strict=False)
        )
        data = hdf.create_dataset(
            name, data=stored, chunks=chunks, compression="gzip", compression_opts=3
        )
        data.attrs["MATLAB_class"] = np.bytes_(matlab_class)
    header = (
        b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".ljust(124) + b"\x00\x02IM"
    )
    with open(path, "r+b") as raw:
        raw.write(header)


@pytest.fixture
def files(tmp_path):
    """The three files of a small scene, and the arrays (rows, columns[, dates]) of MATLAB."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 16, (ROWS, COLUMNS)).astype(np.uint8)
    vh = rng.normal(-18, 3, (ROWS, COLUMNS, DATES)).astype(np.float32)
    vv = rng.normal(-11, 3, (ROWS, COLUMNS, DATES)).astype(np.float32)
    write_v73(tmp_path / "VH_cut.mat", "VH", vh)
    write_v73(tmp_path / "VV_cut.mat", "VV", vv)
    scipy.io.savemat(
        tmp_path / "label.mat", {"label": label, "label_s2": label[::-1]}, do_compression=True
    )
    return tmp_path, vh, vv, label


def test_season_has_matlabs_rows_and_columns_and_linear_power(files):
    folder, vh, vv, label = files
    season = open_brandenburg(folder, "index")
    assert season.sizes == {"time": DATES, "y": ROWS, "x": COLUMNS}
    np.testing.assert_allclose(season.vh, 10 ** (vh.transpose(2, 0, 1) / 10), rtol=1e-5)
    np.testing.assert_allclose(season.vv, 10 ** (vv.transpose(2, 0, 1) / 10), rtol=1e-5)
    np.testing.assert_array_equal(season.crop, label)
    assert [crop.name for crop in cube.legend(season)][14] == "Sugar beet"
    assert season.vv.dtype == np.float32 and season.vv.attrs["units"] == "1"


def test_window_equals_whole_array_and_reads_nothing_else(files, monkeypatch):
    season = open_brandenburg(files[0], "index")
    whole = season.compute()
    read = []
    getitem = h5py.Dataset.__getitem__
    monkeypatch.setattr(
        h5py.Dataset, "__getitem__", lambda data, index: read.append(v := getitem(data, index)) or v
    )
    window = np.asarray(season.vh.data[..., 3:19, 30:46])
    np.testing.assert_array_equal(window, whole.vh[:, 3:19, 30:46])
    assert sum(values.size for values in read) == window.size


def test_lazy_season_goes_to_other_processes(files):
    season = open_brandenburg(files[0], "index")
    again = pickle.loads(pickle.dumps(season))
    np.testing.assert_array_equal(again.vh.values, season.vh.values)


def test_dates(files):
    folder = files[0]
    given = ["2017-10-03", "2017-10-15", "2017-10-27", "2017-11-08", "2017-11-20"]
    season = open_brandenburg(folder, given)
    assert [str(day)[:10] for day in season.time.values] == given and season.attrs[
        "dates"
    ] == "given by the user"
    assert "placeholder" in open_brandenburg(folder, "index").attrs["dates"]
    with pytest.raises(cube.SeasonError, match="4 dates were given and the cubes have 5"):
        open_brandenburg(folder, given[1:])
    with pytest.raises(cube.SeasonError, match="dates cannot be read.*2018-01-05"):
        open_brandenburg(folder, [*given[:4], "spring"])
    with pytest.raises(cube.SeasonError, match="not in order"):
        open_brandenburg(folder, given[::-1])
    with pytest.raises(cube.SeasonError, match="expected 5 dates, or 'index'"):
        open_brandenburg(folder, "guess")


def test_position_is_unknown_unless_given(files):
    folder = files[0]
    unknown = open_brandenburg(folder, "index")
    assert "unknown" in unknown.rio.crs.to_wkt() and (unknown.x[0], unknown.y[-1]) == (5, 5)
    known = open_brandenburg(folder, "index", grid=("EPSG:32633", 400_000, 5_800_000))
    assert known.rio.crs.to_epsg() == 32633 and known.rio.bounds() == (
        400_000,
        5_799_600,
        400_560,
        5_800_000,
    )


def test_season_goes_the_whole_road(files, tmp_path):
    season = open_brandenburg(files[0], "index")
    kept = cube.open_season(cube.save_season(season, tmp_path / "season.zarr"))
    np.testing.assert_array_equal(kept.vh, season.vh)
    windows = patches.corners((ROWS, COLUMNS), 16)
    data = patches.PatchDataset(season, windows, 16, patches.fit_scaling(season))
    model = STMA(dates=DATES, patch=16, classes=16, width=4)
    trained = train.fit(model, data, data, epochs=1, device="cpu", watch=lambda history: None)
    predict.season_map(trained, season, tmp_path / "map.tif", device="cpu")
    assert cube.open_layer(tmp_path / "map.tif").shape == (ROWS, COLUMNS)


@pytest.mark.parametrize("square", [False, True])
def test_file_in_numpys_order_is_told_from_the_labels(files, square):
    """h5py writes (dates, rows, columns) as they are; only in a square scene nobody can tell, and
    MATLAB's order is taken.
    """
    folder, vh, vv, label = files
    rows = slice(0, ROWS)
    scipy.io.savemat(folder / "label.mat", {"label": label[:, rows] if square else label})
    for name, cube_ in (("VH", vh), ("VV", vv)):
        stored = cube_[:, rows] if square else cube_
        if square:
            write_v73(folder / f"{name}_cut.mat", name, stored)
        else:
            with h5py.File(folder / f"{name}_cut.mat", "w") as hdf:
                hdf[name] = stored.transpose(2, 0, 1)
    season = open_brandenburg(folder, "index")
    expected = (vh[:, rows] if square else vh).transpose(2, 0, 1)
    np.testing.assert_allclose(season.vh, 10 ** (expected / 10), rtol=1e-5)


def test_axes_that_fit_no_order_are_refused(files):
    folder, vh, _, _ = files
    write_v73(
        folder / "VH_cut.mat", "VH", vh.transpose(2, 0, 1)
    )  # HDF5 then has rows, columns, dates reversed
    with pytest.raises(
        cube.SeasonError, match=r"'VH' is \(56, 40, 5\) in HDF5 and the labels are \(40, 56\)"
    ):
        open_brandenburg(folder, "index")


class TestScale:
    def test_power_is_taken_as_it_is(self, files):
        folder, vh, vv, _ = files
        write_v73(folder / "VH_cut.mat", "VH", 10 ** (vh / 10))
        write_v73(folder / "VV_cut.mat", "VV", 10 ** (vv / 10))
        season = open_brandenburg(folder, "index")
        assert season.attrs["scale_in_file"] == "power"
        np.testing.assert_allclose(season.vh, 10 ** (vh.transpose(2, 0, 1) / 10), rtol=1e-5)
        with pytest.raises(cube.SeasonError, match="'VV' has a median of 0.*; expected dB"):
            open_brandenburg(folder, "index", scale="dB")

    def test_contradiction_is_refused(self, files):
        with pytest.raises(cube.SeasonError, match="'VV' has a median of -.*looks like dB"):
            open_brandenburg(files[0], "index", scale="power")

    def test_scaled_values_need_their_scale(self, files):
        folder, vh, vv, _ = files
        write_v73(folder / "VH_cut.mat", "VH", (vh + 40) / 40)
        write_v73(folder / "VV_cut.mat", "VV", (vv + 40) / 40)
        with pytest.raises(cube.SeasonError, match="neither dB nor linear power"):
            open_brandenburg(folder, "index")
        season = open_brandenburg(folder, "index", scale=(40, -40))
        np.testing.assert_allclose(season.vh, 10 ** (vh.transpose(2, 0, 1) / 10), rtol=1e-4)

    def test_bands_in_different_units_are_refused(self, files):
        folder, vh, _, _ = files
        write_v73(folder / "VH_cut.mat", "VH", 10 ** (vh / 10))
        with pytest.raises(
            cube.SeasonError, match="VV_cut.mat looks like dB, VH_cut.mat like power"
        ):
            open_brandenburg(folder, "index")


class TestBrokenFiles:
    def test_missing_file_says_where_to_get_it(self, files):
        (files[0] / "VV_cut.mat").unlink()
        with pytest.raises(FileNotFoundError, match=r"lacks VV_cut.mat.*drive.google.com"):
            open_brandenburg(files[0], "index")

    def test_swapped_formats(self, files):
        folder = files[0]
        labels = (folder / "label.mat").read_bytes()
        (folder / "label.mat").write_bytes((folder / "VH_cut.mat").read_bytes())
        with pytest.raises(cube.SeasonError, match="'label.mat' is MATLAB v7.3"):
            open_brandenburg(folder, "index")
        (folder / "label.mat").write_bytes(labels)
        (folder / "VH_cut.mat").write_bytes(labels)
        with pytest.raises(
            cube.SeasonError, match="'VH_cut.mat' is a MATLAB v5 file; expected MATLAB v7.3"
        ):
            open_brandenburg(folder, "index")

    @pytest.mark.parametrize(
        ("name", "share"),
        [
            ("VH_cut.mat", 0.02),
            ("VH_cut.mat", 0.5),
            ("VH_cut.mat", 0.98),
            ("label.mat", 0.02),
            ("label.mat", 0.4),
        ],
    )
    def test_truncated_file(self, files, name, share):
        whole = (files[0] / name).read_bytes()
        (files[0] / name).write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(cube.SeasonError, match=rf"'{name}'.*(truncated|damaged)"):
            open_brandenburg(files[0], "index")

    def test_renamed_keys_are_named(self, files):
        folder, vh, _, _ = files
        with pytest.raises(
            cube.SeasonError, match=r"no variable 'label_s3'; found \['label', 'label_s2'\]"
        ):
            open_brandenburg(folder, "index", key="label_s3")
        write_v73(folder / "VH_cut.mat", "VH_new", vh)
        with pytest.raises(cube.SeasonError, match=r"no variable 'VH'; found \['VH_new'\]"):
            open_brandenburg(folder, "index")

    def test_cubes_of_different_length(self, files):
        folder, _, vv, _ = files
        write_v73(folder / "VV_cut.mat", "VV", vv[..., :4])
        with pytest.raises(cube.SeasonError, match="not of one release"):
            open_brandenburg(folder, "index")

    @pytest.mark.parametrize("code", [16, 300, -1, 2.5])
    def test_code_outside_the_legend(self, files, code):
        folder, _, _, label = files
        label = label.astype(float)
        label[3, 4] = code
        scipy.io.savemat(folder / "label.mat", {"label": label})
        with pytest.raises(cube.SeasonError, match="expected whole numbers 0 .. 15"):
            open_brandenburg(folder, "index")


def test_labels_of_the_second_season(files):
    season = open_brandenburg(files[0], "index", key="label_s2")
    np.testing.assert_array_equal(season.crop, files[3][::-1])


@pytest.mark.parametrize(
    ("key", "vh", "vv", "verdict"),
    [
        ("label", (-16.37, 3.12), (-10.59, 3.20), ": they fit."),
        ("label_s2", (-16.54, 3.07), (-10.91, 2.89), ": they fit."),
        ("label", (-10.59, 3.20), (-16.37, 3.12), ": VH and VV look exchanged."),
        ("label", (-16.37, 3.12), (-16.37, 3.12), ": they do not fit, so units, order"),
        ("label", (-16.37, 6.12), (-10.59, 3.20), ": they do not fit, so units, order"),
    ],
)
def test_levels_are_compared_with_those_of_the_release(files, key, vh, vv, verdict, capsys):
    folder = files[0]
    rng = np.random.default_rng(1)
    for name, level in (("VH", vh), ("VV", vv)):
        values = rng.normal(*level, (ROWS, COLUMNS, DATES)).astype(np.float32)
        write_v73(folder / f"{name}_cut.mat", name, values)
    told = compare_with_release(open_brandenburg(folder, "index", key), key)
    assert verdict in told and told.count("\n") == 0
    first = float(told.split("VH and VV ")[1].split(" and ")[0])
    assert first == pytest.approx(vh[0], abs=0.1), "VH first"
    assert main(["data", "brandenburg", str(folder), "--key", key]) == 0
    assert told in capsys.readouterr().out


def test_command_checks_the_files_and_writes_a_season(files, tmp_path, capsys):
    folder, label = files[0], files[3]
    assert main(["data", "brandenburg", str(folder)]) == 0
    out = capsys.readouterr().out
    assert (
        "40 x 56 pixels" in out
        and "5 dates" in out
        and "placeholders" in out
        and f"Maize {(label == 1).mean():.1%}" in out
    )
    (tmp_path / "dates.txt").write_text(
        "2017-10-03\n2017-10-15\n2017-10-27\n2017-11-08\n2017-11-20\n"
    )
    output = tmp_path / "season.zarr"
    assert (
        main(
            [
                "data",
                "brandenburg",
                str(folder),
                str(output),
                "--dates",
                str(tmp_path / "dates.txt"),
            ]
        )
        == 0
    )
    assert f"python -m stma_nb train {output}" in capsys.readouterr().out
    assert str(cube.open_season(output).time.values[1])[:10] == "2017-10-15"
    assert main(["data", "brandenburg", str(tmp_path / "none")]) == 1
    assert "github.com/hanzhu97702/ISPRS_STMA" in capsys.readouterr().err


# --------------------------------------------------------------------------------- prepared patches


@pytest.fixture
def train_list(tmp_path):
    rng = np.random.default_rng(1)
    arrays = {}
    for part, count in (("", 6), ("_test", 3)):
        arrays |= {
            f"{band}{part}_list": rng.random((count, 16, 16, 4), np.float32)
            for band in ("vh", "vv")
        }
        arrays |= {f"label{part}_list": rng.integers(0, 16, (count, 16, 16)).astype(np.uint8)}
    np.savez(tmp_path / "train_list.npz", **arrays)
    return tmp_path / "train_list.npz", arrays


def test_prepared_patches_keep_rows_and_columns_of_images_and_labels(train_list):
    file, arrays = train_list
    learn, test = open_train_list(file)
    assert (len(learn), len(test)) == (6, 3)
    x, y = test[1]
    assert x.shape == (4, 2, 16, 16) and x.dtype == torch.float32 and y.dtype == torch.int64
    np.testing.assert_array_equal(x[:, 0], arrays["vh_test_list"][1].transpose(2, 0, 1))
    np.testing.assert_array_equal(x[:, 1], arrays["vv_test_list"][1].transpose(2, 0, 1))
    np.testing.assert_array_equal(y, arrays["label_test_list"][1])
    assert 0 <= train.validate(STMA(dates=4, patch=16, classes=16, width=4), test)["accuracy"] <= 1


def test_prepared_patches_are_not_loaded_whole(train_list):
    learn, _ = open_train_list(train_list[0])
    assert isinstance(learn.vh, np.memmap) and not learn.vh.flags.writeable


def test_broken_train_list(train_list, tmp_path):
    file, arrays = train_list
    with pytest.raises(FileNotFoundError, match="dataset_prepare.py"):
        open_train_list(tmp_path / "none.npz")
    for wrong, sentence in (
        ({"label_list": arrays["label_list"][:-1]}, r"label_list \(5, 16, 16\)"),
        ({"vv_list": arrays["vv_list"][..., :3]}, "do not fit each other"),
    ):
        np.savez(file, **(arrays | wrong))
        with pytest.raises(cube.SeasonError, match=sentence):
            open_train_list(file)
    np.savez(file, **{("vh" if key == "vh_list" else key): value for key, value in arrays.items()})
    with pytest.raises(cube.SeasonError, match=r"no array 'vh_list'; found \['vh', "):
        open_train_list(file)
    np.savez_compressed(file, **arrays)
    with pytest.raises(cube.SeasonError, match="write it with np.savez"):
        open_train_list(file)
    np.savez(file, **arrays)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(cube.SeasonError, match="truncated"):
        open_train_list(file)


def a_header(descr, shape):
    """An .npy file of 64 bytes 'A' that says it holds something else."""
    raw = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        raw, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return raw.getvalue() + b"A" * 64


@pytest.mark.parametrize(
    "array, said",
    [
        (a_header("|O", (1, 2, 2, 2)), "'vh_list' in 'train_list.npz' holds object; expected num"),
        (a_header([("a", "|O")], (1, 2, 2, 2)), "holds .*'O'.*; expected numbers"),
        (a_header("<U2", (1, 2, 2, 2)), "holds <U2; expected numbers"),
        (a_header("<f4", (9, 99, 99, 9)), r"is shorter than its shape \(9, 99, 99, 9\)"),
        (b"no array at all" * 9, "no NumPy archive, or truncated"),
    ],
)
def test_an_array_is_mapped_only_if_its_bytes_are_numbers(train_list, array, said):
    """Bytes taken for Python objects are taken for addresses: reading one ends the process."""
    file, _ = train_list
    with zipfile.ZipFile(file, "w") as archive:
        for part in ("", "_test"):
            for name in ("vh", "vv", "label"):
                archive.writestr(f"{name}{part}_list.npy", array)
    with pytest.raises(cube.SeasonError, match=said):
        open_train_list(file)
