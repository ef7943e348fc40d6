"""STMA: spatio-temporal multi-level attention for crop mapping, to be read beside the paper.

Han, Zhang, Gao, Zeng, Zhang, Atkinson (2023), ISPRS J. Photogramm. Remote Sens. 206, 293-310,
https://doi.org/10.1016/j.isprsjprs.2023.11.016

Symbols, as in the shapes below: B patches in a batch, T dates, P patch side in pixels, K classes,
E = 8 T channels of the fused map. A level has c channels per date, N pixels, and so m = T c
features per pixel. Levels 1, 2, 3 have c = 2, 4, 8 and sides P/4, P/8, P/8.

    x (B, T, bands, P, P)
      Trunk       every date through the same small ResNet        3 levels (B, T, c, side, side)
      LSAPE       a learned gate that tells where a pixel lies    3 gated levels
      STSA        attention over pixels and over dates            3 levels (B, N, m)
      MCA         level 1 asks, level 2 answers, 3 is added       (B, E, P/8, P/8)
      Decoder     back to full size, with gated levels 3 and 1    main logits (B, K, P, P)
      auxiliary   a second, short head on gated level 3           aux logits (B, K, P, P)
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVEL_CHANNELS = (2, 4, 8)  # channels per date that the trunk's three stages are squeezed to
IMAGENET_URL = "https://download.pytorch.org/models/resnet18-f37072fd.pth"


class STMA(nn.Module):
    """The network of the paper; by default of the size that its authors published.

    Args:
        dates: number of acquisitions T in a season (2 or more).
        patch: side P of a patch in pixels, a multiple of 8. The temporal attention compares whole
            patches, so its weights, and with them a trained model, belong to one patch size.
        bands: bands per date; the published weights take VH, then VV.
        classes: number of classes K, background included.
        width: channels of the trunk's first stage (64 as in ResNet-18; a compact network takes 16).
        heads: attention heads of the spatial and temporal attention.
        hidden: width of the fusion's hidden layer.
        dropout: dropout rate during training.

    ``model(x)`` with x (B, T, bands, P, P) gives ``main, aux`` logits, both (B, K, P, P).
    ``model(x, return_attention=True)`` gives a third value, the attention weights: ``{"spatial":
    [level 1, 2, 3], "temporal": [level 1, 2, 3], "cross": map}``, each map (B, heads, queries,
    keys): (B, heads, N, N) over pixels, (B, heads, T, T) over dates, (B, 1, N, N) across levels.

    Raises ValueError for sizes that the network cannot have and for an input of another shape.
    """

    def __init__(
        self,
        dates: int = 41,
        patch: int = 128,
        bands: int = 2,
        classes: int = 16,
        width: int = 64,
        heads: int = 4,
        hidden: int = 16,
        dropout: float = 0.1,
    ):
        super().__init__()
        if patch % 8 or patch < 8:
            raise ValueError(
                f"The patch size is {patch} pixels; it must be a multiple of 8 (say "
                f"{max(8, round(patch / 8) * 8)})."
            )
        if min(bands, classes, width, heads, hidden) < 1:
            raise ValueError(
                f"bands is {bands}, classes {classes}, width {width}, heads {heads} and hidden "
                f"{hidden}; expected at least 1 each."
            )
        if dates < 2:
            raise ValueError(
                f"The season has {dates} date(s); attention over dates needs at least 2."
            )
        if dates * LEVEL_CHANNELS[0] < heads:
            most = dates * LEVEL_CHANNELS[0]
            raise ValueError(f"{heads} heads do not fit {dates} dates: use at most {most} heads.")
        self.arguments: dict[str, Any] = dict(
            dates=dates,
            patch=patch,
            bands=bands,
            classes=classes,
            width=width,
            heads=heads,
            hidden=hidden,
            dropout=dropout,
        )
        pixels = [(patch // 4) ** 2, (patch // 8) ** 2, (patch // 8) ** 2]
        self.trunk = Trunk(bands, width)
        self.lsape = nn.ModuleList(LSAPE(dates * c) for c in LEVEL_CHANNELS)
        self.stsa = nn.ModuleList(
            STSA(dates, c, n, heads, hidden, dropout)
            for c, n in zip(LEVEL_CHANNELS, pixels, strict=True)
        )
        self.mca = MCA(*(dates * c for c in LEVEL_CHANNELS))
        self.decoder = Decoder(LEVEL_CHANNELS[2] * dates, classes)
        self.auxiliary = auxiliary_head(LEVEL_CHANNELS[2] * dates, classes)

    def forward(self, x: Tensor, return_attention: bool = False) -> Any:
        a = self.arguments
        expected = (a["dates"], a["bands"], a["patch"], a["patch"])
        if x.ndim != 5 or tuple(x.shape[1:]) != expected:
            raise ValueError(
                "The network expects input (batch, dates, bands, rows, columns) = (B, "
                f"{str(expected)[1:]}, got {tuple(x.shape)}."
            )
        # Date and channel axes merge date-major: (B, T, c, rows, columns) -> (B, m, rows, columns).
        gated = [
            gate(level.flatten(1, 2)) for gate, level in zip(self.lsape, self.trunk(x), strict=True)
        ]
        attended = [block(level) for block, level in zip(self.stsa, gated, strict=True)]
        levels = [level for level, _, _ in attended]
        fused, cross = self.mca(*levels)
        main = upsample(self.decoder(fused + gated[2], gated[0]), a["patch"])
        aux = upsample(self.auxiliary(gated[2]), a["patch"])
        if not return_attention:
            return main, aux
        return (
            main,
            aux,
            {
                "spatial": [s for _, s, _ in attended],
                "temporal": [t for _, _, t in attended],
                "cross": cross,
            },
        )

    def load_imagenet(self, url: str = IMAGENET_URL) -> "STMA":
        """Start the trunk from ImageNet weights of ResNet-18; needs ``width=64``.

        They take 44 MB and are fetched once, by torch.hub. The stem takes the first ``bands`` of
        the three input-channel slices, as the authors do. Raises RuntimeError where the weights
        cannot be fetched.
        """
        if self.arguments["width"] != 64 or self.arguments["bands"] > 3:
            raise ValueError(
                "ImageNet weights fit a trunk of width 64 with at most 3 bands only: build "
                "STMA(width=64)."
            )
        try:
            weights = torch.hub.load_state_dict_from_url(
                url, map_location="cpu", check_hash=url == IMAGENET_URL, weights_only=True
            )
        except OSError as error:
            raise RuntimeError(
                f"The ImageNet weights could not be fetched from {url} ({error}): connect to the "
                "network, or train without them."
            ) from error
        weights["conv1.weight"] = weights["conv1.weight"][:, : self.arguments["bands"]]
        names = {
            "conv1": "stem.0",
            "bn1": "stem.1",
            "layer1": "stage1",
            "layer2": "stage2",
            "layer3": "stage3",
        }
        renamed = {}
        for name, value in weights.items():
            first, rest = name.split(".", 1)
            if first in names:
                rest = rest.replace("downsample", "shortcut")
                renamed[f"{names[first]}.{rest}"] = value
        missing = self.trunk.load_state_dict(renamed, strict=False).missing_keys
        if any(
            not name.startswith("squeeze") and not name.endswith("num_batches_tracked")
            for name in missing
        ):
            raise RuntimeError(f"The file at {url} is not a ResNet-18: {missing[0]} is missing.")
        return self

    @classmethod
    def from_reference(cls, state: dict[str, Tensor], heads: int = 4) -> "STMA":
        """Build the network from a state dict with the parameter names of the authors'
        implementation.

        Raises ValueError if an entry is missing or left over.
        """
        renamed = {}
        for name, value in state.items():
            ours = reference_name(name)
            if (
                ".attend_" in ours and ".to_" in ours
            ):  # stored (input, heads, head width) there, (output, input) here
                value = value.flatten(1).T if name.endswith("weight") else value.flatten()
            elif ".attend_" in ours and name.endswith(
                "weight"
            ):  # stored (heads, head width, output) there
                value = value.flatten(0, 1).T
            renamed[ours] = value
        try:
            model = cls(
                dates=state["pos.pa_conv.weight"].shape[0] // LEVEL_CHANNELS[2],
                patch=8 * round(state["transformer3.skipcat.weight"].shape[0] ** 0.5),
                bands=state["fe.layer0.0.weight"].shape[1],
                classes=state["restoration.3.weight"].shape[0],
                width=state["fe.layer0.0.weight"].shape[0],
                heads=heads,
                hidden=state["transformer1.mlp.fc1.weight"].shape[0],
            )
            model.load_state_dict(renamed)
        except (KeyError, RuntimeError) as error:
            raise ValueError(
                "These are not weights of the published STMA: "
                f"{str(error).splitlines()[-1].strip()}"
            ) from error
        return model


# ------------------------------------------------------------------------ 1. features of every date


class Trunk(nn.Module):
    """The first three stages of a ResNet-18, shared over dates, each squeezed: the three levels.

    Input (B, T, bands, P, P); output three levels: (B, T, 2, P/4, P/4), (B, T, 4, P/8, P/8) and
    (B, T, 8, P/8, P/8). Stage 3 keeps the resolution of stage 2.
    """

    def __init__(self, bands: int, width: int):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(bands, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stage1 = nn.Sequential(ResidualBlock(width, width), ResidualBlock(width, width))
        self.stage2 = nn.Sequential(
            ResidualBlock(width, 2 * width, stride=2), ResidualBlock(2 * width, 2 * width)
        )
        self.stage3 = nn.Sequential(
            ResidualBlock(2 * width, 4 * width), ResidualBlock(4 * width, 4 * width)
        )
        self.squeeze = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width * 2**i, c, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU(inplace=True)
            )
            for i, c in enumerate(LEVEL_CHANNELS)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> list[Tensor]:
        batch, dates = x.shape[:2]
        # Channels last: the same numbers, laid out as the convolution kernels read them (a fifth
        # faster in training).
        x = self.stem(x.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        levels = []
        for stage, squeeze in zip(
            (self.stage1, self.stage2, self.stage3), self.squeeze, strict=True
        ):
            x = stage(x)
            levels.append(squeeze(x).contiguous().unflatten(0, (batch, dates)))
        return levels


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; He et al. 2016, doi 10.1109/CVPR.2016.90."""

    def __init__(self, channels: int, out: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut: nn.Module = nn.Identity()
        if channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        # In place: fewer values to keep for the gradients, and more of them stay in the cache.
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x), inplace=True)


