"""Keywords of n2p2's and RuNNer's ``input.nn``, by what we do with them."""

from __future__ import annotations

FLAGS = frozenset(
    """
    center_symmetry_functions normalize_nodes scale_symmetry_functions
    scale_symmetry_functions_sigma
    """.split()
)

READ = FLAGS | frozenset(
    """
    atom_energy committee_data committee_dir_prefix committee_mode conv_energy conv_length
    cutoff_alpha cutoff_type element_activation_short
    element_hidden_layers_short element_nodes_short elements global_activation_short
    global_hidden_layers_short global_nodes_short mean_energy number_of_elements
    scale_max_short scale_max_short_atomic scale_min_short scale_min_short_atomic symfunction
    symfunction_short
    """.split()
)

# All of them say which generation of potentials the directory holds; a number, or a name with one.
GENERATIONS = ("nnp_type", "nn_type", "nnp_generation", "nnp_type_gen", "nnp_gen")

# Values of the keywords that choose the kind of potential, as far as they mean a short-range one;
# n2p2 reads the number at the beginning, and before it had generations 0 was short-ranged.
SHORT_RANGE_TYPES = {
    **dict.fromkeys(GENERATIONS, ("2", "2G", "2G-HDNNP")),
    "nnp_type": ("2", "2G", "2G-HDNNP", "short", "0", "1"),
    "nn_type": ("2", "2G", "2G-HDNNP", "short", "0", "1"),
    "nn_type_short": ("1",),
}

# What the other values mean, by the first character.
OTHER_TYPES = {
    "4": "a charge-equilibrated potential (4G), and these are not supported yet",
    "3": "a potential with charges from networks (3G), and these are not supported",
    "1": "a potential with a network for charges (Q-HDNNP), and these are not supported",
    "Q": "a potential with a network for charges (Q-HDNNP), and these are not supported",
}

UNSUPPORTED = {
    "use_electrostatics": "charges and electrostatics (3G, 4G) are not part of this package",
    "use_charge_equilibration": "charge equilibration (4G) is not part of this package",
    "fixed_charge": "charges are not part of this package",
    "use_vdw": "dispersion corrections are not part of this package",
    "global_symfunction_short": "write one symfunction_short line per function",
    "element_symfunction_short": "write one symfunction_short line per function",
    "element_pairsymfunction_short": "pair potentials (nn_type_short 2) are not supported",
    "global_pairsymfunction_short": "pair potentials (nn_type_short 2) are not supported",
    "pairsymfunction_short": "pair potentials (nn_type_short 2) are not supported",
}

