// An atom's tiles, and the way of its gradient into the forces.

typedef struct {
    int size, n, n_pairs; // entries per tile, tiles, pairs of tiles
} nnp_tiles;

NNP_FN nnp_tiles nnp_cut(nnp_list list)
{
    nnp_tiles t;
    int entries = list.end - list.first;
    t.size = entries <= CAPACITY ? CAPACITY : CAPACITY / 2;
    t.n = (entries + t.size - 1) / t.size;
    t.n_pairs = t.n * (t.n + 1) / 2;
    return t;
}

// Stages a pair of tiles, all (0,0), (0,1) .. (0,n-1), (1,1) ..; 1 when it is one tile with itself. One tile that is
// already there is not loaded again.
DEVICE int nnp_load_tiles(nnp_list list, nnp_tiles tiles, int pair, LOCAL_ARG int* range, LOCAL_ARG int* inside,
                          LOCAL_ARG int* owner, LOCAL_ARG int* failed, LOCAL_ARG real* lane)
{
    int a = 0, b = pair;
    while (b >= tiles.n) {
        a += 1;
        b -= tiles.n - a;
    }
    SYNC_THREADS
    for (int upper = 0; upper < (a == b ? 1 : 2); ++upper) {
        int first = list.first + (upper == 0 ? a : b) * tiles.size;
        int end = first + tiles.size < list.end ? first + tiles.size : list.end;
        nnp_stage(list, first, end, upper * (CAPACITY / 2), range + upper * (N_ELEMENTS + 1), inside, owner, failed,
                  lane);
    }
    return a == b;
}

DEVICE void nnp_begin_push(LOCAL_ARG mm_long* pushed)
{
    for (int c = 0; c < 3; ++c)
        pushed[c * GROUP_SIZE + LOCAL_ID] = 0;
    SYNC_THREADS
}

// dE/dr_ij of the slots first to end, in fixed point: minus onto the neighbours' forces, plus kept for the atom's own.
DEVICE void nnp_push(int first, int end, LOCAL_ARG const int* owner, LOCAL_ARG const real* lane,
                     GLOBAL const real* frame, GLOBAL mm_ulong* forces, LOCAL_ARG mm_long* pushed,
                     LOCAL_ARG int* failed, mixed* virial)
{
    for (int j = first + LOCAL_ID; j < end; j += GROUP_SIZE) {
        real g[3] = {LANE_GX(j), LANE_GY(j), LANE_GZ(j)}, r[3] = {LANE_X(j), LANE_Y(j), LANE_Z(j)};
        real size = fabs(g[0]) + fabs(g[1]) + fabs(g[2]);
        if (!(size <= (real)1e36)) {
            failed[0] = 1;
        } else if (!(size * frame[FRAME_SCALE] < frame[FRAME_LIMIT])) {
            failed[2] = 1;
        } else {
            for (int c = 0; c < 3; ++c) {
                mm_long counts = (mm_long)(g[c] * frame[FRAME_SCALE]);
                ATOMIC_ADD(&forces[3 * owner[j] + c], (mm_ulong)(-counts));
                pushed[c * GROUP_SIZE + LOCAL_ID] += counts;
                virial[c] += r[c] * g[c];
            }
            virial[3] += r[1] * g[2];
            virial[4] += r[0] * g[2];
            virial[5] += r[0] * g[1];
        }
    }
}

// The atom's own force, and its virial.
DEVICE void nnp_end_push(int atom, int wanted, LOCAL_ARG mm_long* pushed, LOCAL_ARG mixed* scratch,
                         const mixed* virial, GLOBAL mm_ulong* forces, GLOBAL double* virials)
{
    for (int width = GROUP_SIZE / 2; width > 0; width /= 2) {
        for (int c = 0; c < 3 && LOCAL_ID < width; ++c)
            pushed[c * GROUP_SIZE + LOCAL_ID] += pushed[c * GROUP_SIZE + LOCAL_ID + width];
        SYNC_THREADS
    }
    if (LOCAL_ID < 3 && (wanted & WANT_FORCES))
        ATOMIC_ADD(&forces[3 * atom + LOCAL_ID], (mm_ulong)pushed[LOCAL_ID * GROUP_SIZE]);
    for (int c = 0; c < 6; ++c)
        scratch[c * GROUP_SIZE + LOCAL_ID] = virial[c];
    nnp_sum_rows(6, scratch);
    if (LOCAL_ID < 6 && (wanted & WANT_VIRIAL))
        virials[6 * atom + LOCAL_ID] = scratch[LOCAL_ID * GROUP_SIZE];
    SYNC_THREADS
}

DEVICE void nnp_report(int atom, LOCAL_ARG const int* failed, GLOBAL int* status, GLOBAL int* state)
{
    SYNC_THREADS
    if (LOCAL_ID == 0) {
        status[atom] = (failed[0] ? STATUS_NOT_FINITE : 0) | (failed[1] ? STATUS_OVERLAP : 0) |
                       (failed[2] ? STATUS_TOO_LARGE : 0);
        if (status[atom] != 0)
            ATOMIC_ADD(&state[STATE_FAILED], 1);
    }
    SYNC_THREADS
}
