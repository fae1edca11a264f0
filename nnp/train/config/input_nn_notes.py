"""Why a training keyword of n2p2 or RuNNer means nothing here."""

from __future__ import annotations

from collections.abc import Sequence

_ALL_ROWS = "a step takes the energy and the force components of its structures together"
_REFERENCE = "reference energies are subtracted before the fit and the output layer starts small"
_THREADS = "threads are run.threads, several processes torchrun's"

_REASONS = {
    "force_update_scaling": "write force_weight",
    "gradient_adam_epsilon": "it is torch's 1e-8",
    "jacobian_mode": _ALL_ROWS,
    "joint_energy_force_update": _ALL_ROWS,
    "main_error_metric": "log.csv has MAE and RMSE of energies and forces",
    "memorize_symfunc_results": "symmetry functions are always kept",
    "mix_all_points": "structures are always mixed",
    "parallel_mode": _THREADS,
    "points_in_memory": "all structures stay in memory",
    "precondition_weights": _REFERENCE,
    "remove_atom_energies": "reference energies are always subtracted",
    "repeated_energy_update": _ALL_ROWS,
    "rmse_threshold_trials": "the errors of a structure's components are all known before the draw",
    "runner_mode": "this is training; symmetry functions and prediction need no run of their own",
    "save_kalman_matrices": "the checkpoint holds the covariance",
    "set_threads": _THREADS,
    "short_energy_error_threshold": "every structure's energy takes part",
    "task_batch_size_force": "the components per structure follow short_force_fraction",
    "update_strategy": "one filter holds the weights of all elements",
    "use_old_weights_short": "a run starts afresh, or goes on with --resume",
    "use_short_nn": "",
}
# By the beginning of the keyword.
_FAMILIES = (
    ("write_", "what is written is always the same: models, log.csv, checkpoint.npz"),
    ("print_", "nothing is printed but a progress bar; nnp evaluate prints errors"),
    ("kalman_", "this filter has no such constant"),
    ("rmse_threshold", "write short_force_error_threshold"),
    ("weights", "weights are drawn by weights_min, weights_max or nguyen_widrow_weights_short"),
)
_OTHER = "only the program that it was written for uses it"


def why_ignored(keyword: str, arguments: Sequence[str]) -> str:
    """A clause for a warning; empty where what the keyword asks for happens anyway."""
    if keyword == "short_energy_fraction":
        return "" if arguments == ("1.0",) else "every epoch uses all energies"
    if keyword in ("short_energy_error_threshold", "update_strategy") and _is_zero(arguments):
        return ""
    if keyword in _REASONS:
        return _REASONS[keyword]
    return next((why for start, why in _FAMILIES if keyword.startswith(start)), _OTHER)


def _is_zero(arguments: Sequence[str]) -> bool:
    return bool(arguments) and set(arguments[0]) <= set("0.")
