// Repulsion of an atom by its neighbours of one element: half of each pair is the atom's. Written once per pair of
// elements that has one by the generator, which defines GROUP, NEIGHBOR_1 and the function
//   GROUP(pair)(r, value, slope)   V and dV/dr of one distance

// This thread's part of the energy. Only where the two tiles are one (`diagonal`): so that every neighbour counts once.
DEVICE mixed GROUP(repulsion)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane)
{
    int end = diagonal ? END_SLOT(range, NEIGHBOR_1) : 0;
    mixed sum = 0;
    for (int j = FIRST_SLOT(range, NEIGHBOR_1) + LOCAL_ID; j < end; j += GROUP_SIZE) {
        real value, slope;
        GROUP(pair)(LANE_R(j), &value, &slope);
        sum += value;
    }
    return (mixed)0.5 * sum;
}

DEVICE void GROUP(repel)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane, real scale,
                         LOCAL_ARG nnp_word* pulled, LOCAL_ARG int* failed)
{
    int end = diagonal ? END_SLOT(range, NEIGHBOR_1) : 0;
    for (int j = FIRST_SLOT(range, NEIGHBOR_1) + LOCAL_ID; j < end; j += GROUP_SIZE) {
        real value, slope;
        GROUP(pair)(LANE_R(j), &value, &slope);
        real pull = (real)0.5 * slope * LANE_INVERSE(j);
        nnp_pull(pull * LANE_X(j), pull * LANE_Y(j), pull * LANE_Z(j), j, scale, pulled, failed);
    }
}
