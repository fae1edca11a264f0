// Sums over atoms in an order that never changes: one row of `partial` per work-group. The state goes
// to `report`, its counters back to 0.
KERNEL void nnp_finish(int n, int wanted, GLOBAL const double* RESTRICT energies,
                       GLOBAL const double* RESTRICT virials, GLOBAL double* RESTRICT partial, GLOBAL int* RESTRICT state,
                       GLOBAL int* RESTRICT report)
{
    LOCAL double part[GROUP_SIZE];
    for (int c = 0; c < PARTIALS; ++c) {
        double sum = 0;
        int asked = (wanted & (c == 0 ? WANT_ENERGY : WANT_VIRIAL)) != 0;
        for (int i = GLOBAL_ID; asked && i < n; i += GLOBAL_SIZE)
            sum += c == 0 ? energies[i] : virials[6 * i + c - 1];
        part[LOCAL_ID] = sum;
        SYNC_THREADS
        for (int width = GROUP_SIZE / 2; width > 0; width /= 2) {
            if (LOCAL_ID < width)
                part[LOCAL_ID] += part[LOCAL_ID + width];
            SYNC_THREADS
        }
        if (LOCAL_ID == 0)
            partial[PARTIALS * GROUP_ID + c] = part[0];
        SYNC_THREADS
    }
    if (GLOBAL_ID < STATE_COUNTERS) {
        report[GLOBAL_ID] = state[GLOBAL_ID];
        state[GLOBAL_ID] = 0;
    }
}
