"""The fit: networks, loss, optimisers, the loop over epochs, what is kept of it."""

from nnp.train import torch_there  # noqa: F401
