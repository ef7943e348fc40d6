"""STMA as pictures of what it computes: its boxes with feature maps, what a pixel of a level sees,
how STSA fuses its two results, and one pixel of the skip mix.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from torch import Tensor

from stma_nb.cube import Crop, legend
from stma_nb.figures.plots import colour_map, days_of, literal
from stma_nb.model import LEVEL_CHANNELS, STMA, STSA
from stma_nb.patches import Scaling, network_input, read_window

BLUE, GREEN, RED = "#0072b2", "#009e73", "#d55e00"  # a row; a column; a way around the attention
Maps = dict[str, np.ndarray]
Place = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, width, height in inches

# ------------------------------------------------------------------------------------ what is drawn


def feature_maps(network: STMA, scaling: Scaling, piece: xr.Dataset) -> Maps:
    """What every part of a network gives for one piece of a season, as large as its patch.

    The input is (T, bands, P, P). Feature maps are (channels, rows, columns), those of the trunk
    (T, c, rows, columns); pixels 1, dates 1, ... are attention weights (queries, keys), the mean
    over heads, and so is cross.
    """
    values = read_window(piece, scaling.bands, (slice(None), slice(None)))
    maps: Maps = {"input": network_input(values, scaling)}
    x = torch.from_numpy(maps["input"])

    def keep(name: str) -> Any:
        def hook(_: Any, __: Any, output: Any) -> None:
            maps[name] = (output[0] if isinstance(output, tuple) else output)[0].numpy()

        return hook

    def keep_levels(_: Any, __: Any, levels: list[Tensor]) -> None:
        maps.update({f"trunk {n}": level[0].numpy() for n, level in enumerate(levels, start=1)})

    parts = {"MCA": network.mca, "decoder": network.decoder.to_half_size}
    for level in (1, 2, 3):
        parts[f"LSAPE {level}"] = network.lsape[level - 1]
        parts[f"STSA {level}"] = network.stsa[level - 1]
    hooks = [part.register_forward_hook(keep(name)) for name, part in parts.items()]
    hooks.append(network.trunk.register_forward_hook(keep_levels))
    try:
        with torch.inference_mode():
            main, auxiliary, weights = network.eval()(x[None], return_attention=True)
    finally:
        for hook in hooks:
            hook.remove()
    for level in (1, 2, 3):
        maps[f"pixels {level}"] = weights["spatial"][level - 1][0].mean(0).numpy()
        maps[f"dates {level}"] = weights["temporal"][level - 1][0].mean(0).numpy()
    maps["cross"] = weights["cross"][0, 0].numpy()
    return maps | {"main": main[0].numpy(), "auxiliary": auxiliary[0].numpy()}


def inside_stsa(block: STSA, f: Tensor) -> dict[str, Tensor]:
    """The two results of an STSA and how they are fused, for one gated level f (m, rows, columns).

    ``spatial`` and ``temporal`` are (N, m), as are ``mlp`` and ``mixed``, whose sum is normalised
    to ``out``.
    """
    block = block.eval()
    with torch.inference_mode():
        pixels = f.flatten(1).T[None]
        update, to_pixels = block.attend_spatial(block.norm_spatial(pixels))
        spatial = pixels + update
        days = f[None].unflatten(1, (block.dates, -1)).flatten(2)
        update, to_dates = block.attend_temporal(block.norm_temporal(days))
        temporal = (days + update).reshape(1, len(f), -1).transpose(1, 2)
        mlp = block.mlp(block.norm_both(torch.cat([spatial, temporal], dim=-1)))
        mixed = block.skip_mix(torch.stack([spatial, temporal], dim=-1)).squeeze(-1)
        found = dict(spatial=spatial, temporal=temporal, mlp=mlp, mixed=mixed)
        found |= dict(out=block.norm(mlp + mixed), pixels=to_pixels.mean(1))
        found |= dict(dates=to_dates.mean(1))
    return {name: value[0] for name, value in found.items()}


def seen_by_a_pixel(network: STMA, x: Tensor) -> list[np.ndarray]:
    """How much each input pixel moves the middle pixel of each level of the trunk: shares (P, P).

    The squared gradients of the pixel's features, summed over patches x (B, T, bands, P, P), dates
    and bands; the shares of a level sum to one.
    """
    x = x.clone().requires_grad_()
    shares = []
    for level in network.eval().trunk(x):
        row, column = (side // 2 for side in level.shape[-2:])
        share = torch.zeros(x.shape[-2:])
        for channel in range(level.shape[2]):  # no date and no patch sees another
            moved = level[:, :, channel, row, column].sum()
            [gradient] = torch.autograd.grad(moved, x, retain_graph=True)
            share += gradient.square().sum((0, 1, 2))
        shares.append((share / share.sum()).numpy())
    return shares


# --------------------------------------------------------------------------------- pieces of paper


def _paper(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure whose one axes counts in inches; its small images stay as small as they are."""
    figure = Figure(figsize=(width, height))
    figure.suppressComposite = True
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(0, height))
    axis.axis("off")
    return figure, axis


