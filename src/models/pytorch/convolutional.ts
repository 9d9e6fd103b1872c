/** The PyTorch modules of the convolutional networks: the denoiser, the classifier and the U-Net. */
import { conditionMethod, labelLayer, pythonFile, TIME_EMBEDDING } from './python.ts';

const CONV_BLOCK = `
class ConvBlock(nn.Module):
    """A convolution without a bias, group normalisation and SiLU. With \`upsample\` each pixel is first repeated 2x2."""

    def __init__(self, channels, to, kernel, stride=1, upsample=False):
        super().__init__()
        self.conv = nn.Conv2d(channels, to, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.GroupNorm(8, to)
        self.upsample = upsample

    def forward(self, x):
        if self.upsample:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        return F.silu(self.norm(self.conv(x)))
`;

/** The sizes are those of a picture. */
export const convDenoiserSource = (): string =>
  pythonFile(
    CONV_BLOCK,
    `
def cut(x, like):
    """The upper left part of a map, with the height and width of another."""
    return x[:, :, : like.shape[2], : like.shape[3]]
`,
    `
class Network(nn.Module):
    """A small U-Net: noisy pictures [b, CHANNELS, HEIGHT, WIDTH] to pictures of the same shape, in (0, 1)."""

    def __init__(self):
        super().__init__()
        self.half = ConvBlock(CHANNELS, 32, 5, stride=2)
        self.quarter = ConvBlock(32, 64, 3, stride=2)
        self.middle = nn.ModuleList([ConvBlock(64, 64, 3) for _ in range(2)])
        self.up = ConvBlock(64, 32, 3, upsample=True)
        self.merged = ConvBlock(32, 32, 3)
        self.last = nn.Conv2d(32, 4 * CHANNELS, 3, padding=1)

    def forward(self, x):
        half = self._modules["half"](x)  # nn.Module has a method half
        quarter = self.quarter(half)
        for block in self.middle:
            quarter = quarter + block(quarter)
        merged = half + cut(self.up(quarter), half)
        pixels = torch.sigmoid(self.last(merged + self.merged(merged)))
        return cut(F.pixel_shuffle(pixels, 2), x)
`,
  );

/** The sizes are those of a picture, and CLASSES. */
export const convClassifierSource = (): string =>
  pythonFile(
    CONV_BLOCK,
    `
class Network(nn.Module):
    """A classifier: pictures [b, CHANNELS, HEIGHT, WIDTH] in [0, 1] to logits [b, CLASSES]."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(
            [ConvBlock(CHANNELS, 32, 5, stride=2), ConvBlock(32, 32, 3), ConvBlock(32, 64, 3, stride=2), ConvBlock(64, 64, 3)]
        )
        quarter = lambda side: -(-side // 4)
        self.dense = nn.Linear(64 * quarter(HEIGHT) * quarter(WIDTH), 64)
        self.last = nn.Linear(64, CLASSES)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.last(F.relu(self.dense(x.flatten(1))))
`,
  );

/** The sizes are `UNetSizes`, for a network without captions. */
export const unetSource = ({ classes }: { readonly classes: number }): string =>
  pythonFile(
    TIME_EMBEDDING,
    `
class Block(nn.Module):
    """Two convolutions with normalisation. The condition scales and shifts the second normalisation."""

    def __init__(self, channels, to):
        super().__init__()
        self.firstNorm = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, to, 3, padding=1)
        self.condition = nn.Linear(CONDITION, 2 * to)
        self.secondNorm = nn.GroupNorm(8, to, affine=False)
        self.second = nn.Conv2d(to, to, 3, padding=1)
        self.skip = nn.Identity() if channels == to else nn.Conv2d(channels, to, 1)

    def forward(self, x, c):
        h = self.first(F.silu(self.firstNorm(x)))
        scale, shift = self.condition(c)[:, :, None, None].chunk(2, 1)
        h = self.second(F.silu(self.secondNorm(h) * (1 + scale) + shift))
        return self.skip(x) + h
`,
    `
class PixelAttention(nn.Module):
    """Attention among the pixels of a map, added to the map."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.attention = nn.MultiheadAttention(channels, HEADS, batch_first=True)

    def forward(self, x):
        pixels = self.norm(x).flatten(2).transpose(1, 2)
        attended, _ = self.attention(pixels, pixels, pixels, need_weights=False)
        return x + attended.transpose(1, 2).reshape(x.shape)
`,
    `
class Network(nn.Module):
    """
    A U-Net for diffusion: noisy pictures [b, CHANNELS, HEIGHT, WIDTH], times [b] from 0 to 1000 and labels [b] to a
    prediction of the same shape.
    """

    def __init__(self):
        super().__init__()
        deep = 2 * HIDDEN
        self.time = TimeEmbedding(CONDITION)${labelLayer(classes)}
        self.input = nn.Conv2d(4 * CHANNELS, HIDDEN, 3, padding=1)
        self.half = Block(HIDDEN, HIDDEN)
        self.down = nn.Conv2d(HIDDEN, deep, 3, stride=2, padding=1)
        self.position = nn.Parameter(torch.zeros(HEIGHT // 4, WIDTH // 4, deep))  # channels last, as in langevin
        self.before = Block(deep, deep)
        self.attention = PixelAttention(deep)
        self.after = Block(deep, deep)
        self.up = nn.Conv2d(deep, HIDDEN, 3, padding=1)
        self.merge = Block(deep, HIDDEN)
        self.fineNorm = nn.GroupNorm(8, HIDDEN)
        self.fine = nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1)
        self.pixels = nn.Conv2d(HIDDEN // 4 + CHANNELS, FINE, 3, padding=1)
        self.output = nn.Conv2d(FINE, CHANNELS, 3, padding=1)
${conditionMethod(classes)}
    def forward(self, x, t, labels=None):
        c = self.condition(t, labels)
        first = self.input(F.pixel_unshuffle(x, 2))
        half = self._modules["half"](first, c)  # nn.Module has a method half
        deep = self.before(self.down(half) + self.position.permute(2, 0, 1), c)
        deep = self.after(self.attention(deep), c)
        up = self.up(F.interpolate(deep, scale_factor=2, mode="nearest"))
        merged = self.merge(torch.cat([half, up], 1), c)
        fine = F.pixel_shuffle(F.silu(self.fine(F.silu(self.fineNorm(merged)))), 2)
        return self.output(F.silu(self.pixels(torch.cat([fine, x], 1))))
`,
  );
