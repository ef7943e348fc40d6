"""Networks that differ from STMA or from the U-Net in one thing, to see what that thing does.

None of them is the published network: they are for studies, and are never saved.
"""

import torch
import torch.nn.functional as F
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

    def forward(self, level1: Tensor, level2: Tensor, level3: Tensor) -> tuple[Tensor, Tensor]:
        z1 = F.avg_pool2d(self.lift1(level1), 2).flatten(2).transpose(1, 2)  # (B, N, E)
        z2 = self.lift2(level2).flatten(2).transpose(1, 2)
        q = self.to_query(z1)
        k, v = self.to_key_value(z2).chunk(2, dim=-1)
        weights = torch.softmax(q @ k.transpose(1, 2) / q.shape[-1] ** 0.5, dim=-1)
        answer = self.out(weights @ v).transpose(1, 2).reshape(level3.shape)
        return answer + level3, weights.unsqueeze(1)


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


class CoarseUNet(UNet):
    """A U-Net whose way up sees nothing finer than a quarter of the patch's side, as STMA's."""

    def forward(self, x: Tensor) -> Tensor:
        whole = self.down1(x.flatten(1, 2))
        half = self.down2(self.halve(whole))
        quarter = self.bottom(self.halve(half))
        half = self.mix2(torch.cat([torch.zeros_like(half), self.up2(quarter)], dim=1))
        whole = self.mix1(torch.cat([torch.zeros_like(whole), self.up1(half)], dim=1))
        return self.classify(whole)


class DateByDateUNet(UNet):
    """A U-Net whose first block sees one date at a time, with the same weights for all, as STMA's
    trunk; each date keeps ``channels`` of it, as many as STMA's level 3."""

    def __init__(self, dates: int, bands: int = 2, channels: int = 8, **arguments: int):
        super().__init__(dates=dates, bands=bands, **arguments)
        width = self.arguments["width"]
        self.each = nn.Sequential(double_convolution(bands, width), nn.Conv2d(width, channels, 1))
        self.down1 = double_convolution(dates * channels, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, dates = x.shape[:2]
        each = self.each(x.flatten(0, 1)).unflatten(0, (batch, dates)).flatten(1, 2)
        whole = self.down1(each)
        half = self.down2(self.halve(whole))
        quarter = self.bottom(self.halve(half))
        half = self.mix2(torch.cat([half, self.up2(quarter)], dim=1))
        whole = self.mix1(torch.cat([whole, self.up1(half)], dim=1))
        return self.classify(whole)
