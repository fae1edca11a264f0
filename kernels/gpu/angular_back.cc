// The gradient of one group's functions (angular.cc), by neighbour. Every neighbour j meets every k: a thread's share
// of the list is some rows j, whose gradients it keeps in registers; twice the triples, but no two threads that add to
// the same number, and the same sums in every run. The
// generator defines
//   GROUP(fold)(square, cosine, by_value, by_slope, X, Y, Z)
//                                                X = sum w e a, Y = sum w eta e a, Z = sum w e da/dcos

typedef struct {
    real along, x, y, z; // along * r_ij + (x, y, z)
} GROUP(nnp_pull);

// What the triple (j, k) adds to the gradient of j.
//   dE/dr_ij = [slope_j f_k a - lever_j b + cosine_by_side z + q] r_ij - q r_ik
//   a = f_jk X = dE/d(f_j f_k), b/2 = -dE/d(sum of squares), z = dE/dcos, q = (dE/dr_jk)/r_jk, lever = 1 - r_shift/r
NNP_FN void GROUP(pull)(GROUP(nnp_side) j, GROUP(nnp_side) k, real slope, real lever,
                        LOCAL_ARG const real* by_value, LOCAL_ARG const real* by_slope, GROUP(nnp_pull)* g)
{
    GROUP(nnp_triple) t;
    if (!GROUP(join)(j, k, &t))
        return;
    real X, Y, Z, lever_jk = SHIFTED ? 1 - (real)R_SHIFT * NNP_INVERSE_SQRT(t.opposite2) : (real)1;
    GROUP(fold)(t.square, t.cosine, by_value, by_slope, &X, &Y, &Z);
    real b = 2 * t.product * t.f * Y, z = t.product * t.f * Z;
    real q = nnp_cosine_by_opposite(j.inverse, k.inverse) * z;
    q += NARROW ? t.product * t.df * X - lever_jk * b : (real)0;
    g->along += slope * k.factor * t.f * X - lever * b + nnp_cosine_by_side(t.cosine, j.inverse, k.inverse) * z + q;
    g->x -= q * k.x;
    g->y -= q * k.y;
    g->z -= q * k.z;
}

// Adds a row's gradient, or what this thread has of it, to a slot; starts the next one.
NNP_FN void GROUP(keep)(int slot, GROUP(nnp_side) j, GROUP(nnp_pull)* g, LOCAL_ARG real* pulls)
{
    PULL_X(slot) += g->x + g->along * j.x;
    PULL_Y(slot) += g->y + g->along * j.y;
    PULL_Z(slot) += g->z + g->along * j.z;
    g->along = g->x = g->y = g->z = 0;
}

// This thread's share of the n pairs, in one loop, so that threads which go on to their next row wait for no other. The
// first row may have begun with an earlier thread (`counts`: that row, or -1): its part goes to the thread's own place.
NNP_FN void GROUP(share)(int n, LOCAL_ARG const nnp_pair* pairs, LOCAL_ARG const real* by_value,
                         LOCAL_ARG const real* by_slope, LOCAL_ARG int* counts, LOCAL_ARG const real* lane,
                         LOCAL_ARG real* pulls)
{
    int size = (n + GROUP_SIZE - 1) / GROUP_SIZE, at = LOCAL_ID * size, end = at + size < n ? at + size : n;
    int row = at < end ? PAIR_J(pairs[at]) : -1, carried = at > 0 && at < end && PAIR_J(pairs[at - 1]) == row;
    int to = carried ? CARRIED_SLOT : row;
    GROUP(nnp_side) j, k;
    GROUP(nnp_pull) g = {0, 0, 0, 0};
    real slope = 0, lever = 0;
    counts[LOCAL_ID] = carried ? row : -1;
    PULL_X(CARRIED_SLOT) = PULL_Y(CARRIED_SLOT) = PULL_Z(CARRIED_SLOT) = 0;
    GROUP(load_side)(row < 0 ? 0 : row, lane, &j);
    slope = LANE_SLOPE(row < 0 ? 0 : row);
    lever = 1 - (real)R_SHIFT * j.inverse;
    for (; at < end; ++at) {
        if (PAIR_J(pairs[at]) != row) {
            GROUP(keep)(to, j, &g, pulls);
            row = to = PAIR_J(pairs[at]);
            GROUP(load_side)(row, lane, &j);
            slope = LANE_SLOPE(row);
            lever = 1 - (real)R_SHIFT * j.inverse;
        }
        GROUP(load_side)(PAIR_K(pairs[at]), lane, &k);
        GROUP(pull)(j, k, slope, lever, by_value, by_slope, &g);
    }
    if (row >= 0)
        GROUP(keep)(to, j, &g, pulls);
}

DEVICE void GROUP(own)(nnp_blocks blocks, LOCAL_ARG const real* by_value, LOCAL_ARG const real* by_slope,
                       LOCAL_ARG const unsigned int* masks, LOCAL_ARG nnp_pair* pairs, LOCAL_ARG int* counts,
                       LOCAL_ARG const real* lane, LOCAL_ARG real* pulls)
{
    nnp_cursor cursor = {0, 0};
    for (int first = 0, all = 0; !all; first += PAIRS) {
        int n = nnp_list_pairs(blocks, NARROW, first, masks, pairs, counts, &cursor, &all);
        GROUP(share)(n, pairs, by_value, by_slope, counts, lane, pulls);
        SYNC_THREADS
        nnp_gather_carried(counts, pulls);
        SYNC_THREADS
    }
}

DEVICE void GROUP(backward)(LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal,
                            LOCAL_ARG const real* by_value, LOCAL_ARG const real* by_slope,
                            LOCAL_ARG const unsigned int* masks, LOCAL_ARG nnp_pair* pairs, LOCAL_ARG int* counts,
                            LOCAL_ARG const real* lane, LOCAL_ARG real* pulls)
{
    int same = NEIGHBOR_1 == NEIGHBOR_2;
    // (1 in a, 2 in b) and its mirror, and for different elements in different tiles (1 in b, 2 in a) and its mirror
    for (int pass = 0; pass < (same || diagonal ? 1 : 2); ++pass) {
        LOCAL_ARG const int* a = pass ? range_b : range_a;
        LOCAL_ARG const int* b = pass ? range_a : range_b;
        nnp_blocks blocks = {FIRST_SLOT(a, NEIGHBOR_1), END_SLOT(a, NEIGHBOR_1), FIRST_SLOT(b, NEIGHBOR_2),
                             END_SLOT(b, NEIGHBOR_2), FIRST_SLOT(b, NEIGHBOR_2), END_SLOT(b, NEIGHBOR_2),
                             FIRST_SLOT(a, NEIGHBOR_1), END_SLOT(a, NEIGHBOR_1), 0};
        blocks.j_2_end = same && diagonal ? blocks.j_2 : blocks.j_2_end;
        GROUP(own)(blocks, by_value + FIRST_MEMBER, by_slope + FIRST_MEMBER, masks, pairs, counts, lane, pulls);
    }
}
