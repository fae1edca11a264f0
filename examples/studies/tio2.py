"""TiO2: 1,000 structures from rutile to torn crystals, beside ænet's published errors.

The data, the split and the potential beside ours are aenet-PyTorch's ($NNP_REFERENCE_DATA/tio2).
Moments learn 900 structures (in the quick mode 24, ænet's Chebyshev basis too); errors over the
others, and energies over volume of the three crystals that are among them.
"""

from __future__ import annotations

from frame import Study, begin, panels, table
from tio2_parts.data import PUBLISHED, Data, cohesive, crystals, read_data
from tio2_parts.fits import FULL, QUICK, errors, fitted, published

from nnp import Potential

_EPOCHS = 9
_SECONDS = 1500.0  # of each fit, by the clock


def main() -> None:
    study = begin(__doc__, needs=("torch", "spglib", "matplotlib"))
    data = read_data(study.work, None if study.full else 24)
    potentials, rows = {"published": published()}, {"published, as printed": dict(PUBLISHED)}
    rows["published"] = errors(potentials["published"], list(data.test.values()))
    for family in FULL if study.full else QUICK:
        print(f"fitting {family}", flush=True)
        epochs = _EPOCHS if study.full else 1
        potential, took = fitted(family, data, study.work, epochs, _SECONDS)
        potentials[family] = potential
        rows[family] = errors(potential, list(data.test.values())) | took
    lines = [[name, *(row[key] for key in PUBLISHED)] for name, row in rows.items()]
    print(table(["", *PUBLISHED], lines))
    study.finish({"test errors": rows, "curves": curves(study, data, potentials)})


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
        axes[0, 0].legend()
    study.picture("curves", figure)
    return numbers


if __name__ == "__main__":
    main()
