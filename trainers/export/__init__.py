"""A trained network as a folder that people ship, and that folder as a network again.

`export` writes it: the weights, the architecture, one Python file that builds the network alone
(`standalone`), ONNX and torch.export, how a picture becomes an input, a script that classifies one
(`infer_file`), and a model card. `load` reads it. It knows no store: what is told of the network it
is handed as values.
"""
