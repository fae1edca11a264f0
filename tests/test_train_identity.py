"""What a resumed run must share: new settings with their default change nothing."""

from __future__ import annotations

from train_data import settings

from nnp.train.fit.identity import portable

# Of the settings that fingerprints are made of; a later one is named in identity's _LATER with the
# default that means what earlier versions did, or runs of these cannot go on.
KEYS = {
    "committee": "hidden members",
    "data": "any_geometry lammps_units reference_energies train types units validation",
    "data.keys": "energy forces group stress virial weight",
    "data.split": "blocks fraction groups indices seed",
    "functions": "file file_units nep setups",
    "functions.generate": "angular cutoff cutoff_kind family inner_fraction radial",
    "functions.prune": "count method rarest threshold",
    "inputs": "decorrelate power reach ridge scaling target_max target_min",
    "loss": "delta energy energy_end forces forces_end kind l2 schedule stress stress_end",
    "network": "activation elements hidden initial weight_range",
    "optimizer": "batch kind",
    "optimizer.gradient": "betas clip momentum rate smoothing weight_decay",
    "optimizer.kalman": "average candidates covariance fading forgetting forgetting_rate noise "
    "noise_decay noise_min penalty process_decay process_min process_noise threshold",
    "optimizer.lbfgs": "history iterations",
    "optimizer.levenberg_marquardt": "damping decrease increase trials",
    "run": "checkpoint_every dtype epochs evaluate_every keep_every patience seed store_columns "
    "tensorboard threads",
    "schedule": "every factor final kind warmup",
}


def keys(table, path=()):
    """Names of all values, with those of their tables."""
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from keys(value, (*path, name))
        else:
            yield ".".join((*path, name))


def test_defaults_of_later_settings_are_no_part():
    known = {f"{table}.{name}" for table, names in KEYS.items() for name in names.split()}
    assert set(keys(portable(settings()))) == known
