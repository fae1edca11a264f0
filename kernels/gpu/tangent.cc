// Jacobian-vector product of the functions of all atoms of one element, a work-group per atom: their change when atoms
// move along `direction` and all space is strained. Written once per element by the generator, which defines ELEMENT,
// N_FUNCTIONS and the functions
//   ELEMENT(blocks)(range, diagonal, table)      as in atom.cc
//   ELEMENT(moment_tangent), (change_polynomials) and those that they share with atom.cc, where N_MOMENTS is not 0
//   ELEMENT(radial_tangent)(range, diagonal, lane, moved, total, scratch)
//   ELEMENT(tangent)(range, diagonal, window, starts, pairs, lane, moved, total, scratch)

// dr_ij of the slots of a tile: dr_j - dr_i + r_ij @ strain.
DEVICE void ELEMENT(direct)(int atom, LOCAL_ARG const int* range, LOCAL_ARG const int* owner, LOCAL_ARG const real* lane,
                            GLOBAL const double* direction, GLOBAL const double* strain, LOCAL_ARG real* moved)
{
    for (int j = range[0] + LOCAL_ID; j < range[N_ELEMENTS]; j += GROUP_SIZE) {
        real d[3];
        for (int c = 0; c < 3; ++c)
            d[c] = (real)(direction[3 * owner[j] + c] - direction[3 * atom + c]) + LANE_X(j) * (real)strain[c] +
                   LANE_Y(j) * (real)strain[3 + c] + LANE_Z(j) * (real)strain[6 + c];
        MOVED_X(j) = d[0];
        MOVED_Y(j) = d[1];
        MOVED_Z(j) = d[2];
    }
}

KERNEL void ELEMENT(nnp_change)(int n, GLOBAL const int* RESTRICT atoms,
                                GLOBAL const nnp_point* RESTRICT points, GLOBAL const nnp_entry* RESTRICT entries,
                                GLOBAL const int* RESTRICT row_starts, GLOBAL const real* RESTRICT frame,
                                GLOBAL const mixed* RESTRICT parameters,
                                GLOBAL const int* RESTRICT moment_terms,
                                GLOBAL const real* RESTRICT moment_values, GLOBAL const double* RESTRICT direction,
                                GLOBAL const double* RESTRICT strain, GLOBAL double* RESTRICT changes,
                                GLOBAL int* RESTRICT status, GLOBAL int* RESTRICT state)
{
    LOCAL real lane[LANES * CAPACITY];
    LOCAL real moved[3 * CAPACITY];
    LOCAL int owner[CAPACITY];
    LOCAL int range[2 * (N_ELEMENTS + 1)];
    LOCAL int counts[GROUP_SIZE + COUNT_BLOCKS];
    LOCAL mixed scratch[SUM_ROWS * GROUP_SIZE];
    LOCAL mixed total[N_FUNCTIONS + 1];
    LOCAL int failed[3];
#if N_BLOCKS > 0
    LOCAL int table[BLOCK_FIELDS * (N_BLOCKS + 1)];
    LOCAL int starts_of[N_BLOCKS + 1];
    LOCAL nnp_pair pairs[PAIRS];
#endif
#if N_MOMENTS > 0
    LOCAL mixed moments[N_MOMENTS + 1];
    LOCAL mixed moved_moments[N_MOMENTS + 1];
    LOCAL real chunk[CHUNK_SIZE];
    LOCAL int picked[N_LISTS * CAPACITY + 1];
    LOCAL int n_picked[N_LISTS + 1];
#endif
    int n_now = state[STATE_REBUILD] == 0 ? n : 0;
    for (int a = GROUP_ID; a < n_now; a += NUM_GROUPS) {
        int atom = atoms[a];
        nnp_list list = {atom, row_starts[atom * N_ELEMENTS], row_starts[(atom + 1) * N_ELEMENTS], points, entries,
                         row_starts + atom * N_ELEMENTS, frame};
        nnp_tiles tiles = nnp_cut(list);
        for (int m = LOCAL_ID; m < N_FUNCTIONS; m += GROUP_SIZE)
            total[m] = 0;
        if (LOCAL_ID < 3)
            failed[LOCAL_ID] = 0;
#if N_MOMENTS > 0
        ELEMENT(clear_moments)(moments);
        ELEMENT(clear_moments)(moved_moments);
        if (LOCAL_ID == 0)
            moved_moments[N_MOMENTS] = 0;
#endif
        for (int pair = 0; pair < tiles.n_pairs; ++pair) {
            int diagonal = nnp_load_tiles(list, tiles, pair, 0, range, counts, owner, failed, lane);
            ELEMENT(direct)(atom, range, owner, lane, direction, strain, moved);
            if (!diagonal)
                ELEMENT(direct)(atom, range + N_ELEMENTS + 1, owner, lane, direction, strain, moved);
            SYNC_THREADS
            ELEMENT(radial_tangent)(range, diagonal, lane, moved, total, scratch);
#if N_MOMENTS > 0
            ELEMENT(pick)(range, diagonal, lane, moment_values, counts, picked, n_picked);
            ELEMENT(moment_forward)(range, diagonal, lane, picked, n_picked, moment_values, chunk, scratch, moments);
            ELEMENT(moment_tangent)(range, diagonal, lane, moved, picked, n_picked, moment_values, chunk, scratch,
                                    moved_moments);
#endif
#if N_BLOCKS > 0
            ELEMENT(blocks)(range, diagonal, table);
            nnp_window window;
            nnp_begin_list(&window);
            while (!window.last) {
                nnp_list_pairs(table, lane, pairs, starts_of, counts, &window);
                ELEMENT(tangent)(range, diagonal, window, starts_of, pairs, lane, moved, total, scratch);
            }
#endif
        }
        SYNC_THREADS
#if N_MOMENTS > 0
        ELEMENT(change_polynomials)(moment_terms, moment_values, moments, moved_moments, total);
#endif
        for (int m = LOCAL_ID; m < N_FUNCTIONS; m += GROUP_SIZE)
            changes[atom * MOST_FUNCTIONS + m] = parameters[4 * N_FUNCTIONS + m] * total[m];
        nnp_report(atom, failed, status, state);
    }
}
