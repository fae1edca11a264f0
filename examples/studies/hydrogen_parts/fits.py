"""The teacher's curve of H2, and fits to it."""

from __future__ import annotations

import numpy as np
from pair_parts.fitting import Curve, engine_curve, fit, pairs, teacher_curve

from nnp.teachers.by_name import teacher

NEAREST, FARTHEST, CUTOFF = 0.5, 5.0, 6.0  # Å
NARROWEST, WIDEST = 0.5, 2.0  # Å, of the Gaussians exp(−η r²) with η = 1 / (2 width²)


class Hydrogen:
    """Training data, test data, and fits.

    Args:
        samples: distances to learn from.
        epochs: steps of Levenberg and Marquardt.
        seeds: fits with different first weights, of which the best counts; a linear network has
            one minimum and needs one.
    """

    def __init__(self, samples: int, epochs: int, seeds: int) -> None:
        self._epochs, self._seeds = epochs, seeds
        make = teacher("tblite:GFN2-xTB")
        self._data = pairs("H", np.linspace(NEAREST, FARTHEST, samples), make)
        r = np.linspace(NEAREST, FARTHEST, 200)
        self._unseen = pairs("H", r, make)
        far = pairs("H", np.array([20.0]), make)[0].get_potential_energy()
        for atoms in (*self._data, *self._unseen):
            atoms.calc.results["energy"] -= far
        self.wanted = teacher_curve(r, self._unseen)

    def fitted(self, functions: int, hidden: list[int], narrowest: float = NARROWEST) -> Curve:
        """The best of a few fits.

        Args:
            functions: number of Gaussians around the atom, their widths in geometric steps from
                the widest to the narrowest.
            hidden: neurons per hidden layer, tanh; none: a linear network.
            narrowest: Å.
        """
        widths = np.geomspace(WIDEST, narrowest, functions)
        return self.fitted_with(widths.tolist(), hidden)

    def fitted_with(self, widths: list[float], hidden: list[int]) -> Curve:
        """As `fitted`, with Gaussians of given widths (Å)."""
        found = [self._fit(widths, hidden, seed) for seed in range(self._seeds if hidden else 1)]
        return min(found, key=lambda curve: curve.minus(self.wanted).rms[0])

    def seeds(self, functions: int, activation: str, count: int) -> list[Curve]:
        """Fits that differ in their first weights.

        Args:
            functions: as in `fitted`.
            activation: of eight neurons; ``"l"``: no hidden layer.
            count: how many; a linear network has one minimum whatever it starts from.
        """
        widths = np.geomspace(WIDEST, NARROWEST, functions).tolist()
        hidden = [] if activation == "l" else [8]
        return [self._fit(widths, hidden, seed, activation) for seed in range(count)]

    def _fit(
        self, widths: list[float], hidden: list[int], seed: int, activation: str = "t"
    ) -> Curve:
        radial = [{"grid": "centered", "count": 1, "r_first": width} for width in widths]
        tables = {
            "functions": {
                "generate": {"cutoff": CUTOFF, "radial": radial, "angular": []},
                "prune": {"method": "none"},
            },
            "network": {"hidden": hidden, "activation": activation},
            "optimizer": {"kind": "levenberg_marquardt"},
            "run": {"seed": seed},
        }
        task, theta = fit(tables, self._data, self._epochs)
        return engine_curve(self.wanted.r, task.model.potential(theta), self._unseen)
