// Radial functions of one group: same neighbours, same cutoff. Written once per group by the generator, which defines
// GROUP, N_MEMBERS, FIRST_MEMBER, NEIGHBOR_1 and the function
//   GROUP(terms)(r, value[N_MEMBERS], slope[N_MEMBERS])   the functions of one distance

// Only where the two tiles are one (`diagonal`): so that every neighbour counts once.
DEVICE void GROUP(forward)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,
                           LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)
{
    int end = diagonal ? END_SLOT(range, NEIGHBOR_1) : 0;
    real sums[N_MEMBERS], value[N_MEMBERS], slope[N_MEMBERS];
#pragma unroll
    for (int m = 0; m < N_MEMBERS; ++m)
        sums[m] = 0;
    for (int j = FIRST_SLOT(range, NEIGHBOR_1) + LOCAL_ID; j < end; j += GROUP_SIZE) {
        real weight = NEIGHBOR_1 == ANY_ELEMENT ? nnp_charge(j, range) : (real)1;
        GROUP(terms)(LANE_R(j), value, slope);
#pragma unroll
        for (int m = 0; m < N_MEMBERS; ++m)
            sums[m] += weight * value[m];
    }
    nnp_collect(sums, N_MEMBERS, total + FIRST_MEMBER, scratch);
}

DEVICE void GROUP(backward)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* by_value,
                            LOCAL_ARG const real* lane, real scale, LOCAL_ARG nnp_word* pulled,
                            LOCAL_ARG int* failed)
{
    int end = diagonal ? END_SLOT(range, NEIGHBOR_1) : 0;
    real value[N_MEMBERS], slope[N_MEMBERS];
    for (int j = FIRST_SLOT(range, NEIGHBOR_1) + LOCAL_ID; j < end; j += GROUP_SIZE) {
        real pull = 0;
        GROUP(terms)(LANE_R(j), value, slope);
#pragma unroll
        for (int m = 0; m < N_MEMBERS; ++m)
            pull += by_value[FIRST_MEMBER + m] * slope[m];
        pull *= LANE_INVERSE(j);
        if (NEIGHBOR_1 == ANY_ELEMENT)
            pull *= nnp_charge(j, range);
        nnp_pull(pull * LANE_X(j), pull * LANE_Y(j), pull * LANE_Z(j), j, scale, pulled, failed);
    }
}
