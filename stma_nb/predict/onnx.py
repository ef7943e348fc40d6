"""A network that ONNX Runtime computes: the same numbers up to rounding, quicker on a CPU.

Its convolutions, additions and activations are fused and laid out as the processor's vectors are,
which PyTorch does for its own graphs only, with a compiler. Writing the graph takes some seconds,
so it pays for scenes, not for small maps.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from stma_nb.extras import needs
from stma_nb.train import Network, main_of


def onnx_form(model: Network, precision: str = "float32") -> Network:
    """The network as ONNX Runtime runs it: main logits of any number of windows, on the CPU.

    Raises ValueError for a network without weights (a forest) and for another precision,
    ImportError without the packages.
    """
    if precision != "float32":
        raise ValueError(
            f"ONNX Runtime maps in float32 here; the precision asked for is {precision}."
        )
    if next(iter(model.parameters()), None) is None:
        raise ValueError(f"{type(model).__name__} has no weights for ONNX Runtime: use PyTorch's.")
    return OnnxForm(model)


class OnnxForm(nn.Module):
    """A network in ONNX Runtime; ``graph`` are the bytes of its file, from which copies start."""

    def __init__(self, model: Network):
        super().__init__()
        self.arguments = model.arguments
        self.pixelwise = getattr(model, "pixelwise", False)
        self.graph = _graph(model)
        self._session: Any = None

    def forward(self, x: Tensor) -> Tensor:
        [logits] = self.session().run(None, {"x": x.numpy()})
        return torch.from_numpy(logits)

    def session(self) -> Any:
        """One thread a call: threads that share a batch would wait for each other."""
        if self._session is None:
            with needs("fast"):
                import onnxruntime
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.log_severity_level = 3  # errors
            self._session = onnxruntime.InferenceSession(
                self.graph, options, providers=["CPUExecutionProvider"]
            )
        return self._session

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_session": None}


class _MainOnly(nn.Module):
    """The main head alone, so that the exporter leaves out what belongs to the other."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return main_of(self.model(x))


def _graph(model: Network) -> bytes:
    """The network as an ONNX file."""
    with needs("fast"):
        import onnxscript  # noqa: F401  # which PyTorch's exporter needs
    sizes = [model.arguments[name] for name in ("dates", "bands", "patch", "patch")]
    batch = torch.export.Dim("batch", min=1, max=65536)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _MainOnly(model),
            (torch.zeros(2, *sizes),),
            input_names=["x"],
            dynamo=True,
            dynamic_shapes=({0: batch},),
            verbose=False,
        )
    assert program is not None  # it is written to memory
    return program.model_proto.SerializeToString()
