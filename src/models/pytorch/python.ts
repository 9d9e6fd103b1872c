/** The parts of Python source that the modules of several networks share. */

/** Joins parts of a Python file: two empty lines between them. */
export const pythonFile = (...parts: readonly string[]): string =>
  `${parts
    .filter((part) => part !== '')
    .map((part) => part.trim())
    .join('\n\n\n')}\n`;

/** Sizes as constants of a Python file, in capital letters. */
export const constants = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name.toUpperCase()} = ${value}`)
    .join('\n');

/** Reads safetensors files with torch alone. */
export const READER = `
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_safetensors(path):
    """The tensors of a safetensors file by their names, and its text entries."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack_from("<Q", data)
    start = 8 + length
    header = json.loads(data[8:start].decode())
    texts = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
        if begin == end:
            tensors[name] = torch.zeros(shape, dtype=dtype)
        else:
            tensors[name] = torch.frombuffer(data[start + begin : start + end], dtype=dtype).reshape(shape)
    return tensors, texts


def load(path=WEIGHTS):
    """The network with the weights of a file that langevin export or train.py wrote."""
    tensors, _ = read_safetensors(path)
    network = Network()
    network.load_state_dict({name: x.float() for name, x in tensors.items() if not name.startswith("training.")})
    return network
`;

/** The embedding of a time. */
export const TIME_EMBEDDING = `
class TimeEmbedding(nn.Module):
    """Cosines and sines of a time, a linear layer, SiLU, and another linear layer: [b] to [b, dimension]."""

    def __init__(self, dimension):
        super().__init__()
        self.first = nn.Linear(dimension, dimension)
        self.second = nn.Linear(dimension, dimension)

    def forward(self, t):
        half = self.first.in_features // 2
        frequencies = 10000.0 ** (-torch.arange(half, dtype=torch.float64, device=t.device) / half)
        angles = t.double()[:, None] * frequencies
        waves = torch.cat([angles.cos(), angles.sin()], 1).to(self.first.weight.dtype)
        return self.second(F.silu(self.first(waves)))
`;

/** The method of a diffusion network that embeds its condition. */
export const conditionMethod = (classes: number): string =>
  classes === 0
    ? `
    def condition(self, t, labels):
        """The condition vector of the time, [b, CONDITION]. This network has no labels."""
        return F.silu(self.time(t))
`
    : `
    def condition(self, t, labels):
        """The condition vector of time and label, [b, CONDITION]. The label -1 is no label: the last column."""
        if labels is None:
            labels = torch.full(t.shape, -1, device=t.device)
        columns = labels.masked_fill(labels < 0, CLASSES)
        return F.silu(self.time(t) + self.label.weight.t()[columns])
`;

/** The layer of the labels in a constructor. */
export const labelLayer = (classes: number): string =>
  classes === 0 ? '' : '\n        self.label = nn.Linear(CLASSES + 1, CONDITION, bias=False)';
