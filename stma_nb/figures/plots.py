"""Figures: the season as an image, crops as curves and maps, training as it goes, errors as a
matrix.

Every function returns a matplotlib Figure; ``show`` puts it into a notebook together with a text
for those who cannot see it.
"""

import base64
import io
from html import escape

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from PIL import Image
from scipy import ndimage

from stma_nb import patches, radar
from stma_nb.cube import Crop, legend

DPI = 80


def show(figure: Figure, alt: str) -> None:
    """Display a figure with an alternative text that survives JupyterLab and export to HTML."""
    from IPython.display import HTML, display

    display(HTML(html_image(figure, alt)))


def html_image(figure: Figure, alt: str) -> str:
    """The figure as an HTML image with an alternative text."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=DPI, bbox_inches="tight")
    # A palette of 128 colours, since speckle does not compress and a notebook is to stay below 1
    # MB; MAXCOVERAGE keeps rare colours apart, the legend's among them.
    small = io.BytesIO()
    picture = (
        Image.open(png)
        .convert("RGB")
        .quantize(128, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    picture.save(small, format="png", optimize=True)
    return (
        f'<img alt="{escape(alt)}" '
        f'src="data:image/png;base64,{base64.b64encode(small.getvalue()).decode()}">'
    )


def backscatter(season: xr.Dataset, dates: list[int] | None = None, columns: int = 4) -> Figure:
    """VH backscatter in dB on some dates (positions in the season; by default three spread over
    it), one grey scale for all.
    """
    dates = (
        np.linspace(0, season.sizes["time"] - 1, 3).round().astype(int) if dates is None else dates
    )
    images = [radar.to_db(season.vh.isel(time=date)).values for date in dates]
    low, high = np.nanpercentile(images, (2, 98))
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(2.9 * min(columns, len(images)) + 1, 2.9 * rows), layout="constrained")
    axes = figure.subplots(rows, min(columns, len(images)), squeeze=False)
    for axis in axes.flat[len(images) :]:
        axis.set_visible(False)
    for axis, image, date in zip(axes.flat, images, dates, strict=False):
        picture = axis.imshow(image, cmap="gray", vmin=low, vmax=high, extent=_extent(season))
        axis.set_title(np.datetime_as_string(season.time.values[date], "D"), fontsize=10)
        _kilometres(axis, label=axis is axes.flat[0])
    figure.colorbar(picture, ax=axes, label="VH backscatter (dB)", shrink=0.8)
    return figure


def profiles(season: xr.Dataset, crops: list[str], where: np.ndarray | None = None) -> Figure:
    """Mean backscatter of crops over the season, VV above VH, in dB (averaged in linear power);
    names at the lines' ends.
    """
    known = legend(season)
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for axis, band in zip(axes, ("vv", "vh"), strict=True):
        for position, name in enumerate(crops):
            code = [crop.name for crop in known].index(name)
            mask = (season.crop == code) if where is None else (season.crop == code) & where
            mean = radar.to_db(season[band].where(mask).mean(("y", "x"), keep_attrs=True)).values
            style = ("-", "--", "-.", ":")[position % 4]
            axis.plot(
                season.time,
                mean,
                style,
                marker="osD^v"[position % 5],
                markersize=4,
                color=ink(known[code]),
                label=name,
            )
        axis.set_ylabel(f"{band.upper()} backscatter (dB)")
        axis.grid(alpha=0.3)
    axes[0].legend(ncols=len(crops), loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
    axes[1].xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axes[1].set_xlabel("acquisition date")
    return figure


def label_maps(
    maps: dict[str, xr.DataArray | np.ndarray],
    crops: tuple[Crop, ...],
    season: xr.Dataset,
    outline: np.ndarray | None = None,
    date: int | None = None,
) -> Figure:
    """Class maps (rows, columns) side by side under their titles, with one legend of the classes
    that occur.

    ``outline`` is a mask whose border is drawn, say the held-out blocks. With ``date`` (a position
    in the season) the VH image of that date stands before the maps.
    """
    maps = {title: np.asarray(labels) for title, labels in maps.items()}
    occurring = sorted(
        {int(code) for labels in maps.values() for code in np.unique(labels) if code < len(crops)}
    )
    count = len(maps) + (date is not None)
    figure = Figure(figsize=(3.6 * count + 1.4, 3.9), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0]
    _kilometres(axes[0], label=True)
    if date is not None:
        image = radar.to_db(season.vh.isel(time=date)).values
        low, high = np.nanpercentile(image, (2, 98))
        axes[0].imshow(image, cmap="gray", vmin=low, vmax=high, extent=_extent(season))
        axes[0].set_title(
            f"VH, {np.datetime_as_string(season.time.values[date], 'D')}", fontsize=11
        )
    colours, norm = colour_map(crops)
    for axis, (title, labels) in zip(axes[count - len(maps) :], maps.items(), strict=True):
        axis.imshow(
            labels, cmap=colours, norm=norm, extent=_extent(season), interpolation="nearest"
        )
        axis.set_title(title, fontsize=11)
    for axis in axes:
        _kilometres(axis, label=False)
        if outline is not None:
            _draw_outline(axis, outline, season)
    handles = [
        Patch(
            facecolor=crops[code].colour, edgecolor="black", linewidth=0.4, label=crops[code].name
        )
        for code in occurring
    ]
    figure.legend(handles=handles, loc="outside right center", fontsize=9, frameon=False)
    return figure


def _draw_outline(axis: Axes, mask: np.ndarray, season: xr.Dataset) -> None:
    """The border of a mask in black, closed at the border of the scene."""
    right, top = _extent(season)[1::2]
    y, x = (
        (np.arange(n + 2) - 0.5) * size / n
        for n, size in zip(mask.shape, (top, right), strict=True)
    )
    axis.contour(x, y, np.pad(mask, 1)[::-1], levels=[0.5], colors="black", linewidths=1.5)
    axis.set(xlim=(0, right), ylim=(0, top))


def parts_map(maps: dict[str, np.ndarray], season: xr.Dataset) -> Figure:
    """Maps of parts (see ``splits``) side by side under their titles: the parts differ in
    lightness, and large ones by hatching.
    """
    looks = {  # colour and hatching
        patches.TRAIN: ("#a6cee3", None),
        patches.VALID: ("#e69f00", "//"),
        patches.TEST: ("#882255", ".."),
        patches.UNUSED: ("#ffffff", None),
    }
    figure = Figure(figsize=(3.6 * len(maps) + 1.4, 3.9), layout="constrained")
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    colours = ListedColormap([looks[code][0] for code in sorted(looks)])
    for axis, (title, parts) in zip(axes, maps.items(), strict=True):
        thin = parts[
            :: -(-len(parts) // 600), :: -(-parts.shape[1] // 600)
        ]  # no finer than the screen
        axis.imshow(
            thin, cmap=colours, vmin=-0.5, vmax=3.5, extent=_extent(season), interpolation="nearest"
        )
        for code, (_, hatch) in looks.items():
            area = ndimage.binary_opening(thin == code, np.ones((5, 5)))
            if hatch and area.any():
                shape = dict(
                    levels=[0.5, 1.5], colors="none", extent=_extent(season), origin="upper"
                )
                axis.contourf(area, hatches=[hatch], **shape).set(edgecolor="white", linewidth=0)
        axis.set_title(title, fontsize=11)
        _kilometres(axis, label=axis is axes[0])
    handles = [
        Patch(
            facecolor=colour,
            hatch=hatch and 2 * hatch,
            edgecolor="white" if hatch else "black",
            label=patches.PARTS[code],
        )
        for code, (colour, hatch) in looks.items()
    ]
    figure.legend(handles=handles, loc="outside right center", fontsize=9, frameon=False)
    return figure


def colour_map(crops: tuple[Crop, ...]) -> tuple[ListedColormap, BoundaryNorm]:
    """The legend's colours for matplotlib: imshow(codes, cmap=..., norm=...)."""
    return ListedColormap([crop.colour for crop in crops]), BoundaryNorm(
        np.arange(len(crops) + 1) - 0.5, len(crops)
    )