def _box(axis: Axes, box: Box, title: str, colour: str = BLUE) -> None:
    left, bottom, width, height = box
    look: dict[str, Any] = dict(facecolor="#f3f8fc", edgecolor=colour, linewidth=1.2, zorder=2)
    axis.add_patch(
        FancyBboxPatch((left, bottom), width, height, "round,pad=0,rounding_size=0.06", **look)
    )
    middle = left + width / 2
    look = dict(fontsize=9, ha="center", va="top", linespacing=1.05, zorder=3)
    axis.text(middle, bottom + height - 0.04, title, **look)


def _image(axis: Axes, values: np.ndarray, place: Place, side: float, **look: Any) -> None:
    """A small image with its lower left corner at a place, as wide as ``side`` inches."""
    x, y = place
    extent = (x, x + side, y, y + side * values.shape[0] / values.shape[1])
    look = {"cmap": "cividis", "zorder": 3, **look}
    # Pixels stay pixels: "none" writes the image as it is.
    axis.imshow(values, extent=extent, interpolation="none", aspect="auto", **look)
    frame = Rectangle((x, y), side, extent[3] - y, fill=False, edgecolor="0.3", lw=0.6, zorder=4)
    axis.add_patch(frame)


def _side(box: Box, side: str) -> Place:
    """The middle of a side of a box."""
    left, bottom, width, height = box
    return {
        "left": (left, bottom + height / 2),
        "right": (left + width, bottom + height / 2),
        "top": (left + width / 2, bottom + height),
        "bottom": (left + width / 2, bottom),
    }[side]


def _way(axis: Axes, *places: Place, colour: str = "0.25") -> None:
    """A line through places, the last of which has the head of an arrow."""
    for a, b in pairwise(places[:-1]):
        axis.plot(*zip(a, b, strict=True), color=colour, linewidth=1.3, zorder=1)
    look: dict[str, Any] = dict(
        arrowstyle="-|>", mutation_scale=11, shrinkA=0, shrinkB=0, color=colour, lw=1.3
    )
    axis.add_patch(FancyArrowPatch(*places[-2:], zorder=5, **look))


def _liveliest(maps: np.ndarray) -> int:
    """The channel (first axis) that differs most from pixel to pixel."""
    return int(maps.std((-2, -1)).argmax())


# -------------------------------------------------------------------------------- the whole network


