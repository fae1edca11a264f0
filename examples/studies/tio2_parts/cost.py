"""What an epoch costs with aenet-PyTorch's settings: its functions, network, optimiser, batches."""

from __future__ import annotations

import time
from pathlib import Path

from ase.calculators.singlepoint import SinglePointCalculator

from nnp.train import Dataset, train
from nnp.train.config.tables import from_table
from nnp.train.fit.settings import TrainingSettings
from tio2_parts.data import ATOMIC, Data
from tio2_parts.fits import FAMILIES

# Its own example, as it printed: 10,000 epochs (every structure once) on a CPU that it does not
# name, 900 structures, forces of 250 of all 1,000.
PUBLISHED = 3190.566 / 10_000  # s
_WITH_FORCES = 4  # every fourth structure
_EPOCHS = (5, 25)


def cost_of_an_epoch(data: Data, folder: Path) -> dict[str, float]:
    """Processor time of one epoch, s: what twenty more take.

    Args:
        data: all of it.
        folder: of the runs.
    """
    frames = []
    for number, atoms in enumerate(data.train.values()):
        frame = atoms.copy()
        labels = {"energy": atoms.get_potential_energy()}
        if number % _WITH_FORCES == 0:
            labels["forces"] = atoms.get_forces()
        frame.calc = SinglePointCalculator(frame, **labels)
        frames.append(frame)
    dataset = Dataset.from_atoms(frames)
    took = []
    for epochs in _EPOCHS:
        table = {
            "data": {"train": "in memory", "reference_energies": ATOMIC},
            "functions": FAMILIES["Chebyshev"]["functions"],
            "network": {"hidden": (5, 5)},
            "loss": {"energy": 0.9, "forces": 0.1},
            "optimizer": {"kind": "adamw", "batch": 128, "gradient": {"rate": 1e-4}},
            "run": {
                "epochs": epochs,
                "evaluate_every": epochs,
                "checkpoint_every": epochs,
                "output": str(folder / f"adamw-{epochs}"),
                "report": False,
            },
        }
        settings = from_table(TrainingSettings, table, "")
        before = time.process_time()
        train(settings, force=True, quiet=True, data=(dataset, Dataset(())))
        took.append(time.process_time() - before)
    return {
        "AdamW, 128 structures a step, 5-5: CPU s": (took[1] - took[0]) / (_EPOCHS[1] - _EPOCHS[0]),
        "aenet-PyTorch, as printed: s": PUBLISHED,
    }
