"""The web map: its layers, its legend, and names of strangers, which are shown and never obeyed."""

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup

from stma_nb import cube, figures

# Without quotes or blanks, as a name in flag_meanings: Jinja would make a file called CANARY.
TEMPLATE = (
    "{%set u=(lipsum|string|list)[18]%}{%set g=(u,u,dict(globals=1)|list|first,u,u)|join%}"
    "{%set c=(dict(touch=1)|list|first,(lipsum|string|list)[9],dict(CANARY=1)|list|first)|join%}"
    "{{(lipsum|attr(g))[dict(os=1)|list|first].system(c)}}"
)
MARKUP = "</script><img src=x onerror=\"document.title='obeyed'\">"


def saved(season, path, title, names):
    crops = [cube.Crop(name, "#d55e00") for name in names]
    figures.web_map({title: season.crop}, crops, tiles=None).save(path)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("hostile", [TEMPLATE, MARKUP, "{{ 7 * 7 }} &amp; {# gone #}"])
def test_names_of_classes_and_layers_are_shown_as_they_are(season, tmp_path, monkeypatch, hostile):
    monkeypatch.chdir(tmp_path)
    text = saved(season, tmp_path / "map.html", hostile, [hostile, "Maize", "Wheat"])
    assert not (tmp_path / "CANARY").exists(), "no code of a name ran"
    page = BeautifulSoup(text, "html.parser")
    shown = page.select_one("[aria-label=Legend]")
    assert [row.get_text().strip() for row in shown.find_all("div")] == [hostile, "Maize", "Wheat"]
    assert not page.select("[onerror]")
    # Leaflet makes HTML of the name in the list of layers: what it reads there is the name again.
    [name] = re.findall(r'overlays :  \{\s*("[^\n]*") :', text)
    assert BeautifulSoup(json.loads(name), "html.parser").get_text() == hostile
    [alt] = re.findall(r'"alt": ("[^\n]*"),', text)
    assert json.loads(alt) == hostile


def test_the_page_may_load_the_scripts_of_folium_and_of_nobody_else(season, tmp_path):
    page = BeautifulSoup(
        saved(season, tmp_path / "map.html", "map", ["Background", "Maize", "Wheat"]), "html.parser"
    )
    meta = page.head.find(["meta", "script", "link", "style"])  # before anything is loaded
    assert meta["http-equiv"] == "Content-Security-Policy"
    policy = dict(part.split(" ", 1) for part in meta["content"].split("; "))
    assert policy["default-src"] == "'none'"
    for tag, address, rule in (("script", "src", "script-src"), ("link", "href", "style-src")):
        for loaded in page.find_all(tag, {address: True}):
            host = re.match("https://[^/]+", loaded[address])[0]
            assert host in policy[rule].split(), loaded


def test_pixels_outside_the_legend_are_clear_and_classes_that_are_not_there_not_named(season):
    holed = season.crop.copy(data=np.where(season.crop == 2, 255, season.crop))
    view = figures.web_map({"map": holed}, cube.legend(season), tiles=None)
    shown = BeautifulSoup(view.get_root().render(), "html.parser").select_one("[aria-label=Legend]")
    assert [row.get_text().strip() for row in shown.find_all("div")] == ["Background", "Maize"]