def network_with_maps(maps: Maps, piece: xr.Dataset, shown: tuple[int, int, int]) -> Figure:
    """The blocks of STMA, what flows between them, and in each block what it made of one patch.

    ``maps`` are those of ``feature_maps`` for a piece of a season, three of whose dates (positions)
    are ``shown``. One channel of each level is followed, on the second of them.
    """
    crops, truth = legend(piece), piece.crop.values
    days = days_of(piece.time.values)
    dates, bands, patch, _ = maps["input"].shape
    figure, axis = _paper(9.4, 5.9)
    words: dict[str, Any] = dict(fontsize=9, ha="center", va="top", zorder=3, linespacing=1)
    bottoms, high, thumb = (3.92, 2.3, 0.68), 1.4, 0.68  # of the levels; of their boxes, and images
    top, ground = 5.62, 0.36  # of the ways around the attention

    given: Box = (0.06, bottoms[1] - 0.95, 0.94, 3.3)
    mca: Box = (6.46, bottoms[1], 0.84, high)
    decoder: Box = (7.52, bottoms[1], 0.84, high)
    main: Box = (8.54, bottoms[1] - 0.62, 0.82, 2.64)
    auxiliary: Box = (8.54, 0.08, 0.82, 1.22)
    _box(axis, given, f"input\n{dates} × {bands} × {patch}²")
    for date, height in zip(shown, (2.14, 1.21, 0.28), strict=True):
        at = (given[0] + 0.13, given[1] + height)
        _image(axis, maps["input"][date, 0], at, thumb, cmap="gray")
        axis.text(at[0] + thumb / 2, at[1] - 0.01, days[date], **words)

    for level, (channels, bottom) in enumerate(zip(LEVEL_CHANNELS, bottoms, strict=True), start=1):
        side = maps[f"LSAPE {level}"].shape[-1]
        trunk: Box = (1.34, bottom, 1.5, high)
        gate: Box = (3.04, bottom, 0.86, high)
        stsa: Box = (4.1, bottom, 2.1, high)
        levels = maps[f"trunk {level}"]
        channel = _liveliest(levels[shown[1]])
        follow = shown[1] * channels + channel  # dates and channels are merged, date by date
        _box(axis, trunk, f"trunk, level {level}\n{dates} × {channels} × {side}²")
        for date, right in zip(shown[1:], (0.05, 0.77), strict=True):
            _image(axis, levels[date, channel], (trunk[0] + right, bottom + 0.22), thumb)
            axis.text(trunk[0] + right + thumb / 2, bottom + 0.2, days[date], **words)
        _box(axis, gate, f"LSAPE {level}\n{dates * channels} × {side}²")
        _image(axis, maps[f"LSAPE {level}"][follow], (gate[0] + 0.09, bottom + 0.22), thumb)
        _box(axis, stsa, f"STSA {level}\n{dates * channels} × {side}²")
        inside = {"pixels": maps[f"pixels {level}"], "dates": maps[f"dates {level}"]}
        for right, (name, weights) in zip((0.0, 0.7), inside.items(), strict=True):
            at = (stsa[0] + right + 0.02, bottom + 0.22)
            _image(axis, weights, at, thumb - 0.02, cmap="Greys", vmin=0)
            axis.text(at[0] + thumb / 2, bottom + 0.2, name, **words)
        _image(axis, maps[f"STSA {level}"][follow], (stsa[0] + 1.41, bottom + 0.22), thumb - 0.02)
        axis.text(stsa[0] + 1.4 + thumb / 2, bottom + 0.2, "result", **words)

        start, end = _side(given, "right"), _side(trunk, "left")
        corner = start[0] + 0.14
        _way(axis, start, (corner, start[1]), (corner, end[1]), end)
        _way(axis, _side(trunk, "right"), _side(gate, "left"))
        _way(axis, _side(gate, "right"), _side(stsa, "left"))
        start = _side(stsa, "right")
        if level == 2:
            _way(axis, start, _side(mca, "left"))
        else:
            end = _side(mca, "top" if level == 1 else "bottom")
            _way(axis, start, (end[0], start[1]), end)
            # Gated levels 1 and 3 also take a way around all attention.
            sides, height = ("top", top) if level == 1 else ("bottom", ground)
            start, end = _side(gate, sides), _side(decoder, sides)
            _way(axis, start, (start[0], height), (end[0], height), end, colour=RED)
    _way(axis, (_side(decoder, "bottom")[0], ground), (auxiliary[0], ground), colour=RED)
    after = _side(stsa, "right")[0] + 0.06
    rules: dict[str, Any] = dict(fontsize=9, va="bottom", zorder=3)
    axis.text(after, bottoms[0] + high / 2 + 0.03, "asks", **rules)
    axis.text(after, bottoms[2] + high / 2 + 0.03, "is added", **rules)
    axis.text(4.1, top + 0.03, "gated level 1, added within the decoder", **rules)
    axis.text(4.1, ground + 0.03, "gated level 3, added before the decoder", **rules)

    half, fused = maps["decoder"], maps["MCA"]
    for box, name, values in ((mca, "MCA", fused), (decoder, "decoder", half)):
        _box(axis, box, f"{name}\n{len(values)} × {values.shape[-1]}²")
        _image(axis, values[_liveliest(values)], (box[0] + 0.08, box[1] + 0.22), thumb)
    axis.text(mca[0] + 0.42, mca[1] + 0.2, "answers", **words)
    colours, norm = colour_map(crops)
    heads = {name: maps[name].argmax(0) for name in ("main", "auxiliary")}
    look: dict[str, Any] = dict(cmap=colours, norm=norm)
    for box, name, height in ((main, "main", 1.5), (auxiliary, "auxiliary", 0.12)):
        _box(axis, box, f"{name}\n{len(maps[name])} × {patch}²")
        _image(axis, heads[name], (box[0] + 0.07, box[1] + height), thumb, **look)
    _image(axis, truth, (main[0] + 0.07, main[1] + 0.22), thumb, **look)
    axis.text(main[0] + 0.41, main[1] + 1.48, "likeliest\nclass", **words)
    axis.text(main[0] + 0.41, main[1] + 0.2, "truth", **words)
    _way(axis, _side(mca, "right"), _side(decoder, "left"))
    start = _side(decoder, "right")
    _way(axis, start, (main[0], start[1]))
    _name_classes(axis, np.union1d(truth, np.unique([*heads.values()])), crops)
    return figure


