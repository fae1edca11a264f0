// The change of the moments of one series (moments.cc) along a direction: sum (dg/dr dr) Y + g dY.

// As `fill`, with the change of the radial functions and Y, or (`turned`) these and the change of Y.
DEVICE void GROUP(fill_change)(int turned, int base, int count, LOCAL_ARG const int* range, LOCAL_ARG const real* lane,
                               LOCAL_ARG const real* moved, LOCAL_ARG const int* picked, GLOBAL const real* values,
                               LOCAL_ARG real* chunk)
{
    SYNC_THREADS
    for (int at = LOCAL_ID; at < CHUNK * (1 + (N_RADIAL + AT_ONCE - 1) / AT_ONCE); at += GROUP_SIZE) {
        int place = at % CHUNK, first = (at / CHUNK - 1) * AT_ONCE;
        if (base + place < count) {
            int slot = SLOT(base + place);
            real inverse = LANE_INVERSE(slot), x = LANE_X(slot) * inverse, y = LANE_Y(slot) * inverse;
            real z = LANE_Z(slot) * inverse, along = x * MOVED_X(slot) + y * MOVED_Y(slot) + z * MOVED_Z(slot);
            if (first < 0) {
                real q[NNP_LEGENDRES(L_MAX)], c[L_MAX + 1], s[L_MAX + 1], rows[NNP_HARMONICS(L_MAX)];
                GROUP(angles)(slot, lane, q, c, s);
                if (turned)
                    nnp_harmonics_change(L_MAX, q, c, s, (MOVED_X(slot) - along * x) * inverse,
                                         (MOVED_Y(slot) - along * y) * inverse, (MOVED_Z(slot) - along * z) * inverse,
                                         rows);
                else
                    nnp_harmonics(L_MAX, q, c, s, rows);
                NNP_UNROLL for (int row = 0; row < ROWS; ++row)
                    IN_CHUNK(N_RADIAL + row, place) = rows[FIRST_ROW + row];
            } else {
                real g[AT_ONCE], dg[AT_ONCE];
                GROUP(radial)(slot, first, AT_ONCE, range, lane, values, g, dg);
                NNP_UNROLL for (int i = 0; i < AT_ONCE; ++i) {
                    if (first + i < N_RADIAL)
                        IN_CHUNK(first + i, place) = turned ? g[i] : along * dg[i];
                }
            }
        }
    }
    SYNC_THREADS
}

// Adds the neighbours of one tile to the moments' change.
DEVICE void GROUP(tangent)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,
                           LOCAL_ARG const real* moved, LOCAL_ARG const int* picked, LOCAL_ARG const int* n_picked,
                           GLOBAL const real* values, LOCAL_ARG real* chunk, LOCAL_ARG mixed* scratch,
                           LOCAL_ARG mixed* changes)
{
    int count = COUNT;
    LOCAL_ARG mixed* sums = GROUP(open)(scratch, changes);
    for (int base = 0; base < count; base += CHUNK) {
        for (int turned = 0; turned < 2; ++turned) {
            GROUP(fill_change)(turned, base, count, range, lane, moved, picked, values, chunk);
            GROUP(add)(base + CHUNK < count ? CHUNK : count - base, chunk, sums);
        }
    }
    GROUP(close)(scratch, changes);
}
