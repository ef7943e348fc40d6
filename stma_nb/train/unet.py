"""A small U-Net with the dates as channels: neighbours at three scales, and no attention.

Ronneberger, Fischer and Brox (2015), https://doi.org/10.1007/978-3-319-24574-4_28. All dates and
bands of a pixel go in at once, as one long list of channels; the order of the dates is nowhere
built in, but each channel has weights of its own.

    x (B, T, bands, P, P) -> (B, T bands, P, P)
      down    W, 2 W, 4 W channels at P, P/2, P/4      two convolutions at each scale
      up      2 W, W channels at P/2, P                beside what was seen there on the way down
      out     logits (B, K, P, P)
"""

import torch
from torch import Tensor, nn


def double_convolution(channels: int, width: int) -> nn.Sequential:
    """Two convolutions of 3 x 3, each normalised: (B, channels, P, P) to (B, width, P, P)."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """A U-Net of three scales whose input channels are all dates and bands of a season.

    Args:
        dates: number of acquisitions T.
        patch: side P of a patch in pixels, a multiple of 4.
        bands: bands per date.
        classes: number of classes K.
        width: channels W of the first scale (32: about half a million weights).

    ``model(x)`` with x (B, T, bands, P, P) gives logits (B, K, P, P). Raises ValueError for a patch
    that cannot be halved twice and for an input of other dates or bands.
    """

    def __init__(
        self, dates: int, patch: int = 32, bands: int = 2, classes: int = 16, width: int = 32
    ):
        super().__init__()
        if patch < 4 or patch % 4:
            raise ValueError(
                f"The patch size is {patch} pixels; it must be a multiple of 4 (say "
                f"{max(4, round(patch / 4) * 4)})."
            )
        self.arguments = dict(dates=dates, patch=patch, bands=bands, classes=classes, width=width)
        self.down1 = double_convolution(dates * bands, width)
        self.down2 = double_convolution(width, 2 * width)
        self.bottom = double_convolution(2 * width, 4 * width)
        self.halve = nn.MaxPool2d(2)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, stride=2)
        self.mix2 = double_convolution(4 * width, 2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.mix1 = double_convolution(2 * width, width)
        self.classify = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        expected = self.arguments["dates"], self.arguments["bands"]
        if x.ndim != 5 or tuple(x.shape[1:3]) != expected:
            raise ValueError(
                f"The network expects input (batch, dates, bands, rows, columns) = (B, "
                f"{expected[0]}, {expected[1]}, P, P), got {tuple(x.shape)}."
            )
        whole = self.down1(x.flatten(1, 2))  # (B, W, P, P)
        half = self.down2(self.halve(whole))  # (B, 2 W, P/2, P/2)
        quarter = self.bottom(self.halve(half))  # (B, 4 W, P/4, P/4)
        half = self.mix2(torch.cat([half, self.up2(quarter)], dim=1))
        whole = self.mix1(torch.cat([whole, self.up1(half)], dim=1))
        return self.classify(whole)
