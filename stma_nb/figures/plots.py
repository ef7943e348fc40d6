"""Figures: the season as an image, crops as curves and maps, training as it goes, errors.

Every function returns a matplotlib Figure; ``show`` puts it into a notebook together with a
caption, and a text for those who cannot see it.
"""

import base64
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Annotated, Any, Protocol

import matplotlib
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, to_rgb
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from PIL import Image
from scipy import ndimage

from stma_nb import patches, radar
from stma_nb.cube import Crop, background, legend
from stma_nb.extras import needs
from stma_nb.figures.colours import CURVES, PARTS

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DPI = 150
CSS_INCH = 96  # CSS pixels in an inch: letters of 10 points are as large as those of the page

Caption = Annotated[str, "begins with the number: 'Figure 3. What is drawn.'"]


class Displayed(Protocol):
    """What shows itself in a notebook, such as a picture that moves or a web map."""

    def _ipython_display_(self) -> None: ...


def show(picture: Figure | Displayed, caption: Caption, alt: str = "", svg: bool = False) -> None:
    """Display a figure, or a picture that moves, and below it a caption that all can read.

    ``alt`` is for those who cannot see a figure; it survives JupyterLab and export to HTML (a
    picture that moves tells of itself). With ``svg`` the figure is drawn in lines: right for
    drawings, large for images. Raises ValueError for a figure without ``alt``.
    """
    with needs("course"):
        from IPython.display import HTML, display

    if isinstance(picture, Figure):
        if not alt.strip():
            raise ValueError(
                "The figure has no alternative text: say in alt= what it shows to those who cannot "
                "see it."
            )
        display(HTML(captioned(html_image(picture, alt, svg), caption)))
    else:
        display(picture)
        display(HTML(captioned("", caption)))


def captioned(image: str, caption: Caption) -> str:
    """An HTML image with its caption below; the number is bold."""
    number, dot, text = caption.partition(". ")
    words = f"<b>{escape(number)}.</b> {escape(text)}" if dot else escape(caption)
    below = f'<figcaption style="max-width:60em">{words}</figcaption>'
    return f'<figure style="margin:0 0 1em">{image}{below}</figure>'


def html_image(figure: Figure, alt: str, svg: bool = False) -> str:
    """The figure as an HTML image with an alternative text, as PNG or, for drawings, as SVG."""
    if svg:
        picture = svg_of(figure)
        inches = float(re.search(rb'width="([\d.]+)pt"', picture)[1]) / 72  # type: ignore[index]
        kind = "svg+xml"
    else:
        picture, inches = _png(figure)
        kind = "png"
    data = base64.b64encode(picture).decode()
    return (
        f'<img alt="{escape(alt)}" width="{inches * CSS_INCH:.0f}" '
        f'style="max-width:100%;height:auto" src="data:image/{kind};base64,{data}">'
    )


def svg_of(figure: Figure) -> bytes:
    """The figure as SVG; the same figure gives the same bytes. Letters are shapes: no fonts."""
    drawn = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "stma_nb"}):
        figure.savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None})
    return drawn.getvalue()


