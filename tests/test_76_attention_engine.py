"""STMA in the browser: the page computes what PyTorch computes, for the shipped weights and for
networks of other sizes, with a worker and without one.
"""

import base64
from pathlib import Path

import numpy as np
import pytest
import torch

import stma_nb
from stma_nb import attention, course, cube, patches, train
from stma_nb.attention import AttentionExplorer, packing
from stma_nb.model import STMA

ATTENTION = Path(attention.__file__).parent
CODE = "\n".join(
    (ATTENTION / f"{name}.js").read_text("utf-8") for name in ("edits", "stma", "engine")
)
SIZES = (  # of all that a network can be, the small, the odd and the large
    dict(dates=7, patch=16, bands=3, classes=5, width=8, heads=2, hidden=8),
    dict(dates=2, patch=8, bands=1, classes=2, width=4, heads=1, hidden=3),
    dict(dates=5, patch=24, bands=2, classes=16, width=16, heads=3, hidden=16),
    dict(dates=41, patch=32, bands=2, classes=16, width=16),
)


def drawn(seed: int = 0, **sizes: int) -> STMA:
    """A network in use, with statistics and biases that are not those of a fresh one."""
    torch.manual_seed(seed)
    model = STMA(**sizes).eval()
    for name, buffer in model.named_buffers():
        if "running_mean" in name:
            buffer.normal_()
        if "running_var" in name:
            buffer.uniform_(0.2, 3)
    for parameter in model.parameters():
        if parameter.ndim == 1:
            parameter.data += 0.3 * torch.randn_like(parameter)
    return model


def in_pytorch(model: STMA, x: np.ndarray) -> dict[str, np.ndarray]:
    with torch.inference_mode():
        main, _, maps = model(torch.from_numpy(x)[None], return_attention=True)
    found = {"logits": main[0].numpy(), "cross": maps["cross"][0, 0].numpy()}
    for branch in ("spatial", "temporal"):
        found |= {f"{branch}{n}": m[0].numpy() for n, m in enumerate(maps[branch], 1)}
    return found


def told(page, promise: str) -> dict[str, np.ndarray]:
    """The result of a JavaScript expression, a forward pass, as arrays."""
    found = page.evaluate(
        f"""async () => {{
            const r = await ({promise}), out = {{ logits: [...r.logits], cross: [...r.cross] }};
            for (const branch of ["spatial", "temporal"])
                for (const n of [1, 2, 3]) out[branch + n] = [...r[branch][n]];
            return out;
        }}"""
    )
    return {name: np.array(values, np.float32) for name, values in found.items()}


def agree(ours: dict[str, np.ndarray], exact: dict[str, np.ndarray]) -> None:
    """Logits to 1e-2 of their spread, labels to 99.9 %, attention to 1e-3."""
    logits = ours["logits"].reshape(exact["logits"].shape)
    assert np.abs(logits - exact["logits"]).max() < 1e-2 * exact["logits"].std()
    assert (logits.argmax(0) == exact["logits"].argmax(0)).mean() >= 0.999
    for name in exact.keys() - {"logits"}:
        np.testing.assert_allclose(ours[name], exact[name].ravel(), atol=1e-3, err_msg=name)


def test_no_line_of_javascript_is_too_long_to_be_read():
    package = Path(stma_nb.__file__).parent
    ours = [path for path in package.rglob("*.js") if path.parent.name != "leaflet"]
    assert ATTENTION / "stma.js" in ours
    long = [
        f"{path.relative_to(package)}:{number}"
        for path in ours
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > 130
    ]
    assert not long, long


@pytest.fixture
def bench(browser):
    """A page with the code of the network and nothing else; ``load`` gives it a network."""
    page = browser.new_page()
    page.add_script_tag(content=CODE)

    def load(model: STMA, x: np.ndarray) -> None:
        tensors, data = packing.pack_weights(model)
        sent = [base64.b64encode(part).decode() for part in (data, x.astype(np.float32).tobytes())]
        page.evaluate(
            """([sizes, tensors, weights, values]) => {
                const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
                window.sizes = sizes; window.tensors = tensors;
                window.net = new STMA(sizes, unpackWeights(tensors, bytes(weights)));
                window.x = new Float32Array(bytes(values).buffer);
            }""",
            [model.arguments, tensors, *sent],
        )

    page.load = load
    yield page
    page.close()


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_network_of_any_size_computes_in_the_page_as_in_pytorch(bench, sizes):
    model = drawn(**sizes)
    shape = (sizes["dates"], sizes["bands"], sizes["patch"], sizes["patch"])
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    bench.load(model, x)
    agree(told(bench, "net.forward(x)"), in_pytorch(model, x))


