"""From structures to the networks' inputs: functions, their products, the transform of them."""

from nnp.train import torch_there  # noqa: F401
