"""Losses for ``fit``. Your own is a function of the same form: see ``Loss`` in ``contract``."""

import torch.nn.functional as F
from torch import Tensor

from stma_nb.patches import IGNORE
from stma_nb.train.contract import Outputs


def cross_entropy(
    outputs: Outputs,
    y: Tensor,
    class_weights: Tensor,
    aux_weight: float = 0.5,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy of both heads, (1 - aux_weight) main + aux_weight auxiliary; a sum of pixels.

    The paper sums two losses; its authors' code trains on the main loss alone, which is
    ``functools.partial(cross_entropy, aux_weight=0)``. A network with one head has its loss alone.
    ``label_smoothing`` is the share of the target that is spread over all classes. Raises
    ValueError for an ``aux_weight`` that is no share.
    """
    if not 0 <= aux_weight <= 1:
        raise ValueError(f"aux_weight is {aux_weight}; expected a share from 0 to 1.")

    def summed(logits: Tensor) -> Tensor:
        return F.cross_entropy(
            logits,
            y,
            class_weights,
            ignore_index=IGNORE,
            reduction="sum",
            label_smoothing=label_smoothing,
        )

    if isinstance(outputs, Tensor):
        return summed(outputs)
    main, auxiliary = outputs
    return (1 - aux_weight) * summed(main) + aux_weight * summed(auxiliary)
