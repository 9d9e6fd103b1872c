/** The PyTorch modules of the MLPs: the denoiser, the lecture's model, the classifier and the diffusion MLP. */
import { conditionMethod, labelLayer, pythonFile, TIME_EMBEDDING } from './python.ts';

/** `DenoiserSizes` are INPUTS, HIDDEN and CODE. */
export const denoiserSource = (): string => `
class Network(nn.Module):
    """A denoising autoencoder: noisy pictures [b, ...] of INPUTS numbers to pictures of the same shape, in (0, 1)."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CODE), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(CODE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, INPUTS), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x.flatten(1))).reshape(x.shape)
`;

/** The sizes are DIMENSION and HIDDEN. */
export const lectureSource = (): string => `
class Network(nn.Module):
    """The lecture's diffusion model: pictures [b, ...] of DIMENSION numbers and one time to the same shape."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(DIMENSION + 1, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIMENSION)
        )

    def forward(self, x, t):
        rows = x.flatten(1)
        times = torch.full_like(rows[:, :1], t)
        return self.layers(torch.cat([rows, times], 1)).reshape(x.shape)
`;

/** The sizes are those of a picture, and CLASSES. */
export const classifierSource = (): string => `
class Network(nn.Module):
    """A classifier: pictures [b, CHANNELS, HEIGHT, WIDTH] in [0, 1] to logits [b, CLASSES]."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(CHANNELS * HEIGHT * WIDTH, 800)
        self.second = nn.Linear(800, 400)
        self.third = nn.Linear(400, 64)
        self.last = nn.Linear(64, CLASSES)

    def forward(self, x):
        h = F.relu(self.first(x.flatten(1)))
        h = F.relu(self.second(h))
        return self.last(F.relu(self.third(h)))
`;

/** The sizes are `DiffusionMlpSizes`. */
export const diffusionMlpSource = ({ classes }: { readonly classes: number }): string =>
  pythonFile(
    TIME_EMBEDDING,
    `
def rms_norm(h):
    """h over the root of its mean square."""
    return h * torch.rsqrt(h.square().mean(-1, keepdim=True) + 1e-6)
`,
    `
class Block(nn.Module):
    """A residual block: h + B silu(A norm(h) + C c)."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(HIDDEN, INNER)
        self.b = nn.Linear(INNER, HIDDEN)
        self.c = nn.Linear(CONDITION, INNER, bias=False)

    def forward(self, h, c):
        return h + self.b(F.silu(self.a(rms_norm(h)) + self.c(c)))
`,
    `
class Network(nn.Module):
    """
    A residual MLP for diffusion: noisy pictures [b, CHANNELS, HEIGHT, WIDTH], times [b] from 0 to 1000 and labels [b]
    to an estimate of the clean pictures.
    """

    def __init__(self):
        super().__init__()
        self.time = TimeEmbedding(CONDITION)${labelLayer(classes)}
        self.input = nn.Linear(CHANNELS * HEIGHT * WIDTH, HIDDEN)
        self.blocks = nn.ModuleList([Block() for _ in range(DEPTH)])
        self.output = nn.Linear(HIDDEN, CHANNELS * HEIGHT * WIDTH)
${conditionMethod(classes)}
    def forward(self, x, t, labels=None):
        c = self.condition(t, labels)
        h = self.input(x.flatten(1))
        for block in self.blocks:
            h = block(h, c)
        return self.output(rms_norm(h)).reshape(x.shape)
`,
  );