def error_matrix(matrix: np.ndarray, crops: tuple[Crop, ...]) -> Figure:
    """Error matrix (map rows, reference columns) as shares of each reference class; empty classes
    are left out.
    """
    present = np.flatnonzero((matrix.sum(0) + matrix.sum(1)) > 0)
    counts = matrix[np.ix_(present, present)]
    share = counts / np.maximum(counts.sum(0), 1)
    names = [crops[code].name for code in present]
    side = 0.42 * len(present) + 2
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(100 * share, cmap="Blues", vmin=0, vmax=100)
    for (row, column), value in np.ndenumerate(share):
        if value >= 0.005:
            colour = "white" if value > 0.5 else "black"
            axis.text(
                column,
                row,
                f"{100 * value:.0f}",
                ha="center",
                va="center",
                fontsize=8,
                color=colour,
            )
    axis.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=9)
    axis.set_yticks(range(len(names)), names, fontsize=9)
    axis.set_xlabel("reference")
    axis.set_ylabel("map")
    figure.colorbar(picture, ax=axis, label="% of the reference class", shrink=0.7)
    return figure


def history(epochs: list[dict[str, float]]) -> Figure:
    """Loss of training and validation and the accuracy on validation blocks, epoch by epoch."""
    figure = Figure(figsize=(8.5, 2.8), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    number = [entry["epoch"] for entry in epochs]
    loss.plot(
        number,
        [entry["loss"] for entry in epochs],
        "o-",
        color="#0072b2",
        markersize=3,
        label="training (both heads)",
    )
    loss.plot(
        number,
        [entry["valid_loss"] for entry in epochs],
        "s--",
        color="#d55e00",
        markersize=3,
        label="validation (main head)",
    )
    loss.set_ylabel("cross-entropy")
    loss.set_ylim(bottom=0)
    loss.legend(frameon=False)
    accuracy.plot(
        number, [entry["accuracy"] for entry in epochs], "s--", color="#d55e00", markersize=3
    )
    accuracy.set_ylabel("validation pixels correct")
    accuracy.set_ylim(0, 1)
    for axis in (loss, accuracy):
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
    return figure


def live_history():
    """A function for ``train.fit(watch=...)`` that redraws the training curves in place, in one
    output of a notebook.
    """
    from IPython.display import HTML, display

    handle = None

    def watch(epochs: list[dict[str, float]]) -> None:
        nonlocal handle
        last = epochs[-1]
        alt = (
            f"Training curves after {last['epoch']} epochs: training loss {last['loss']:.2f}, "
            "validation loss "
            f"{last['valid_loss']:.2f}, {100 * last['accuracy']:.0f} % of validation pixels "
            "correct."
        )
        picture = HTML(html_image(history(epochs), alt))
        if handle is None:
            handle = display(picture, display_id=True)
        else:
            handle.update(picture)

    return watch


def _extent(season: xr.Dataset) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a scene in kilometres from its lower left corner."""
    cell = [abs(float(season[axis][1] - season[axis][0])) / 1000 for axis in ("x", "y")]
    return 0, season.sizes["x"] * cell[0], 0, season.sizes["y"] * cell[1]


def _kilometres(axis: Axes, label: bool) -> None:
    axis.tick_params(labelsize=8)
    if label:
        axis.set_xlabel("east (km)", fontsize=9)
        axis.set_ylabel("north (km)", fontsize=9)


def ink(crop: Crop) -> str:
    """A line colour for a class: yellow is too light on white."""
    return {"#f0e442": "#b8a800"}.get(crop.colour, crop.colour)


def network_diagram(dates: int, patch: int, classes: int, **_) -> Figure:
    """The blocks of STMA and what flows between them, with the sizes of a network:
    ``network_diagram(**model.arguments)``.
    """
    sides = patch // 4, patch // 8, patch // 8
    boxes = {"input": (0, 1, f"x\n{dates} x 2 x {patch}²"), "trunk": (1.5, 1, "trunk\n(each date)")}
    for level, (channels, side) in enumerate(zip((2, 4, 8), sides, strict=True), start=1):
        boxes[f"lsape{level}"] = (3, 3 - level, f"LSAPE {level}\n{channels} x {dates}, {side}²")
        boxes[f"stsa{level}"] = (4.7, 3 - level, f"STSA {level}")
    boxes["mca"] = (6.2, 1, f"MCA\n{8 * dates}, {sides[2]}²")
    boxes["decoder"] = (7.8, 1, f"decoder\n{patch // 2}²")
    boxes["main"] = (9.3, 1, f"main\n{classes}, {patch}²")
    boxes["auxiliary"] = (6.2, -0.9, f"auxiliary\n{classes}, {patch}²")
    arrows = ["input trunk", "mca decoder", "decoder main", "lsape3 auxiliary"]
    arrows += [
        arrow
        for i in (1, 2, 3)
        for arrow in (f"trunk lsape{i}", f"lsape{i} stsa{i}", f"stsa{i} mca")
    ]
    figure = Figure(figsize=(10, 4.2))
    axis = figure.subplots()
    for x, y, text in boxes.values():
        frame = dict(boxstyle="round", facecolor="#e8f1fa", edgecolor="#0072b2")
        axis.text(x, y, text, ha="center", va="center", fontsize=9, bbox=frame)
    for arrow in arrows:
        (x0, y0, _), (x1, y1, _) = (boxes[name] for name in arrow.split())
        axis.annotate(
            "",
            xytext=(x0 + 0.45, y0),
            xy=(x1 - 0.5, y1),
            arrowprops=dict(arrowstyle="->", color="0.4"),
            zorder=1,
        )
    skip = dict(arrowstyle="->", color="#d55e00", connectionstyle="arc3,rad=-0.2")
    axis.annotate(
        "gated 1 and 3 are added in the decoder",
        xy=(7.8, 1.3),
        xytext=(4.3, 2.75),
        fontsize=9,
        arrowprops=skip,
    )
    axis.set(xlim=(-0.6, 10), ylim=(-1.3, 3))
    axis.axis("off")
    return figure
