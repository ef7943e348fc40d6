"""A web page in one file that asks nothing of the network: sections, tables and figures that also
read well on a phone or aloud.
"""

from html import escape

import pandas as pd
from matplotlib.figure import Figure

from stma_nb import figures
from stma_nb.cube import Crop

STYLE = """
:root { color-scheme: light; }
body { margin: 0; color: #1b1b1b; background: #fff; font: 1rem/1.55 system-ui, sans-serif; }
header, main, footer { max-width: 50rem; margin: 0 auto; padding: 0 1.1rem; }
header { padding-top: 2.2rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; }
.lead { font-size: 1.15rem; margin: .8rem 0 0; padding-left: .9rem; border-left: .25rem solid #0072b2; }
p, dd, figcaption { max-width: 42rem; text-wrap: pretty; }
.scroll { overflow-x: auto; margin-bottom: 1rem; }
.scroll:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #555; padding-bottom: .4rem; }
th, td { padding: .3rem 1rem .3rem 0; text-align: right; white-space: nowrap; border-bottom: 1px solid #e3e3e3; }
th { font-weight: 600; }
tbody th { font-weight: 400; }
th:first-child { text-align: left; }
td.interval, figcaption { color: #555; }
.crop { white-space: nowrap; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border: 1px solid #666; }
figure { margin: 0 0 1.6rem; }
figure .scroll { margin: 0 0 .3rem; }
img { max-width: 100%; height: auto; }
dl { display: grid; grid-template-columns: 8.5rem 1fr; gap: .3rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
a { color: #005a8e; }
footer { margin-top: 2.6rem; padding-bottom: 2.5rem; color: #555; font-size: .9rem; }
@media (max-width: 34rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .6rem; }
  .scroll img { max-width: none; }
  table { font-size: .92rem; }
  th, td { padding-right: .6rem; }
  tbody th { white-space: normal; min-width: 7rem; }
}
@media print { .scroll { overflow: visible; } figure, tr { break-inside: avoid; } }
"""


def page(title: str, lead: str, sections: list[str], sources: dict[str, str]) -> str:
    """The whole page; ``sources`` gives a DOI for each text."""
    links = "; ".join(
        f'<a href="https://doi.org/{doi}">{text(name)}</a>' for name, doi in sources.items()
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta '
        f'charset="utf-8">\n<title>{text(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" '
        'href="data:,">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<header><h1>{text(title)}</h1><p "
        f'class="lead">{text(lead)}</p></header>\n'
        f"<main>\n{''.join(sections)}</main>\n<footer>Sources: "
        f"{links}.</footer>\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{text(title)}</h2>\n{''.join(parts)}</section>\n"


def paragraph(words: str) -> str:
    return f"<p>{text(words)}</p>\n"


def definitions(items: dict[str, str]) -> str:
    return (
        "<dl>"
        + "".join(
            f"<dt>{text(name)}</dt><dd>{text(meaning)}</dd>\n" for name, meaning in items.items()
        )
        + "</dl>\n"
    )


def picture(figure: Figure, caption: str, alt: str, wide: bool = False) -> str:
    """A figure with a caption and a text for those who cannot see it; a ``wide`` one is scrolled on
    a phone, not shrunk.
    """
    image = figures.html_image(figure, alt)
    if wide:
        image = (
            '<div class="scroll" tabindex="0" role="region" '
            f'aria-label="{text(caption)}">{image}</div>'
        )
    return f"<figure>{image}<figcaption>{text(caption)}</figcaption></figure>\n"


def table(caption: str, header: list[str], rows: list[list[str]]) -> str:
    """A table whose first column names the rows; its cells are HTML."""
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in header)
    body = ""
    for first, *cells in rows:
        kinds = (' class="interval"' if name == "interval" else "" for name in header[1:])
        body += f'<tr><th scope="row">{first}</th>'
        body += (
            "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, cells, strict=True))
            + "</tr>\n"
        )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}">'
        f"<table><caption>{text(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


# ---------------------------------------------------------------------------------- words and cells


def text(words: str) -> str:
    """Escaped for HTML; a percent sign stays with its number."""
    return escape(words).replace(" %", "&nbsp;%")


def crop_name(crop: Crop) -> str:
    return (
        '<span class="crop"><span class="swatch" '
        f'style="background:{text(crop.colour)}"></span>{text(crop.name)}</span>'
    )


def percent(share: float) -> str:
    return f"{100 * share:.1f} %" if pd.notna(share) else "–"


def share_cells(row: pd.Series) -> list[str]:
    """Estimate and interval in percent, the interval cut at 0 and 100."""
    low, high = (min(max(100 * row[end], 0), 100) for end in ("low", "high"))
    return [
        text(percent(row["estimate"])),
        f"{low:.1f} – {high:.1f}" if pd.notna(row["low"]) else "–",
    ]


def area_cells(row: pd.Series) -> list[str]:
    """Estimate and interval of an area, the interval cut at 0."""
    return [f"{row['estimate']:,.0f}", f"{max(row['low'], 0):,.0f} – {row['high']:,.0f}"]


def sentence(row: pd.Series) -> str:
    """Estimate and interval for running text."""
    interval = (
        f" (95 % interval {100 * row['low']:.1f} to {100 * row['high']:.1f} %)"
        if pd.notna(row["low"])
        else ""
    )
    return percent(row["estimate"]) + interval
