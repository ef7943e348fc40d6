"""Web pages in one file, from the templates (``*.html.j2``) beside the code.

What a template is given is data, such as the names of a legend: it is escaped, and never HTML.
"""

import re
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from stma_nb import figures


def render(template: str, **data: Any) -> str:
    """The page of a template, named from the package's folder: ``"accuracy/report.html.j2"``."""
    page = TEMPLATES.get_template(template).render(data)
    return page.replace(" %", "&nbsp;%")  # a percent sign stays with its number


# ----------------------------------------------------------------------------- how values are shown


def percent(share: float | None) -> str:
    """A share such as 0.237 as "23.7 %"; a dash for what is not known."""
    return "–" if share is None or pd.isna(share) else f"{100 * share:.1f} %"


def interval(row: pd.Series) -> str:
    """The ends of an interval in percent, cut at 0 and 100; a dash where there is none."""
    if pd.isna(row["low"]):
        return "–"
    low, high = (min(max(100 * row[end], 0), 100) for end in ("low", "high"))
    return f"{low:.1f} – {high:.1f}"


def sentence(row: pd.Series) -> str:
    """Estimate and interval for running text."""
    if pd.isna(row["low"]):
        return percent(row["estimate"])
    low, high = 100 * row["low"], 100 * row["high"]
    return f"{percent(row['estimate'])} (95 % interval {low:.1f} to {high:.1f} %)"


def whole(number: float) -> str:
    """A count or an area without decimals: "12,346"."""
    return f"{number:,.0f}"


def colour(text: str) -> str:
    """A colour as #rrggbb; grey for anything else, since a style could hold more than a colour."""
    return text if re.fullmatch("#[0-9a-fA-F]{6}", text) else "#808080"


def image(figure: Figure, alt: str) -> Markup:
    """The figure as an HTML image that the page itself holds, with a text for who cannot see it."""
    return Markup(figures.html_image(figure, alt))


TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent.parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,  # a name that the template misspells is an error
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {show.__name__: show for show in (percent, interval, whole, colour, image)}