# ----------------------------------------------------------------------------- 2. position encoding


class LSAPE(nn.Module):
    """Learnable spatial attention position encoding: a depth-wise 3x3 convolution gates the map, f
    * sigmoid(conv(f)).

    Zero padding tells the convolution where the border is, and the gate can so depend on the
    position. (B, m, H, W) in and out.
    """

    def __init__(self, features: int):
        super().__init__()
        self.conv = nn.Conv2d(features, features, 3, padding=1, groups=features)

    def forward(self, f: Tensor) -> Tensor:
        return f * torch.sigmoid(self.conv(f))


# ---------------------------------------------------------------- 3. spatio-temporal self-attention


class MultiHeadAttention(nn.Module):
    """Scaled dot-product self-attention (Vaswani et al. 2017): softmax(q k' / sqrt(d)) v in every
    head.

    Tokens (B, tokens, features) give (B, tokens, features) and the weights (B, heads, tokens,
    tokens), whose rows sum to one. The width d of a head is features // heads, so a remainder of
    the features is left out of the heads, as in the published code.
    """

    def __init__(self, features: int, heads: int):
        super().__init__()
        self.heads, inner = heads, features // heads * heads
        self.to_query = nn.Linear(features, inner)
        self.to_key = nn.Linear(features, inner)
        self.to_value = nn.Linear(features, inner)
        self.out = nn.Linear(inner, features)
        for layer in (self.to_query, self.to_key, self.to_value, self.out):
            # The published N(0, 1) saturates the softmax from the start; scaled by the width it
            # learns sooner.
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = (
            to(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for to in (self.to_query, self.to_key, self.to_value)
        )  # each (B, heads, tokens, d)
        weights = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, dim=-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2)), weights


