// The change of one group's radial functions (radial.cc) along a direction.

DEVICE void GROUP(tangent)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,
                           LOCAL_ARG const real* moved, LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)
{
    int end = diagonal ? END_SLOT(range, NEIGHBOR_1) : 0;
    real sums[N_MEMBERS], value[N_MEMBERS], slope[N_MEMBERS];
#pragma unroll
    for (int m = 0; m < N_MEMBERS; ++m)
        sums[m] = 0;
    for (int j = FIRST_SLOT(range, NEIGHBOR_1) + LOCAL_ID; j < end; j += GROUP_SIZE) {
        real weight = NEIGHBOR_1 == ANY_ELEMENT ? nnp_charge(j, range) : (real)1;
        weight *= (LANE_X(j) * MOVED_X(j) + LANE_Y(j) * MOVED_Y(j) + LANE_Z(j) * MOVED_Z(j)) * LANE_INVERSE(j);
        GROUP(terms)(LANE_R(j), value, slope);
#pragma unroll
        for (int m = 0; m < N_MEMBERS; ++m)
            sums[m] += weight * slope[m];
    }
    nnp_collect(sums, N_MEMBERS, total + FIRST_MEMBER, scratch);
}
