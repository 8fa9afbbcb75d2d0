"""A trained network as a folder that people ship, and that folder as a network again.

`export_network` writes it: the weights, the architecture, one Python file that builds the network
alone (`standalone`), ONNX and torch.export, how a picture becomes an input, a script that
classifies one (`infer_file`), and a model card. `load` reads it. Neither knows a store: what is
told of the network is handed over as `Facts`.
"""

from trainers.export.export import PARTS, Exported, ExportFailed, Trained, export_network
from trainers.export.facts import Facts, Figure, Latency, Spent
from trainers.export.loading import LoadedNetwork, load
from trainers.export.parity import NotEqual, Parity
from trainers.export.preprocessing import Preprocessing

__all__ = [
    "PARTS",
    "ExportFailed",
    "Exported",
    "Facts",
    "Figure",
    "Latency",
    "LoadedNetwork",
    "NotEqual",
    "Parity",
    "Preprocessing",
    "Spent",
    "Trained",
    "export_network",
    "load",
]