class STSA(nn.Module):
    """Spatio-temporal self-attention of one level: pixels attend to pixels, dates attend to dates,
    and both are fused.

    Input (B, m, H, W) with m = dates x channels; output (B, m, H, W), spatial weights (B, heads, N,
    N), temporal weights (B, heads, T, T).
    """

    def __init__(
        self, dates: int, channels: int, pixels: int, heads: int, hidden: int, dropout: float
    ):
        super().__init__()
        features = dates * channels
        self.dates = dates
        self.norm_spatial = nn.LayerNorm(features)
        self.norm_temporal = nn.LayerNorm(channels * pixels)
        self.attend_spatial = MultiHeadAttention(
            features, heads
        )  # a token is a pixel with all its dates
        self.attend_temporal = MultiHeadAttention(
            channels * pixels, heads
        )  # a token is a date with all its pixels
        self.norm_both = nn.LayerNorm(2 * features)
        self.mlp = nn.Sequential(
            nn.Linear(2 * features, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, features),
            nn.Dropout(dropout),
        )
        self.skip_mix = nn.Conv2d(
            pixels, pixels, (1, 2)
        )  # mixes pixels, and the spatial with the temporal result
        self.norm = nn.LayerNorm(features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, f: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pixels = f.flatten(2).transpose(1, 2)  # (B, N, m)
        update, spatial_weights = self.attend_spatial(self.norm_spatial(pixels))
        spatial = pixels + self.dropout(update)

        days = f.unflatten(1, (self.dates, -1)).flatten(2)  # (B, T, c N)
        update, temporal_weights = self.attend_temporal(self.norm_temporal(days))
        temporal = days + self.dropout(update)
        temporal = (
            temporal.reshape(f.shape).flatten(2).transpose(1, 2)
        )  # (B, N, m), as the spatial result

        fused = self.mlp(self.norm_both(torch.cat([spatial, temporal], dim=-1)))
        fused = fused + self.skip_mix(torch.stack([spatial, temporal], dim=-1)).squeeze(-1)
        return self.norm(fused).transpose(1, 2).reshape(f.shape), spatial_weights, temporal_weights


# ------------------------------------------------------------------- 4. multi-scale cross-attention


class MCA(nn.Module):
    """Multi-scale cross-attention: level 1 asks, level 2 answers, weighted by cosine similarity;
    level 3 is added.

    Inputs are the three attended levels; output (B, E, P/8, P/8) and the weights (B, 1, N, N). No
    softmax stands between, so weights lie in [-1, 1], need not sum to one, and q (k' v) would give
    the same result as (q k') v.
    """

    def __init__(self, features1: int, features2: int, features3: int):
        super().__init__()
        self.lift1 = nn.Conv2d(features1, features3, 1)
        self.lift2 = nn.Conv2d(features2, features3, 1)
        self.to_query = nn.Linear(features3, features3, bias=False)
        self.to_key_value = nn.Linear(features3, 2 * features3, bias=False)
        self.out = nn.Linear(features3, features3)

    def forward(self, level1: Tensor, level2: Tensor, level3: Tensor) -> tuple[Tensor, Tensor]:
        z1 = F.avg_pool2d(self.lift1(level1), 2).flatten(2).transpose(1, 2)  # (B, N, E)
        z2 = self.lift2(level2).flatten(2).transpose(1, 2)
        q = self.to_query(z1)
        k, v = self.to_key_value(z2).chunk(2, dim=-1)
        weights = self.weigh(q, k)
        answer = self.out(weights @ v).transpose(1, 2).reshape(level3.shape)
        return answer + level3, weights.unsqueeze(1)

    def weigh(self, q: Tensor, k: Tensor) -> Tensor:
        """Cosine similarity of queries and keys (B, N, E): (B, N, N)."""
        return F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(1, 2)


# ----------------------------------------------------------------------------- 5. decoder and heads


class Decoder(nn.Module):
    """From the fused map (B, E, P/8, P/8) to logits (B, K, P/2, P/2); level 1 joins at P/4."""

    def __init__(self, features: int, classes: int):
        super().__init__()
        half, quarter = features // 2, features // 4
        self.to_quarter_size = nn.Sequential(
            nn.ConvTranspose2d(features, half, 3, stride=2, padding=1, output_padding=1),
            nn.BatchNorm2d(half),
            nn.ReLU(),
            nn.Conv2d(half, quarter, 3, padding=1, bias=False),
            nn.BatchNorm2d(quarter),
            nn.ReLU(),
        )
        self.to_half_size = nn.Sequential(
            nn.ConvTranspose2d(quarter, quarter, 3, stride=2, padding=1, output_padding=1),
            nn.BatchNorm2d(quarter),
            nn.ReLU(),
        )
        self.classify = nn.Sequential(
            nn.Conv2d(quarter, quarter, 3, padding=1, bias=False),
            nn.BatchNorm2d(quarter),
            nn.ReLU(),
            nn.Conv2d(quarter, classes, 1),
        )

    def forward(self, fused: Tensor, level1: Tensor) -> Tensor:
        return self.classify(self.to_half_size(self.to_quarter_size(fused) + level1))


def auxiliary_head(features: int, classes: int) -> nn.Sequential:
    """The head that helps training: it reads gated level 3, as the authors' code does.

    Their figure draws it after the MCA.
    """
    quarter = features // 4
    return nn.Sequential(
        nn.Conv2d(features, quarter, 3, padding=1, bias=False),
        nn.BatchNorm2d(quarter),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Conv2d(quarter, classes, 1),
    )


def upsample(logits: Tensor, patch: int) -> Tensor:
    """Bilinear resize of logits (B, K, h, w) to the side of the patch."""
    return F.interpolate(logits, size=(patch, patch), mode="bilinear", align_corners=False)


# ---------------------------------------------------------------- names of the published parameters

_REFERENCE_NAMES = (
    ("fe.layer0.", "trunk.stem."),
    ("fe.layer", "trunk.stage"),
    ("downsample", "shortcut"),
    ("fe.transform1", "trunk.squeeze.0"),
    ("fe.transform2", "trunk.squeeze.1"),
    ("fe.transform3", "trunk.squeeze.2"),
    ("pos_64.pa_conv", "lsape.0.conv"),
    ("pos_128.pa_conv", "lsape.1.conv"),
    ("pos.pa_conv", "lsape.2.conv"),
    ("transformer1", "stsa.0"),
    ("transformer2", "stsa.1"),
    ("transformer3", "stsa.2"),
    ("norm1", "norm_spatial"),
    ("norm2", "norm_temporal"),
    ("norm3", "norm_both"),
    ("skipcat", "skip_mix"),
    ("attn_", "attend_"),
    (".query.", ".to_query."),
    (".key.", ".to_key."),
    (".value.", ".to_value."),
    ("mlp.fc1", "mlp.0"),
    ("mlp.fc2", "mlp.3"),
    ("cross_attention.q.", "mca.to_query."),
    ("cross_attention.kv.", "mca.to_key_value."),
    ("cross_attention.proj.", "mca.out."),
    ("decoder1", "decoder.to_quarter_size"),
    ("decoder2", "decoder.to_half_size"),
    ("restoration", "decoder.classify"),
    ("seg_aux", "auxiliary"),
)


def reference_name(name: str) -> str:
    """Our name of a parameter or buffer of the authors' implementation."""
    # The two lifting convolutions of the MCA stand at the top level there.
    if name.startswith(("conv1.", "conv2.")):
        return f"mca.lift{name[4:]}"
    for theirs, ours in _REFERENCE_NAMES:
        name = name.replace(theirs, ours)
    return name