def _png(figure: Figure) -> tuple[bytes, float]:
    """The figure as PNG, and how many inches wide it is."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight")
    # A palette of 64 colours, since speckle does not compress and a notebook is to stay below 1.5
    # MB; MAXCOVERAGE keeps rare colours apart, the legend's among them, and kmeans keeps them true.
    picture = Image.open(drawn).convert("RGB")
    method = Image.Quantize.MAXCOVERAGE
    picture = picture.quantize(64, method, kmeans=1, dither=Image.Dither.NONE)
    small = io.BytesIO()
    picture.save(small, format="png", optimize=True)
    return small.getvalue(), picture.width / DPI


def backscatter(season: xr.Dataset, dates: list[int] | None = None, columns: int = 4) -> Figure:
    """VH backscatter in dB on some dates, one grey scale for all.

    ``dates`` are positions in the season; by default three spread over it.
    """
    if dates is None:
        dates = np.linspace(0, season.sizes["time"] - 1, 3).round().astype(int)
    images = [radar.to_db(season.vh.isel(time=date)).values for date in dates]
    low, high = np.nanpercentile(images, (2, 98))  # so that few bright objects do not darken all
    rows = math.ceil(len(images) / columns)
    columns = min(columns, len(images))
    figure = Figure(figsize=(2.9 * columns + 1, 2.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat[len(images) :]:
        axis.set_visible(False)
    for axis, image, date in zip(axes.flat, images, dates, strict=False):
        picture = axis.imshow(image, cmap="gray", vmin=low, vmax=high, extent=extent(season))
        axis.set_title(np.datetime_as_string(season.time.values[date], "D"), fontsize=10)
    locate(axes.flat[: len(images)], season)
    figure.colorbar(picture, ax=axes, label="VH backscatter (dB)", shrink=0.8)
    return figure


def radar_image(season: xr.Dataset, date: int, crops: Sequence[str] = ()) -> Figure:
    """VH backscatter in dB on one date (a position in the season), large.

    The names of ``crops`` stand on the largest field of each, as far as the season has it.
    """
    step = math.ceil(season.sizes["x"] / 900)
    image = radar.to_db(season.vh.isel(time=date)).values[::step, ::step]
    rows, columns = image.shape
    dots = max(1, round(900 / columns))  # on the screen for each pixel: whole, so that none is cut
    width, height = columns * dots / DPI, rows * dots / DPI  # inches
    figure = Figure(figsize=(width + 2.1, height + 1.15))
    scale = np.tile(figure.get_size_inches(), 2)
    axis = figure.add_axes((0.7, 0.75, width, height) / scale)
    bar = figure.add_axes((width + 0.9, 0.75 + 0.2 * height, 0.2, 0.6 * height) / scale)
    low, high = np.nanpercentile(image, (2, 98))
    look = dict(cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    picture = axis.imshow(image, extent=extent(season), **look)
    axis.set_title(f"VH, {np.datetime_as_string(season.time.values[date], 'D')}", fontsize=11)
    locate([axis], season)
    for code, crop in enumerate(legend(season)):
        if crop.name in crops and (season.crop == code).any():
            east, north = _middle_of_largest(season, code)
            halo = [withStroke(linewidth=3, foreground="black")]
            name: dict[str, Any] = dict(
                color="white", fontsize=11, ha="center", va="center", path_effects=halo
            )
            axis.text(east, north, literal(crop.name), **name)
    figure.colorbar(picture, cax=bar, label="VH backscatter (dB)")
    return figure


def _middle_of_largest(season: xr.Dataset, code: int) -> tuple[float, float]:
    """The point of a class that is furthest from all others, in kilometres (east, north)."""
    inside = depth(season.crop.values == code)
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    _, right, _, top = extent(season)
    rows, columns = inside.shape
    return (column + 0.5) * right / columns, top - (row + 0.5) * top / rows


def profiles(season: xr.Dataset, crops: list[str], where: np.ndarray | None = None) -> Figure:
    """Mean backscatter of crops over the season, VV above VH, in dB (averaged in linear power)."""
    known = legend(season)
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for axis, band in zip(axes, ("vv", "vh"), strict=True):
        for position, name in enumerate(crops):
            code = [crop.name for crop in known].index(name)
            mask = season.crop == code
            if where is not None:
                mask = mask & where
            mean = season[band].where(mask).mean(("y", "x"), keep_attrs=True)
            look = distinct(position) | dict(markersize=4, color=ink(known[code]))
            axis.plot(season.time, radar.to_db(mean).values, label=literal(name), **look)
        axis.set_ylabel(f"{band.upper()} backscatter (dB)")
        axis.grid(alpha=0.3)
    axes[0].legend(ncols=len(crops), loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
    axes[1].xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axes[1].set_xlabel("acquisition date")
    return figure


def label_maps(
    maps: dict[str, xr.DataArray | np.ndarray],
    crops: Sequence[Crop],
    season: xr.Dataset,
    outline: np.ndarray | None = None,
    date: int | None = None,
    columns: int = 3,
) -> Figure:
    """Class maps (rows, columns) side by side under their titles, at most ``columns`` in a row,
    with one legend.

    It names the classes that occur. ``outline`` is a mask whose border is drawn, say the held-out
    blocks. With ``date`` (a position in the season) the VH image of that date stands before the
    maps.
    """
    maps = {title: np.asarray(labels) for title, labels in maps.items()}
    occurring = set()
    for labels in maps.values():
        occurring.update(np.unique(labels).tolist())
    count = len(maps) if date is None else len(maps) + 1
    rows, columns = math.ceil(count / columns), min(columns, count)
    side = 3.7 if rows > 1 else min(4.6, 9.6 / columns)  # inches of a map and its axes
    figure = Figure(figsize=(side * columns + 1.4, (side + 0.1) * rows + 0.2), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[count:]:
        panel.set_visible(False)
    axes = panels[:count]
    if date is not None:
        image = radar.to_db(season.vh.isel(time=date)).values
        low, high = np.nanpercentile(image, (2, 98))
        axes[0].imshow(image, cmap="gray", vmin=low, vmax=high, extent=extent(season))
        day = np.datetime_as_string(season.time.values[date], "D")
        axes[0].set_title(f"VH, {day}", fontsize=11)
    colours, norm = colour_map(crops)
    for axis, (title, labels) in zip(axes[count - len(maps) :], maps.items(), strict=True):
        axis.imshow(labels, cmap=colours, norm=norm, extent=extent(season), interpolation="nearest")
        axis.set_title(literal(title), fontsize=11)
        _letter_fields(axis, np.asarray(labels), crops, season, side)
    for axis in axes:
        if outline is not None:
            _draw_outline(axis, outline, season)
    locate(axes, season)
    handles = [
        Patch(
            facecolor=crop.colour,
            edgecolor="black",
            linewidth=0.4,
            label=f"{letters} {literal(crop.name)}".strip(),
        )
        for code, (crop, letters) in enumerate(zip(crops, class_letters(crops), strict=True))
        if code in occurring
    ]
    figure.legend(handles=handles, loc="outside right center", fontsize=9, frameon=False)
    return figure


def _draw_outline(axis: Axes, mask: np.ndarray, season: xr.Dataset) -> None:
    """The border of a mask in black, closed at the border of the scene."""
    _, right, _, top = extent(season)
    rows, columns = mask.shape
    # Centres of the pixels in kilometres, with one more pixel on each side.
    x = (np.arange(columns + 2) - 0.5) * right / columns
    y = (np.arange(rows + 2) - 0.5) * top / rows
    line = axis.contour(x, y, np.pad(mask, 1)[::-1], levels=[0.5], colors="black", linewidths=2)
    line.set_clip_on(False)  # so that it is seen on the frame of the map, too
    axis.set(xlim=(0, right), ylim=(0, top))


def parts_map(maps: dict[str, np.ndarray], season: xr.Dataset) -> Figure:
    """Maps of parts (see ``splits``) side by side under their titles.

    The parts differ in lightness, and large ones by hatching.
    """
    hatches = {patches.VALID: "//", patches.TEST: ".."}
    looks = {code: (colour, hatches.get(code)) for code, colour in PARTS.items()}
    width = min(3.6 * len(maps), 8.6)  # letters stay readable where a page shows it
    figure = Figure(figsize=(width + 1.4, 3.9), layout="constrained")
    axes = figure.subplots(1, len(maps), squeeze=False, sharey=True)[0]
    colours = ListedColormap([looks[code][0] for code in sorted(looks)])
    for axis, (title, parts) in zip(axes, maps.items(), strict=True):
        rows, columns = parts.shape
        thin = parts[:: math.ceil(rows / 600), :: math.ceil(columns / 600)]  # as fine as the screen
        axis.imshow(
            thin, cmap=colours, vmin=-0.5, vmax=3.5, extent=extent(season), interpolation="nearest"
        )
        for code, (_, hatch) in looks.items():
            area = ndimage.binary_opening(thin == code, np.ones((5, 5)))  # without thin pieces
            if hatch and area.any():
                hatched = axis.contourf(
                    area,
                    levels=[0.5, 1.5],
                    colors="none",
                    hatches=[hatch],
                    extent=extent(season),
                    origin="upper",
                )
                hatched.set(edgecolor="white", linewidth=0)
        axis.set_title(literal(title), fontsize=11)
    locate(axes, season)
    handles = []
    for code, (colour, hatch) in looks.items():
        edge = "white" if hatch else "black"
        denser = hatch and 2 * hatch  # the boxes of the legend are small
        handles.append(
            Patch(facecolor=colour, hatch=denser, edgecolor=edge, label=patches.PARTS[code])
        )
    figure.legend(handles=handles, loc="outside right center", fontsize=9, frameon=False)
    return figure


def colour_map(crops: Sequence[Crop]) -> tuple[Colormap, BoundaryNorm]:
    """The legend's colours for matplotlib: imshow(codes, cmap=..., norm=...).

    Codes outside the legend (nodata, unknown) are clear.
    """
    clear = (0, 0, 0, 0)
    colours = ListedColormap([crop.colour for crop in crops]).with_extremes(over=clear, under=clear)
    bounds = np.arange(len(crops) + 1) - 0.5  # code k lies between k - 0.5 and k + 0.5
    return colours, BoundaryNorm(bounds, len(crops))


def error_matrix(matrix: np.ndarray, crops: Sequence[Crop], least: int = 0) -> Figure:
    """Error matrix (map rows, reference columns) as shares of each reference class.

    Empty classes are left out. Classes of fewer reference pixels than ``least`` become one, the
    last: what is confused within it counts as right.
    """
    present = np.flatnonzero((matrix.sum(0) + matrix.sum(1)) > 0)
    few = matrix.sum(0)[present] < least
    together = [[code] for code in present[~few].tolist()]
    names = [literal(crops[code].name) for [code] in together]
    if few.any():
        together.append(present[few].tolist())
        names.append(f"{few.sum()} rare classes")
    of_group = np.array([np.isin(range(len(matrix)), codes) for codes in together], int)
    counts = of_group @ matrix @ of_group.T
    share = counts / np.maximum(counts.sum(0), 1)
    cell, size = (0.72, 12) if len(names) <= 9 else (0.45, 9)  # inches, points
    side = cell * len(names) + 2
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(100 * share, cmap="Blues", vmin=0, vmax=100)
    for (row, column), value in np.ndenumerate(share):
        if value >= 0.005:  # what would be shown as 0 is left empty
            colour = "white" if value > 0.5 else "black"
            text = f"{100 * value:.0f}"
            axis.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
    label = max(size - 1, 9)
    axis.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=label)
    axis.set_yticks(range(len(names)), names, fontsize=label)
    axis.set_xlabel("reference", fontsize=size)
    axis.set_ylabel("map", fontsize=size)
    bar = figure.colorbar(picture, ax=axis, shrink=0.7)
    bar.set_label("% of the reference class", fontsize=label)
    return figure


def history(epochs: list[dict[str, float]]) -> Figure:
    """Loss of training and validation and the accuracy on validation blocks, epoch by epoch."""
    figure = Figure(figsize=(8.5, 2.8), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    number = [entry["epoch"] for entry in epochs]
    training = dict(marker="o", linestyle="-", color=CURVES[patches.TRAIN], markersize=3)
    validation = dict(marker="s", linestyle="--", color=CURVES[patches.VALID], markersize=3)
    train_loss = [entry["loss"] for entry in epochs]
    valid_loss = [entry["valid_loss"] for entry in epochs]
    loss.plot(number, train_loss, **training, label="training (both heads)")
    loss.plot(number, valid_loss, **validation, label="validation (main head)")
    loss.set_ylabel("cross-entropy")
    loss.set_ylim(bottom=0)
    loss.legend(frameon=False)
    accuracy.plot(number, [entry["accuracy"] for entry in epochs], **validation)
    accuracy.set_ylabel("validation pixels correct")
    accuracy.set_ylim(0, 1)
    for axis in (loss, accuracy):
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
    return figure


def accuracy_by_date(table: pd.DataFrame, crops: Sequence[Crop]) -> Figure:
    """How early crops are known: overall accuracy and the F1 of crops against the last date used.

    ``table`` is that of ``experiment.accuracy_by_date``, or some of its columns, say those of the
    crops that matter. Crops have the legend's colours; lines and markers differ as well.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axis = figure.subplots()
    colours = inks(crops)
    shown = [name for name in table if name in colours]
    for name in table.columns.difference(shown, sort=False):
        line = "--" if name.endswith("crops only") else "-"
        axis.plot(table.index, 100 * table[name], line, color="black", linewidth=2.5, label=name)
    for position, name in enumerate(shown):
        look = distinct(position) | dict(markersize=4, color=colours[name])
        axis.plot(table.index, 100 * table[name], label=f"F1 of {literal(name)}", **look)
    axis.set_ylim(0, 100)
    axis.set_ylabel("overall accuracy, F1 (%)")
    axis.set_xlabel("last acquisition date used")
    axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axis.grid(alpha=0.3)
    figure.legend(loc="outside right center", fontsize=9, frameon=False)
    return figure


