// The evaluation of all atoms of one element, a work-group per atom: neighbours, functions, network, gradient. Written
// once per element by the generator, which defines ELEMENT, N_FUNCTIONS, N_REPULSIONS, N_MOMENTS, ENERGY_SCALE,
// ENERGY_OFFSET and the functions
//   ELEMENT(blocks)(range, diagonal, table)    the blocks of pairs that its angular groups need
//   ELEMENT(radial_forward)(range, diagonal, lane, total, scratch)
//   ELEMENT(forward)(range, diagonal, window, starts, pairs, lane, total, scratch)
//   ELEMENT(radial_backward)(range, diagonal, by_value, lane, scale, pulled, failed)
//   ELEMENT(backward)(range, diagonal, window, starts, pairs, by_value, by_slope, lane, scale, pulled, failed)
//   ELEMENT(repulsion)(range, diagonal, lane)      and the next, where N_REPULSIONS is not 0: this thread's energy
//   ELEMENT(repel)(range, diagonal, lane, scale, pulled, failed)
//   ELEMENT(clear_moments), (pick), (moment_forward), (polynomials), (weigh_moments), (moment_backward)
//                                              where N_MOMENTS is not 0: moment_functions.cc, moments.cc
//   ELEMENT(network)(weights, node, scratch)    node[0..n) scaled functions in, their gradient over slope out; returns
//                                               the output
//
// parameters: [6][N_FUNCTIONS] factor, offset, minimum, maximum, and what value and angle slope are multiplied with;
// then the layers, weights [n_in][n_out] and biases.
#define PARAMETER(which, m) parameters[(which) * N_FUNCTIONS + (m)]

// Descriptors out; scaled functions into the network's input; those outside the training range noted.
DEVICE void ELEMENT(scale)(int atom, int wanted, GLOBAL const mixed* parameters,
                           LOCAL_ARG const mixed* total, LOCAL_ARG mixed* node, GLOBAL double* descriptors,
                           GLOBAL double* outside, GLOBAL int* state)
{
    for (int m = LOCAL_ID; m < N_FUNCTIONS; m += GROUP_SIZE) {
        mixed value = PARAMETER(4, m) * total[m], low = PARAMETER(2, m), high = PARAMETER(3, m);
        mixed margin = (mixed)EXTRAPOLATION_TOLERANCE * (high - low);
        node[m] = PARAMETER(0, m) * value + PARAMETER(1, m);
        if (wanted & WANT_DESCRIPTORS)
            descriptors[atom * MOST_FUNCTIONS + m] = value;
        if ((wanted & WANT_ENERGY) && (value < low - margin || value > high + margin)) {
            int at = ATOMIC_ADD(&state[STATE_EXTRAPOLATING], 1);
            if (at < state[STATE_ROOM]) {
                outside[3 * at] = atom;
                outside[3 * at + 1] = m;
                outside[3 * at + 2] = value < low ? value - low : value - high;
            }
        }
    }
    SYNC_THREADS
}

// What the functions' values and slopes are multiplied with on the way back, from the network or from `gradient`.
DEVICE void ELEMENT(weigh)(int atom, int wanted, GLOBAL const mixed* parameters, LOCAL_ARG const mixed* node,
                           GLOBAL const double* gradient, LOCAL_ARG real* by_value, LOCAL_ARG real* by_slope)
{
    for (int m = LOCAL_ID; m < N_FUNCTIONS; m += GROUP_SIZE) {
        mixed slope = (mixed)ENERGY_SCALE * PARAMETER(0, m) * node[m];
        if (wanted & GIVEN_GRADIENT)
            slope = gradient[atom * MOST_FUNCTIONS + m];
        by_value[m] = PARAMETER(4, m) * slope;
        by_slope[m] = PARAMETER(5, m) * slope;
    }
}