def test_weights_before_training_are_the_same_numbers_in_both(bench):
    sizes = SIZES[0]
    model = drawn(**sizes)
    x = np.random.default_rng(0).normal(size=(7, 3, 16, 16)).astype(np.float32)
    bench.load(model, x)
    ours = told(bench, "new STMA(sizes, randomWeights(tensors, 7)).forward(x)")
    agree(ours, in_pytorch(packing.random_weights(model, 7), x))
    other = told(bench, "new STMA(sizes, randomWeights(tensors, 8)).forward(x)")
    assert np.abs(other["logits"] - ours["logits"]).max() > 0.01
    fresh = STMA(**sizes).eval().state_dict()
    again = packing.random_weights(model, 7).state_dict()
    for name in ("trunk.stage1.0.conv1.weight", "stsa.0.attend_spatial.to_query.weight"):
        assert float(again[name].std()) == pytest.approx(float(fresh[name].std()), rel=0.25), name
    assert (again["trunk.stem.1.running_var"] == 1).all(), "normalisation starts as it does"


def test_only_a_date_that_changed_goes_through_the_trunk(bench):
    sizes = SIZES[0]
    bench.load(drawn(**sizes), np.random.default_rng(0).normal(size=(7, 3, 16, 16)))
    seen = bench.evaluate(
        """() => {
            const counts = [], stages = net.stages.bind(net);
            net.stages = (images) => { counts.push(images.length); return stages(images); };
            const day = x.length / 7, changed = x.slice(), turned = x.slice();
            changed[3 * day + 5] += 1;
            turned.set(x.subarray(day, 2 * day), 0); turned.set(x.subarray(0, day), day);
            for (const values of [x, changed, turned, x]) net.forward(values);
            return counts;
        }"""
    )
    assert seen == [7, 1], "seven at first, the changed one, none for dates that change places"


def test_equal_weights_are_those_of_python(bench):
    sizes = SIZES[2]
    model = drawn(**sizes)
    x = np.random.default_rng(0).normal(size=(5, 2, 24, 24)).astype(np.float32)
    bench.load(model, x)
    trained = train.Trained(model, None, (), np.array([]))
    for even, where in (
        ('[{branch: "temporal", levels: [1, 2, 3]}]', (("temporal",), (1, 2, 3), ())),
        ('[{branch: "spatial", levels: [2], heads: [1, 3]}]', (("spatial",), (2,), (1, 3))),
    ):
        exact = in_pytorch(attention.uniform_attention(trained, *where).model, x)
        agree(told(bench, f"net.forward(x, {even})"), exact)


# -------------------------------------------------------------------------- the page that is saved


def course_scene():
    """A part of the sample scene."""
    season = cube.open_season(course.sample_season())
    return season.isel(y=slice(224, 352), x=slice(224, 352)).load()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """An explorer of the shipped weights on a part of the sample scene, and its page."""
    trained = train.load(course.sample_weights())
    view = AttentionExplorer(trained, course_scene())
    return view, view.save_html(tmp_path_factory.mktemp("page") / "page.html")


HARM = {
    "with a worker": "",
    "without workers": "delete window.Worker;",
    "with workers that are forbidden": "window.Worker = class { constructor() { setTimeout(() => "
    "this.onerror({ preventDefault() {} })); } postMessage() {} terminate() {} };",
}


@pytest.mark.parametrize("harm", HARM)
def test_the_saved_page_maps_as_pytorch_with_or_without_a_worker(browser, shipped, harm):
    view, path = shipped
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.add_init_script(HARM[harm])
    page.goto(path.as_uri())
    page.wait_for_selector(".stma:not(.busy) .sentence:not(:empty)")
    lab = "document.querySelector('.stma').lab"
    for view.corner in ((0, 0), (96, 96), (37, 51)):
        page.evaluate(f"{lab}.moveTo({list(view.corner)})")
        page.wait_for_selector(".stma:not(.busy)")
        x = patches.standardised(view.values(), view.lab.trained.scaling)
        agree(told(page, f"{lab}.after"), in_pytorch(view.lab.trained.model, x))
    assert not wrong, wrong
    page.close()


def test_rounding_of_scene_and_weights_costs_hardly_a_pixel(shipped):
    """What notebook 09 says of it, on exact values and exact weights."""
    view, _ = shipped
    season, trained = course_scene(), view.lab.trained
    view.corner = (40, 40)
    window = patches.window_at((40, 40), 32)
    values = patches.read_window(season, trained.scaling.bands, window)
    exact = in_pytorch(trained.model, patches.network_input(values, trained.scaling))
    rounded = view.outcome()
    assert (rounded["prediction"] == exact["logits"].argmax(0)).mean() > 0.98
    decibel = patches.in_decibels(values, trained.scaling)
    steps = [band["step"] for band in view.facts["bands"]]
    worst = np.abs(view.values() - decibel).max((0, 2, 3))
    assert (worst <= np.array(steps) / 2 + 1e-5).all()