# Of training, of other tools, or without effect on a short-range potential's energy.
IGNORED = frozenset(
    """
    analyze_composition analyze_error analyze_error_charge_step analyze_error_energy_step
    analyze_error_force_step balance_force_update biasd_max biasd_min biasweights_max
    biasweights_min bond_threshold calculate_final_force calculate_force calculate_forces
    calculate_hessian calculate_hirshfeld calculate_stress charge_error_threshold
    charge_fraction charge_group check_forces check_input_forces conv_charge data_clustering
    debug_mode detailed_timing detailed_timing_epoch detect_saturation dynamic_force_grouping
    dynforcegroup_start dynforcegroup_step electrostatic_type element_activation_electrostatic
    element_activation_pair element_decoupled_forces_v2 element_decoupled_kalman
    element_hidden_layers_electrostatic element_hidden_layers_pair element_nodes_electrostatic
    element_nodes_pair element_symfunction_electrostatic enable_on_the_fly_input energy_fraction
    energy_threshold enforce_max_num_neighbors_atomic enforce_totcharge environment_analysis
    epochs ewald_alpha ewald_cutoff ewald_kmax ewald_prec ewald_truncation_error_method
    find_contradictions fitting_unit fix_weights fixed_gausswidth
    fixed_short_energy_error_threshold fixed_short_force_error_threshold force_energy_ratio
    force_fraction force_grouping_by_structure force_threshold force_update_scaling force_weight
    four_pi_epsilon global_activation_charge global_activation_electrostatic
    global_activation_pair global_hidden_layers_charge global_hidden_layers_electrostatic
    global_hidden_layers_pair global_nodes_charge global_nodes_electrostatic global_nodes_pair
    global_output_nodes_electrostatic global_output_nodes_pair global_output_nodes_short
    global_symfunction_electrostatic gradient_adam_beta1 gradient_adam_beta2
    gradient_adam_epsilon gradient_adam_eta gradient_eta gradient_type growth_mode
    initial_hardness initialization_only ion_forces_only jacobian_mode joint_energy_force_update
    kalman_damp_charge kalman_damp_force kalman_damp_short kalman_epsilon kalman_eta
    kalman_etamax kalman_etatau kalman_lambda kalman_lambda_charge
    kalman_lambda_charge_constraint kalman_lambda_short kalman_mue_charge kalman_nue
    kalman_nue_charge kalman_nue_short kalman_nue_short_force kalman_q0 kalman_qmin kalman_qtau
    kalman_type lbfgs_memory level_pruning main_error_metric max_energy max_force md_mode
    memorize_sf_full memorize_symfunc_results mix_all_points multi_stream_jacobian
    nguyen_widrow_weights nguyen_widrow_weights_charge nguyen_widrow_weights_ewald
    nguyen_widrow_weights_short nn_type_elec nn_type_nntb noise_charge noise_energy noise_force
    normalize_data_set normnodes optmode_charge optmode_short_energy optmode_short_force
    parallel_mode points_in_memory precondition_weights precondition_weights_ewald
    precondition_weights_short prepare_md print_all_deformations print_all_deshortdw
    print_all_dfshortdw print_all_electrostatic_weights print_all_short_weights
    print_convergence_vector print_date_and_time print_force_components print_mad quiet_mode
    random_number_type random_order_training random_seed read_kalman_matrices read_unformatted
    regularize_fit_param remove_atom_energies remove_vdw_energies repeated_energy_update
    reset_kalman restrict_weights rmse_threshold rmse_threshold_charge rmse_threshold_energy
    rmse_threshold_force rmse_threshold_trials rmse_threshold_trials_charge
    rmse_threshold_trials_energy rmse_threshold_trials_force runner_mode saturation_threshold
    save_kalman_matrices scale_max_elec scale_max_electrostatic scale_max_short_pair
    scale_min_elec scale_min_electrostatic scale_min_short_pair screen_electrostatics
    selection_mode selection_mode_charge selection_mode_energy selection_mode_force
    separate_bias_ini_short separate_kalman_short set_threads shift_energy_range
    short_energy_error_threshold short_energy_fraction short_energy_group
    short_force_error_threshold short_force_fraction short_force_group
    shuffle_weights_short_atomic silent_mode steepest_descent_step_charge
    steepest_descent_step_energy_short steepest_descent_step_force_short symfunction_charge
    symfunction_correlation symfunction_elec symfunction_electrostatic symfunction_pair_short
    task_batch_size_charge task_batch_size_energy task_batch_size_force test_fraction
    total_charge_error_threshold total_charge_storage update_single_element update_strategy
    update_worst_charges update_worst_short_energies update_worst_short_forces updater_type
    use_atom_charges use_atom_energies use_atom_spins use_charge_constraint use_charges
    use_damping use_fixed_charges use_gausswidth use_ipi use_noisematrix use_old_scaling
    use_old_weights_charge use_old_weights_short use_omp_mkl use_short_forces use_short_nn
    use_systematic_weights_electrostatic use_systematic_weights_short use_unformatted vdw_cutoff
    vdw_screening vdw_type weight_analysis weight_constraint weighte_constraint
    weights_constraint weights_max weights_min weightse_max weightse_min worst_charge_update
    worst_short_energy_update worst_short_force_update write_binding_energy_only
    write_fit_statistics write_neuronstats write_pdb write_pov write_pwscf write_runner_input
    write_symfunctions write_temporary_weights write_traincharges write_trainforces
    write_trainlog write_trainpoints write_unformatted write_weights_epoch write_weights_restart
    write_weightspe write_xyz
    """.split()
)
