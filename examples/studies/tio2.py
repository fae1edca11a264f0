"""TiO2: 1,000 structures from rutile to torn crystals, beside ænet's published errors.

The data, the split and the potential beside ours are aenet-PyTorch's ($NNP_REFERENCE_DATA/tio2).
Moments, ænet's Chebyshev basis and ACSF learn 900 structures (in the quick mode 24, ACSF does not):
errors over the others, and energies over volume of the three crystals that are among them.
"""

from __future__ import annotations

import numpy as np
from frame import Study, begin, legend, panels, table
from tio2_parts.data import PUBLISHED, Data, cohesive, crystals, read_data
from tio2_parts.fits import FULL, QUICK, errors, fitted, published

from nnp import Potential


def main() -> None:
    study = begin(__doc__, needs=("torch", "spglib", "matplotlib"))
    data = read_data(study.work, None if study.full else 24)
    test = list(data.test.values())
    potentials = {"published": published()}
    rows = {
        "published, as printed": [dict(PUBLISHED)],
        "published": [errors(potentials["published"], test)],
    }
    for family, (epochs, seeds) in (FULL if study.full else QUICK).items():
        rows[family] = []
        for seed in seeds:
            print(f"fitting {family}, seed {seed}", flush=True)
            potential, took = fitted(family, seed, data, study.work, epochs)
            potentials.setdefault(family, potential)
            rows[family].append(errors(potential, test) | took)
    lines = [
        [name, *(_spread([row[key] for row in own]) for key in PUBLISHED)]
        for name, own in rows.items()
    ]
    print(table(["", *PUBLISHED], lines))
    study.finish({"test errors": rows, "curves": curves(study, data, potentials)})


def _spread(values: list[float]) -> str:
    """The mean, and the smallest and largest where there are several."""
    mean = f"{np.mean(values):.3g}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3g}-{max(values):.3g})"


def curves(
    study: Study, data: Data, potentials: dict[str, Potential]
) -> dict[str, dict[str, float]]:
    """Draw energies over volume; RMS errors along them, meV/atom."""
    found = {phase: own for phase, own in crystals(data.all).items() if own}
    figure, axes = panels(1, max(len(found), 1), squeeze=False)
    numbers: dict[str, dict[str, float]] = {}
    for axis, (phase, own) in zip(axes[0], found.items(), strict=False):
        volumes = [3 * atoms.get_volume() / len(atoms) for _, atoms in own]
        wanted = [cohesive(atoms, atoms.get_potential_energy()) for _, atoms in own]
        axis.plot(volumes, wanted, "ko", markersize=3, label="data")
        numbers[phase] = {"structures": float(len(own))}
        for number, (family, potential) in enumerate(potentials.items()):
            made = [cohesive(a, potential.evaluate(a, forces=False).energy) for _, a in own]
            axis.plot(volumes, made, f"C{number}-", linewidth=1, label=family)
            squares = [(a - b) ** 2 for a, b in zip(made, wanted, strict=True)]
            numbers[phase][family] = 1e3 / 3 * (sum(squares) / len(squares)) ** 0.5
        axis.set(title=phase, xlabel="volume / Å³ per TiO2")
    axes[0, 0].set_ylabel("energy / eV per TiO2")
    if found:
        legend(figure, axes[0, 0])
    study.picture("curves", figure)
    return numbers


if __name__ == "__main__":
    main()
