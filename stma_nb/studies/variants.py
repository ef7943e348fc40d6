"""Networks that differ from STMA or from the U-Net in one thing, to see what that thing does.

None of them is the published network: they are for studies, and are never saved.
"""

import torch
from torch import Tensor, nn

from stma_nb.model import MCA, STMA
from stma_nb.train.unet import UNet, double_convolution

# ------------------------------------------------------------------------------ STMA less one thing


class Silent(nn.Module):
    """In place of an attention: no token learns of another, its update is zero."""

    def __init__(self, heads: int):
        super().__init__()
        self.heads = heads

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        batch, count, _ = tokens.shape
        alone = torch.eye(count, device=tokens.device).expand(batch, self.heads, -1, -1)
        return torch.zeros_like(tokens), alone


def without_temporal(model: STMA) -> STMA:
    """No date learns of another by attention (the layers behind still mix them)."""
    for block in model.stsa:
        block.attend_temporal = Silent(model.arguments["heads"])
    return model


def without_spatial(model: STMA) -> STMA:
    """No pixel learns of another by attention (the trunk still sees neighbours)."""
    for block in model.stsa:
        block.attend_spatial = Silent(model.arguments["heads"])
    return model


def without_cross(model: STMA) -> STMA:
    """No level asks another: level 3 goes on alone to the decoder."""
    model.mca = OnlyLevel3()
    return model


class OnlyLevel3(MCA):
    """In place of the cross-attention, without weights."""

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def forward(self, level1: Tensor, level2: Tensor, level3: Tensor) -> tuple[Tensor, Tensor]:
        pixels = level3.shape[-2] * level3.shape[-1]
        return level3, level3.new_zeros(len(level3), 1, pixels, pixels)


def without_attention(model: STMA) -> STMA:
    """None of the three attentions."""
    return without_cross(without_spatial(without_temporal(model)))


def without_lsape(model: STMA) -> STMA:
    """No gate that tells a pixel where it lies."""
    model.lsape = nn.ModuleList(nn.Identity() for _ in model.lsape)
    return model


class SoftmaxMCA(MCA):
    """The cross-attention with scaled dot products and a softmax instead of the bare cosine."""

    def weigh(self, q: Tensor, k: Tensor) -> Tensor:
        return torch.softmax(q @ k.transpose(1, 2) / q.shape[-1] ** 0.5, dim=-1)


def with_softmax(model: STMA) -> STMA:
    features1, features2 = (lift.in_channels for lift in (model.mca.lift1, model.mca.lift2))
    model.mca = SoftmaxMCA(features1, features2, model.mca.lift1.out_channels)
    return model


# ------------------------------------------------------------------------------ STMA with one thing


class DetailSTMA(STMA):
    """STMA with a second way in, at full size: all dates as channels, as a U-Net begins.

    The published decoder never sees more detail than a quarter of the patch's side. Here two
    convolutions at full size join its logits before the last convolution.
    """

    def __init__(self, width: int = 16, detail: int = 32, **arguments: int):
        super().__init__(width=width, **arguments)
        a = self.arguments
        self.detail = double_convolution(a["dates"] * a["bands"], detail)
        self.join = nn.Sequential(
            double_convolution(a["classes"] + detail, detail), nn.Conv2d(detail, a["classes"], 1)
        )

    def forward(self, x: Tensor, return_attention: bool = False) -> tuple[Tensor, ...]:
        main, *rest = super().forward(x, return_attention)
        main = self.join(torch.cat([main, self.detail(x.flatten(1, 2))], dim=1))
        return main, *rest


# ----------------------------------------------------------------------- the U-Net with one thing


class Hidden(nn.Module):
    """Zeros in place of the first channels: what a skip connection brought from the way down."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(x[:, : self.channels]), x[:, self.channels :]], dim=1)


class CoarseUNet(UNet):
    """A U-Net whose way up sees nothing finer than a quarter of the patch's side, as STMA's."""

    def __init__(self, **arguments: int):
        super().__init__(**arguments)
        width = self.arguments["width"]
        self.mix2 = nn.Sequential(Hidden(2 * width), self.mix2)
        self.mix1 = nn.Sequential(Hidden(width), self.mix1)


class DateByDate(nn.Module):
    """A first block (B, T bands, P, P) -> (B, W, P, P) that sees one date at a time.

    The same weights serve all dates, as in STMA's trunk; each date keeps ``channels``.
    """

    def __init__(self, dates: int, bands: int, width: int, channels: int):
        super().__init__()
        self.dates = dates
        self.each = nn.Sequential(double_convolution(bands, width), nn.Conv2d(width, channels, 1))
        self.together = double_convolution(dates * channels, width)

    def forward(self, x: Tensor) -> Tensor:
        dates = x.unflatten(1, (self.dates, -1))
        each = self.each(dates.flatten(0, 1)).unflatten(0, dates.shape[:2])
        return self.together(each.flatten(1, 2))


class DateByDateUNet(UNet):
    """A U-Net that begins date by date; a date keeps as many channels as in STMA's level 3."""

    def __init__(self, dates: int, bands: int = 2, channels: int = 8, **arguments: int):
        super().__init__(dates=dates, bands=bands, **arguments)
        width = self.arguments["width"]
        self.down1 = nn.Sequential(DateByDate(dates, bands, width, channels))