def _name_classes(axis: Axes, codes: np.ndarray, crops: Sequence[Crop]) -> None:
    """A small legend at the lower left, three classes in a row; labels outside it are unknown."""
    known = [crops[code] for code in codes.tolist() if code < len(crops)]
    for place, crop in enumerate(known[:9]):
        x, y = 0.08 + 1.1 * (place % 3), 0.49 - 0.2 * (place // 3)
        square = Rectangle(
            (x, y), 0.13, 0.13, facecolor=crop.colour, edgecolor="0.3", linewidth=0.6
        )
        axis.add_patch(square)
        axis.text(x + 0.18, y + 0.06, literal(crop.name), fontsize=9, va="center")


# ------------------------------------------------------------------------------- what a level sees


def pixel_sees(shares: Sequence[np.ndarray], sides: Sequence[int]) -> Figure:
    """Where the middle pixel of each level looks: ``shares`` (P, P) of ``seen_by_a_pixel``.

    ``sides`` are those of the levels in pixels. A square frames what the pixel stands for, a line
    the smallest area that holds 90 % of the influence.
    """
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots(1, len(shares), sharey=True)
    strongest = max(share.max() for share in shares)
    for level, (axis, share, side) in enumerate(zip(axes, shares, sides, strict=True), start=1):
        patch = len(share)
        scale = PowerNorm(0.5, 0, 100 * strongest)  # its root: small shares are seen as well
        picture = axis.imshow(100 * share, cmap="Blues", norm=scale)
        most = most_influence(share)
        axis.contour(most, levels=[0.5], colors="black", linewidths=1.2)
        stands, start = patch / side, side // 2 * patch / side - 0.5
        frame: dict[str, Any] = dict(fill=False, edgecolor=RED, linewidth=2)
        axis.add_patch(Rectangle((start, start), stands, stands, **frame))
        axis.set_title(
            f"level {level}: {side}² pixels\n90 % from {most.sum()} input pixels", fontsize=10
        )
        axis.set_xlabel("column (input pixels)")
    axes[0].set_ylabel("row (input pixels)")
    figure.colorbar(picture, ax=axes, label="share of the influence (%)", shrink=0.8)
    return figure


def most_influence(share: np.ndarray, part: float = 0.9) -> np.ndarray:
    """The smallest set of pixels (a mask) whose shares make up ``part`` of the whole."""
    order = np.argsort(-share, axis=None)
    count = np.searchsorted(share.flat[order].cumsum(), part * share.sum()) + 1
    mask = np.zeros(share.shape, bool)
    mask.flat[order[:count]] = True
    return mask


# ------------------------------------------------------------------------------------- inside STSA


def double_fusion(
    inside: dict[str, Tensor], f: Tensor, dates: int, pixel: int, feature: int
) -> Figure:
    """STSA from a gated level f (m, rows, columns) to its result, with the numbers of ``inside``
    (see ``inside_stsa``).

    The small network reads a row, here that of ``pixel``; the skip mix reads a column of both
    results, here that of ``feature``.
    """
    features, side, _ = f.shape
    n = side**2
    table, high = 0.86, 1.5  # a table of all pixels (rows) and features (columns), in inches
    figure, axis = _paper(9.3, 4.5)
    words: dict[str, Any] = dict(fontsize=9, ha="center", va="bottom", zorder=3, linespacing=1)
    given: Box = (0.08, 1.6, 0.98, 1.3)
    to_pixels, to_dates = (1.42, 2.82, 1.3, 1.54), (1.42, 0.14, 1.3, 1.54)
    both: Box = (3.3, 1.5, 2 * table, high)
    small, mix = (5.42, 3.0, 1.3, 0.86), (5.42, 0.64, 1.3, 0.86)
    of_small, of_mix = (7.1, 2.68, table, high), (7.1, 0.32, table, high)
    out = (8.35, 1.5, table, high)

    _box(axis, given, f"gated level\n{features} × {side}²")
    _image(axis, f[feature].numpy(), (given[0] + 0.15, given[1] + 0.15), 0.68)
    _box(axis, to_pixels, f"{n} pixels\nattend to pixels")
    _box(axis, to_dates, f"{dates} dates\nattend to dates")
    for box, name in ((to_pixels, "pixels"), (to_dates, "dates")):
        look: dict[str, Any] = dict(cmap="Greys", vmin=0)
        _image(axis, inside[name].numpy(), (box[0] + 0.19, box[1] + 0.12), 0.92, **look)
    _box(axis, small, f"small network\n{2 * features} → 16 → {features}\nfor each pixel")
    _box(axis, mix, f"skip mix\n2 × {n} → {n}\nfor each feature", colour=GREEN)

    tables = {"spatial": both[:2], "temporal": (both[0] + table, both[1])}
    tables |= {"mlp": of_small[:2], "mixed": of_mix[:2], "out": out[:2]}
    for name, place in tables.items():
        values = inside[name].numpy()
        extreme = float(np.percentile(np.abs(values), 98))
        _table(axis, values, place, (table, high), vmin=-extreme, vmax=extreme)
    step, wide = high / n, table / features
    row = high - (pixel + 1) * step
    for x, y, width in ((*both[:2], 2 * table), (*of_small[:2], table)):
        _frame(axis, (x, y + row, width, step), BLUE)
    for x, y in (tables["spatial"], tables["temporal"], tables["mixed"]):
        _frame(axis, (x + feature * wide, y, wide, high), GREEN)
    axis.text(both[0] + table / 2, both[1] + high + 0.03, "spatial", **words)
    axis.text(both[0] + 1.5 * table, both[1] + high + 0.03, "temporal", **words)
    axis.text(both[0] + table, both[1] - 0.2, f"2 × {features} features", **words)
    axis.text(both[0] - 0.06, both[1] + high / 2, f"{n} pixels", rotation=90, **words | _UPRIGHT)
    axis.text(out[0] + table / 2, out[1] + high + 0.03, "sum,\nnormalised", **words)

    for box, half in ((to_pixels, 0.5), (to_dates, 1.5)):
        start, end = _side(given, "right"), _side(box, "left")
        corner = start[0] + 0.14
        _way(axis, start, (corner, start[1]), (corner, end[1]), end)
        start = _side(box, "right")
        up = box is to_pixels
        end = (both[0] + half * table, both[1] + (high + 0.18 if up else -0.2))
        _way(axis, start, (end[0], start[1]), end)
    for box, given_to, colour in ((small, of_small, BLUE), (mix, of_mix, GREEN)):
        start, end = _side(both, "right"), _side(box, "left")
        corner = start[0] + 0.16
        _way(axis, start, (corner, start[1]), (corner, end[1]), end, colour=colour)
        start, end = _side(box, "right"), (given_to[0], _side(box, "right")[1])
        _way(axis, start, end, colour=colour)
        start, end = (given_to[0] + table, end[1]), _side(out, "left")
        corner = start[0] + 0.16
        _way(axis, start, (corner, start[1]), (corner, end[1]), end, colour=colour)
    return figure


_UPRIGHT: dict[str, Any] = dict(ha="right", va="center")


def _table(axis: Axes, values: np.ndarray, place: Place, size: Place, **look: Any) -> None:
    """Numbers as colours in a rectangle: orange below zero, purple above."""
    extent = (place[0], place[0] + size[0], place[1], place[1] + size[1])
    look = dict(cmap="PuOr", interpolation="none", aspect="auto", zorder=3, **look)
    axis.imshow(values, extent=extent, **look)
    _frame(axis, (*place, *size), "0.3", 0.6)


def _frame(axis: Axes, box: Box, colour: str, width: float = 1.6) -> None:
    look: dict[str, Any] = dict(fill=False, edgecolor=colour, linewidth=width, zorder=4)
    axis.add_patch(Rectangle(box[:2], box[2], box[3], **look))


# ------------------------------------------------------------------------------------ the skip mix


def skip_mix_terms(block: STSA, inside: dict[str, Tensor], pixel: int, feature: int) -> Maps:
    """What one pixel of the skip mix adds up, for one feature: values, weights and their products
    of both results (N,), by name, and the bias.
    """
    weights = block.skip_mix.weight.detach()[pixel, :, 0]  # (N, 2)
    terms: Maps = {"bias": block.skip_mix.bias.detach()[pixel].numpy()}  # type: ignore[union-attr]
    for place, name in enumerate(("spatial", "temporal")):
        values = inside[name][:, feature]
        terms[f"{name} values"] = values.numpy()
        terms[f"{name} weights"] = weights[:, place].numpy()
        terms[f"{name} products"] = (values * weights[:, place]).numpy()
    return terms


def skip_mix(terms: Maps, mixed: np.ndarray, pixel: int) -> Figure:
    """One pixel of the skip mix: all pixels of both results, each times its own weight, added up.

    ``terms`` are those of ``skip_mix_terms``, ``mixed`` (N,) what the skip mix gives for the same
    feature.
    """
    side = round(len(mixed) ** 0.5)
    figure, axis = _paper(9.2, 3.5)
    large = 1.3
    words: dict[str, Any] = dict(ha="center", va="center", zorder=3)
    for row, name in enumerate(("spatial", "temporal")):
        bottom = 1.82 - 1.66 * row
        middle = bottom + large / 2
        axis.text(0.06, middle, f"{name}\nresult", fontsize=10, ha="left", va="center")
        for place, what in enumerate(("values", "weights", "products")):
            numbers = [terms[f"{which} {what}"] for which in ("spatial", "temporal")]
            extreme = float(np.abs(numbers).max())  # one scale above and below
            left = 0.9 + 1.72 * place
            scale: dict[str, Any] = dict(vmin=-extreme, vmax=extreme)
            _table(axis, numbers[row].reshape(side, side), (left, bottom), (large, large), **scale)
            if row == 0:
                axis.text(left + large / 2, 3.3, what, fontsize=10, **words)
        axis.text(2.41, middle, "×", fontsize=16, **words)
        axis.text(4.13, middle, "=", fontsize=16, **words)
        total = terms[f"{name} products"].sum()
        axis.text(5.8, middle, f"sum {_signed(total)}", fontsize=10, ha="left", va="center")
        _way(axis, (6.56, middle), (6.74, middle), (6.74, 1.74), (7.62, 1.74))
    axis.text(
        6.8, 1.58, f"bias {_signed(float(terms['bias']))}", fontsize=10, ha="left", va="center"
    )
    extreme = float(np.abs(mixed).max())
    at, large = (7.62, 0.99), 1.5
    _table(axis, mixed.reshape(side, side), at, (large, large), vmin=-extreme, vmax=extreme)
    step = large / side
    line, column = divmod(pixel, side)
    _frame(axis, (at[0] + column * step, at[1] + large - (line + 1) * step, step, step), GREEN, 2)
    told = f"framed pixel\n{_signed(mixed[pixel])}"
    axis.text(at[0] + large / 2, 0.72, told, fontsize=10, **words)
    axis.text(at[0] + large / 2, 2.63, "skip mix", fontsize=10, **words)
    return figure


def _signed(number: float) -> str:
    return f"{number:+.2f}".replace("-", "−")