def live_history(caption: Caption) -> Callable[[list[dict[str, float]]], None]:
    """A function for ``train.fit(watch=...)`` that redraws the training curves in one output."""
    with needs("course"):
        from IPython.display import HTML, DisplayHandle, display

    handle: DisplayHandle | None = None

    def watch(epochs: list[dict[str, float]]) -> None:
        nonlocal handle
        last = epochs[-1]
        alt = (
            f"Training curves after {last['epoch']} epochs: training loss {last['loss']:.2f}, "
            f"validation loss {last['valid_loss']:.2f}, "
            f"{100 * last['accuracy']:.0f} % of validation pixels correct."
        )
        picture = HTML(captioned(html_image(history(epochs), alt), caption))
        if handle is None:
            handle = display(picture, display_id=True)
        else:
            handle.update(picture)

    return watch


def extent(season: xr.Dataset) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a scene in kilometres from its lower left corner."""
    width = abs(float(season.x[1] - season.x[0])) / 1000  # of a pixel
    height = abs(float(season.y[1] - season.y[0])) / 1000
    return 0, season.sizes["x"] * width, 0, season.sizes["y"] * height


def locate(axes: Iterable[Axes], season: xr.Dataset) -> None:
    """Kilometres along the axes of maps, and on the first a scale bar, north, and where it lies."""
    first, *others = axes
    for axis in (first, *others):
        axis.tick_params(labelsize=9)
    first.set_xlabel("east (km)")
    first.set_ylabel("north (km)")
    _, right, _, top = extent(season)
    halo = [withStroke(linewidth=3, foreground="white")]
    nice = [digit * 10.0**power for power in range(-3, 4) for digit in (1, 2, 5)]
    length = max(length for length in nice if length <= max(0.35 * right, nice[0]))
    start, height = 0.05 * right, 0.05 * top
    for text in [*first.texts]:  # letters of fields give way
        x, y = text.get_position()
        if (y < 0.16 * top and x < start + length + 0.05 * right) or (
            y > 0.68 * top and x < 0.14 * right
        ):
            text.remove()
    first.plot([start, start + length], 2 * [height], color="black", lw=3, path_effects=halo)
    told = f"{length:g} km" if length >= 1 else f"{1000 * length:g} m"
    look: dict[str, Any] = dict(fontsize=9, ha="center", path_effects=halo)
    first.text(start + length / 2, height + 0.02 * top, told, va="bottom", **look)
    upward = dict(arrowstyle="-|>", color="black", lw=1.5, path_effects=halo)
    foot, tip = (0.06 * right, 0.8 * top), (0.06 * right, 0.93 * top)
    first.annotate("", tip, foot, arrowprops=upward)
    first.text(*foot, "N", va="top", **look)
    first.set(xlim=(0, right), ylim=(0, top))
    first.figure.supxlabel(_place(season), fontsize=9, color="0.35")


def _place(season: xr.Dataset) -> str:
    """Where a scene lies: its coordinate system, and its lower left corner in it."""
    crs = season.rio.crs
    west, south = (float(season[side].min()) / 1000 for side in ("x", "y"))
    name = crs.to_string() if crs and crs.to_epsg() else "own grid" if crs else "no CRS"
    return f"{name}; lower left corner {west:.1f} km east, {south:.1f} km north"


def class_letters(crops: Sequence[Crop]) -> list[str]:
    """Two letters for each class, all different, and none for the background.

    Nobody tells sixteen colours apart: the letters stand on large fields and in the legend.
    """
    taken: list[str] = []
    for code, crop in enumerate(crops):
        name = [letter for letter in crop.name if letter.isalnum()] or ["?"]
        pairs = [f"{name[0].upper()}{letter.lower()}" for letter in name[1:]]
        pairs += [f"{name[0].upper()}{number}" for number in range(10)]
        free = (pair for pair in pairs if pair not in taken)
        taken.append("" if code == background(crops) else next(free, str(code)))
    return taken


def depth(mask: np.ndarray) -> np.ndarray:
    """How many pixels each pixel of a mask lies within it; the border of the image is one of it."""
    return ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]


def _letter_fields(
    axis: Axes, labels: np.ndarray, crops: Sequence[Crop], season: xr.Dataset, side: float
) -> None:
    """The letters of their class on those fields of a map of ``side`` inches that are large enough
    for them.
    """
    _, right, _, top = extent(season)
    rows, columns = labels.shape
    letters = class_letters(crops)
    # From the border of a field to its middle, in pixels: half of two letters of 9 points.
    large = max(2, 0.075 * max(columns, rows) / (0.78 * side))
    for code in np.unique(labels):
        if code >= len(crops) or not letters[code]:
            continue
        inside = depth(labels == code)
        fields, count = ndimage.label(inside > 0)
        middles = ndimage.maximum_position(inside, fields, range(1, count + 1))
        ink = "white" if np.dot(to_rgb(crops[code].colour), (0.3, 0.59, 0.11)) < 0.5 else "black"
        for row, column in middles:
            if inside[row, column] >= large:
                at = ((column + 0.5) * right / columns, top - (row + 0.5) * top / rows)
                axis.text(*at, letters[code], color=ink, fontsize=9, ha="center", va="center")


def day_of(times: np.ndarray, position: int) -> str:
    """A date as the browser writes it: ``25 May``, with its year where there are several."""
    days = pd.DatetimeIndex(times)
    year = f" {days[position].year}" if days[0].year != days[-1].year else ""
    return f"{days[position].day} {MONTHS[days[position].month - 1]}{year}"


def days_of(times: np.ndarray) -> list[str]:
    """Dates as ``2 Mar``, which nobody mistakes; with the year where there are several."""
    return [day_of(times, position) for position in range(len(times))]


def literal(name: str) -> str:
    """A name as matplotlib shows it letter by letter: between dollars it would read a formula."""
    return name.replace("$", r"\$")


def ink(crop: Crop) -> str:
    """A line colour for a class: yellow is too light on white."""
    return {"#f0e442": "#b8a800"}.get(crop.colour, crop.colour)


def inks(crops: Iterable[Crop]) -> dict[str, str]:
    """The line colour of each class by its name."""
    return {crop.name: ink(crop) for crop in crops}


def distinct(position: int) -> dict[str, Any]:
    """Line and marker of a curve: not everyone tells curves apart by their colours."""
    return dict(linestyle=("-", "--", "-.", ":")[position % 4], marker="osD^v"[position % 5])