KERNEL void ELEMENT(nnp_evaluate)(int n, int wanted, GLOBAL const int* RESTRICT atoms,
                                  GLOBAL const nnp_point* RESTRICT points, GLOBAL const nnp_entry* RESTRICT entries,
                                  GLOBAL const int* RESTRICT row_starts, GLOBAL const real* RESTRICT frame,
                                  GLOBAL const mixed* RESTRICT parameters,
                                  GLOBAL const int* RESTRICT moment_terms,
                                  GLOBAL const real* RESTRICT moment_values, GLOBAL const double* RESTRICT gradient,
                                  GLOBAL double* RESTRICT descriptors, GLOBAL double* RESTRICT energies,
                                  GLOBAL mm_ulong* RESTRICT forces, GLOBAL double* RESTRICT virials,
                                  GLOBAL double* RESTRICT outside, GLOBAL int* RESTRICT status,
                                  GLOBAL int* RESTRICT state)
{
    LOCAL real lane[LANES * CAPACITY];
    LOCAL nnp_word pulled[PULL_PARTS * CAPACITY];
    LOCAL int owner[CAPACITY];
    LOCAL int range[2 * (N_ELEMENTS + 1)];
    LOCAL int counts[GROUP_SIZE + COUNT_BLOCKS];
    LOCAL mixed scratch[SUM_ROWS * GROUP_SIZE];
    LOCAL mixed total[N_FUNCTIONS + 1];
    LOCAL real by_value[N_FUNCTIONS + 1];
    LOCAL real by_slope[N_FUNCTIONS + 1];
    LOCAL mixed node[N_NODES + 1];
    LOCAL mm_long pushed[3 * GROUP_SIZE];
    LOCAL int failed[3];
#if N_BLOCKS > 0
    LOCAL int table[BLOCK_FIELDS * (N_BLOCKS + 1)];
    LOCAL int starts_of[N_BLOCKS + 1];
    LOCAL nnp_pair pairs[PAIRS];
#endif
#if N_MOMENTS > 0
    LOCAL mixed moments[N_MOMENTS + 1];
    LOCAL real by_moment[N_MOMENTS];
    LOCAL real chunk[CHUNK_SIZE];
    LOCAL int picked[N_LISTS * CAPACITY + 1];
    LOCAL int n_picked[N_LISTS + 1];
#endif
    // Compilers for CPUs double the code behind every barrier that stands under a condition: loops carry them instead.
    int n_now = state[STATE_REBUILD] == 0 ? n : 0;
    for (int a = GROUP_ID; a < n_now; a += NUM_GROUPS) {
        int atom = atoms[a];
        nnp_list list = {atom, row_starts[atom * N_ELEMENTS], row_starts[(atom + 1) * N_ELEMENTS], points, entries,
                         row_starts + atom * N_ELEMENTS, frame};
        nnp_tiles tiles = nnp_cut(list);
        int forward_pairs = wanted & (N_MOMENTS == 0 ? GIVEN_GRADIENT : 0) ? 0 : tiles.n_pairs;
        int backward_pairs = wanted & WANT_FORCES ? tiles.n_pairs : 0;
        int diagonal = 0;
        double added = 0;
        nnp_window window;
        nnp_begin_list(&window);
        for (int m = LOCAL_ID; m < N_FUNCTIONS; m += GROUP_SIZE)
            total[m] = 0;
        if (LOCAL_ID < 3)
            failed[LOCAL_ID] = 0;
#if N_MOMENTS > 0
        ELEMENT(clear_moments)(moments);
#endif
        for (int pair = 0; pair < forward_pairs; ++pair) {
            diagonal = nnp_load_tiles(list, tiles, pair, 0, range, counts, owner, failed, lane);
            ELEMENT(radial_forward)(range, diagonal, lane, total, scratch);
#if N_MOMENTS > 0
            ELEMENT(pick)(range, diagonal, lane, moment_values, counts, picked, n_picked);
            ELEMENT(moment_forward)(range, diagonal, lane, picked, n_picked, moment_values, chunk, scratch, moments);
#endif
#if N_REPULSIONS > 0
            added += ELEMENT(repulsion)(range, diagonal, lane);
#endif
#if N_BLOCKS > 0
            ELEMENT(blocks)(range, diagonal, table);
            nnp_begin_list(&window);
            while (!window.last) {
                nnp_list_pairs(table, lane, pairs, starts_of, counts, &window);
                ELEMENT(forward)(range, diagonal, window, starts_of, pairs, lane, total, scratch);
            }
#endif
        }
        SYNC_THREADS
#if N_MOMENTS > 0
        ELEMENT(polynomials)(moment_terms, moment_values, moments, total);
#endif
        ELEMENT(scale)(atom, wanted, parameters, total, node, descriptors, outside, state);
        mixed output = ELEMENT(network)(parameters + 6 * N_FUNCTIONS, node, scratch);
        SYNC_THREADS // without it PoCL 3.1 drops the next block
#if N_REPULSIONS > 0
        scratch[LOCAL_ID] = added;
        nnp_sum_rows(1, scratch);
        added = scratch[0];
#endif
        if (LOCAL_ID == 0 && (wanted & WANT_ENERGY)) {
            energies[atom] = ENERGY_SCALE * (double)output + ENERGY_OFFSET + added;
            failed[0] = !(fabs(energies[atom]) <= 1e300);
        }
        ELEMENT(weigh)(atom, wanted, parameters, node, gradient, by_value, by_slope);
#if N_MOMENTS > 0
        ELEMENT(weigh_moments)(moment_terms, moment_values, by_value, moments, total, by_moment);
#endif
        mixed virial[6] = {0, 0, 0, 0, 0, 0};
        real scale = nnp_pull_scale(frame);
        int there = forward_pairs == 1 && window.first == 0; // neighbours and pairs, from the way forward
        nnp_begin_push(pushed, pulled);
        for (int pair = 0; pair < backward_pairs; ++pair) {
            diagonal = nnp_load_tiles(list, tiles, pair, there, range, counts, owner, failed, lane);
            ELEMENT(radial_backward)(range, diagonal, by_value, lane, scale, pulled, failed);
#if N_REPULSIONS > 0
            ELEMENT(repel)(range, wanted & GIVEN_GRADIENT ? 0 : diagonal, lane, scale, pulled, failed);
#endif
#if N_MOMENTS > 0
            for (int once = 0; once < !there; ++once)
                ELEMENT(pick)(range, diagonal, lane, moment_values, counts, picked, n_picked);
            ELEMENT(moment_backward)(range, diagonal, lane, picked, n_picked, moment_values, by_moment, scale, pulled,
                                     failed);
#endif
#if N_BLOCKS > 0
            for (int once = 0; once < !there; ++once) {
                ELEMENT(blocks)(range, diagonal, table);
                nnp_begin_list(&window);
            }
            for (int more = 1; more; more = !window.last) {
                for (int once = 0; once < !there; ++once)
                    nnp_list_pairs(table, lane, pairs, starts_of, counts, &window);
                ELEMENT(backward)(range, diagonal, window, starts_of, pairs, by_value, by_slope, lane, scale, pulled,
                                  failed);
            }
#endif
            SYNC_THREADS
            nnp_push(range[0], range[N_ELEMENTS], owner, lane, pulled, scale, frame, forces, pushed, failed, virial);
            if (!diagonal)
                nnp_push(range[N_ELEMENTS + 1], range[2 * N_ELEMENTS + 1], owner, lane, pulled, scale, frame, forces,
                         pushed, failed, virial);
            SYNC_THREADS
        }
        nnp_end_push(atom, wanted, pushed, scratch, virial, forces, virials);
        nnp_report(atom, failed, status, state);
    }
}
#undef PARAMETER
