"""Silicon: a network learns Stillinger and Weber's potential; how much of its physics comes along?

Sample crystal and melt, fit energies and forces, then hold everything one would publish against
the teacher: lattice constant, elasticity, phonons, heat capacity, radial distributions, diffusion
in the melt, drift of the energy, and systems larger than any it has seen.
"""

from __future__ import annotations

from typing import Any

from frame import Study, begin, legend, panels, table
from md_parts.fitting import errors, learnt
from md_parts.models import Model, network, teacher
from silicon_parts import compare, learn
from silicon_parts.compare import Dynamics

from nnp.teachers.ase import StillingerWeber

QUICK_EPOCHS, FULL_EPOCHS = 6, 30


def main() -> None:
    study = begin(__doc__, needs=("matscipy", "phonopy", "openmm", "torch", "matplotlib"))
    recipe = learn.FULL if study.full else learn.QUICK
    lengths = compare.FULL if study.full else compare.QUICK
    epochs = FULL_EPOCHS if study.full else QUICK_EPOCHS

    print("sampling the teacher", flush=True)
    frames = learn.sampled(recipe)
    potential = learnt(frames, learn.SETTINGS, study.work, epochs)
    header, rows = errors(potential, learn.unseen(recipe))
    print(table(header, rows))

    models = [teacher("Stillinger-Weber", StillingerWeber), network(potential)]
    statics = {model.name: compare.statics(model) for model in models}
    moving = {model.name: compare.dynamics(model, lengths, study.work) for model in models}
    sizes = compare.over_size(*models, lengths.sizes)
    draw_dynamics(study, moving, sizes)
    draw_statics(study, statics)
    shown = rows_of(models, statics, moving)
    print(table(["property", *(model.name for model in models)], shown))
    print(table(list(sizes[0]), [list(row.values()) for row in sizes]))
    study.finish(
        {
            "test errors": [dict(zip(header, row, strict=True)) for row in rows],
            "labels": len(frames),
            "statics": statics,
            "dynamics": {name: found.numbers for name, found in moving.items()},
            "rdf": compare.rdf_differences(*moving.values()),
            "sizes": sizes,
        }
    )


def rows_of(
    models: list[Model], statics: dict[str, Any], moving: dict[str, Dynamics]
) -> list[list[Any]]:
    """The table of properties, a row each."""
    units = {"lattice constant": "Å", "bulk modulus": "GPa", "C11": "GPa", "C12": "GPa"}
    units |= {"C44": "GPa"}
    rows = [
        [f"{name} / {unit}", *(statics[model.name][name] for model in models)]
        for name, unit in units.items()
    ]
    modes = {"LTO(Γ)": ("Γ", 5), "TA(X)": ("X", 0), "LA(X)": ("X", 2), "TO(X)": ("X", 5)}
    for name, (point, k) in modes.items():
        rows.append(
            [f"{name} / THz", *(statics[model.name]["phonons"][point][k] for model in models)]
        )
    return rows + [
        [name, *(moving[model.name].numbers[name] for model in models)]
        for name in moving[models[0].name].numbers
    ]


def draw_dynamics(study: Study, moving: dict[str, Dynamics], sizes: list[dict[str, Any]]) -> None:
    """Radial distributions, energy over temperature, errors over size."""
    figure, axes = panels(2, 2)
    for style, (name, found) in zip(("C0-", "C1--"), moving.items(), strict=True):
        for axis, (state, rdf) in zip(axes[0], found.rdf.items(), strict=True):
            axis.plot(rdf.x, rdf.values["total"], style, label=name, linewidth=1)
            axis.set(xlabel="r / Å", ylabel="g(r)", title=f"silicon at {state}")
        axes[1, 0].plot(found.energies[:, 0], found.energies[:, 1], style + "o", label=name)
    axes[1, 0].set(xlabel="temperature / K", ylabel="energy / eV per atom", title="crystal")
    axes[1, 1].loglog(
        [row["atoms"] for row in sizes], [row["force RMSE / eV/Å"] for row in sizes], "C1o-"
    )
    axes[1, 1].set(xlabel="atoms", ylabel="force RMSE / eV/Å", title="displaced crystals")
    legend(figure, axes[0, 0])
    study.picture("dynamics", figure)


def draw_statics(study: Study, statics: dict[str, Any]) -> None:
    """Elastic constants and phonons."""
    figure, (left, right) = panels(1, 2)
    for k, (name, found) in enumerate(statics.items()):
        constants = ("bulk modulus", "C11", "C12", "C44")
        left.bar([i + 0.4 * k for i in range(4)], [found[c] for c in constants], 0.4, label=name)
        modes = [*found["phonons"]["Γ"][3:], *found["phonons"]["X"]]
        right.plot(modes, "_" if k else "o", markersize=14 if k else 6, label=name)
    left.set_xticks([i + 0.2 for i in range(4)], ("B", *constants[1:]))
    left.set(ylabel="GPa", title="elasticity")
    right.set_xticks([1, 5.5], ["Γ", "X"])
    right.set(ylabel="THz", title="phonons (Γ: optical)")
    legend(figure, left)
    study.picture("statics", figure)


if __name__ == "__main__":
    main()
