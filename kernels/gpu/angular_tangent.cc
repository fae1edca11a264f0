// The change of one group's sums (angular.cc) along a direction. The generator defines
//   GROUP(change)(product, square, cosine, d_product, d_square, d_cosine, sums)
//                                                adds one triple's change to the sums of all members

// r_ij . dr_ij
NNP_FN real GROUP(stretch)(int j, LOCAL_ARG const real* lane, LOCAL_ARG const real* moved)
{
    return LANE_X(j) * MOVED_X(j) + LANE_Y(j) * MOVED_Y(j) + LANE_Z(j) * MOVED_Z(j);
}

NNP_FN void GROUP(vary)(int j, int k, LOCAL_ARG const real* lane, LOCAL_ARG const real* moved, real* sums)
{
    GROUP(nnp_side) a, b;
    GROUP(nnp_triple) t;
    GROUP(load_side)(j, lane, &a);
    GROUP(load_side)(k, lane, &b);
    if (!GROUP(join)(a, b, &t))
        return;
    real along_j = GROUP(stretch)(j, lane, moved), along_k = GROUP(stretch)(k, lane, moved);
    real along_jk = (b.x - a.x) * (MOVED_X(k) - MOVED_X(j)) + (b.y - a.y) * (MOVED_Y(k) - MOVED_Y(j)) +
                    (b.z - a.z) * (MOVED_Z(k) - MOVED_Z(j));
    real d_product = (LANE_SLOPE(j) * b.factor * along_j + a.factor * LANE_SLOPE(k) * along_k) * t.f;
    real d_square = GROUP(lever)(a.inverse) * along_j + GROUP(lever)(b.inverse) * along_k;
    if (NARROW) {
        d_product += t.product * t.df * along_jk;
        d_square += (SHIFTED ? 1 - (real)R_SHIFT * NNP_INVERSE_SQRT(t.opposite2) : (real)1) * along_jk;
    }
    real d_cosine = nnp_cosine_by_side(t.cosine, a.inverse, b.inverse) * along_j +
                    nnp_cosine_by_side(t.cosine, b.inverse, a.inverse) * along_k +
                    nnp_cosine_by_opposite(a.inverse, b.inverse) * along_jk;
    GROUP(change)(t.product * t.f, t.square, t.cosine, d_product, GROUP(step)(a, b) * d_square, d_cosine, sums);
}

// Pairs first to end.
DEVICE void GROUP(tangent)(int first, int end, LOCAL_ARG const nnp_pair* pairs, LOCAL_ARG const real* lane,
                           LOCAL_ARG const real* moved, LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)
{
    real sums[N_MEMBERS];
#pragma unroll
    for (int m = 0; m < N_MEMBERS; ++m)
        sums[m] = 0;
    for (int p = first + LOCAL_ID; p < end; p += GROUP_SIZE)
        GROUP(vary)(PAIR_J(pairs[p]), PAIR_K(pairs[p]), lane, moved, sums);
    nnp_collect(sums, N_MEMBERS, total + FIRST_MEMBER, scratch);
}
