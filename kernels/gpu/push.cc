// The way of an atom's gradient into the forces.

DEVICE void nnp_begin_push(LOCAL_ARG mm_long* pushed, LOCAL_ARG nnp_word* pulled)
{
    for (int c = 0; c < 3; ++c)
        pushed[c * GROUP_SIZE + LOCAL_ID] = 0;
    for (int at = LOCAL_ID; at < PULL_PARTS * CAPACITY; at += GROUP_SIZE)
        pulled[at] = 0;
    SYNC_THREADS
}

// dE/dr_ij of the slots first to end, in fixed point: minus onto the neighbours' forces, plus kept for the atom's own.
// Leaves the slots' sums at 0.
DEVICE void nnp_push(int first, int end, LOCAL_ARG const int* owner, LOCAL_ARG const real* lane,
                     LOCAL_ARG nnp_word* pulled, real scale, GLOBAL const real* frame, GLOBAL mm_ulong* forces, LOCAL_ARG mm_long* pushed,
                     LOCAL_ARG int* failed, mixed* virial)
{
    for (int j = first + LOCAL_ID; j < end; j += GROUP_SIZE) {
        real g[3], r[3] = {LANE_X(j), LANE_Y(j), LANE_Z(j)};
        for (int c = 0; c < 3; ++c) {
            g[c] = nnp_pulled(2 * c, j, scale, pulled);
            PULL(2 * c, j) = PULL(2 * c + 1, j) = 0;
        }
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
