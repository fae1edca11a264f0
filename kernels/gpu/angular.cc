// Angular functions of one group: same pair of neighbour elements, same function of the distances. Written once per
// group by the generator, which defines GROUP, N_MEMBERS, FIRST_MEMBER, NEIGHBOR_1 <= NEIGHBOR_2, NARROW, RADIUS,
// R_SHIFT, SHIFTED (whether that is not 0) and the functions
//   GROUP(side)(r2, f, df_over_r)                the factor of one distance and its slope over r, from r^2
//   GROUP(add)(product, square, cosine, sums)    adds one triple to the sums of all members
//   GROUP(fold)(square, cosine, by_value, by_slope, X, Y, Z)
//                                                X = sum w e a, Y = sum w eta e a, Z = sum w e da/dcos
// Forward, every triple is met once. Backward, every neighbour j meets every k, so that a thread keeps the gradient of
// its own j: twice the triples, no two threads that add to the same number, and the same sums in every run.

typedef struct {
    real x, y, z, inverse, factor, square;
} GROUP(nnp_side);

// (r - r_shift)^2
NNP_FN real GROUP(square)(real r)
{
    real beyond = r - (real)R_SHIFT;
    return beyond * beyond;
}

NNP_FN GROUP(nnp_side) GROUP(load_side)(int j, LOCAL_ARG const real* lane)
{
    GROUP(nnp_side) s;
    s.x = LANE_X(j);
    s.y = LANE_Y(j);
    s.z = LANE_Z(j);
    s.inverse = LANE_INVERSE(j);
    s.factor = LANE_FACTOR(j);
    s.square = GROUP(square)(LANE_R(j));
    return s;
}

// |r_ik - r_ij|^2
NNP_FN real GROUP(opposite2)(GROUP(nnp_side) s, int k, LOCAL_ARG const real* lane)
{
    real x = LANE_X(k) - s.x, y = LANE_Y(k) - s.y, z = LANE_Z(k) - s.z;
    return x * x + y * y + z * z;
}

// Whether j and k make a triple.
NNP_FN int GROUP(meets)(GROUP(nnp_side) s, int k, LOCAL_ARG const real* lane)
{
    if (NARROW && !(GROUP(opposite2)(s, k, lane) < (real)(RADIUS * RADIUS)))
        return 0;
    return LANE_FACTOR(k) > 0;
}

NNP_FN real GROUP(cosine)(GROUP(nnp_side) s, int k, LOCAL_ARG const real* lane)
{
    return (s.x * LANE_X(k) + s.y * LANE_Y(k) + s.z * LANE_Z(k)) * (s.inverse * LANE_INVERSE(k));
}

DEVICE void GROUP(sides)(LOCAL_ARG const int* range, LOCAL_ARG real* lane)
{
    for (int j = range[0] + LOCAL_ID; j < range[N_ELEMENTS]; j += GROUP_SIZE) {
        real f, df, weight = NEIGHBOR_1 == ANY_ELEMENT ? nnp_charge(j, range) : (real)1;
        GROUP(side)(LANE_R(j) * LANE_R(j), &f, &df);
        LANE_FACTOR(j) = weight * f;
        LANE_SLOPE(j) = weight * df;
    }
}

// Adds the triples of the slots j0.. and k0..; `same`: of one range with itself, each pair once, row j with the n/2
// slots behind it, cyclically.
NNP_FN void GROUP(sum)(int j0, int n_j, int k0, int n_k, int same, LOCAL_ARG const real* lane, real* sums)
{
    int split = nnp_split(n_j), all = same ? n_j / 2 : n_k;
    for (int row = LOCAL_ID / split; row < n_j; row += GROUP_SIZE / split) {
        GROUP(nnp_side) s = GROUP(load_side)(j0 + row, lane);
        // opposite slots of an even range would meet twice
        int steps = !(s.factor > 0) ? 0 : same && 2 * all == n_j && row >= all ? all - 1 : all;
        for (int step = LOCAL_ID % split;; step += split) {
            int k = k0;
            for (; step < steps; step += split) {
                int place = same ? row + 1 + step : step;
                k = k0 + (same && place >= n_j ? place - n_j : place);
                if (GROUP(meets)(s, k, lane))
                    break;
            }
            if (step >= steps)
                break;
            real product = s.factor * LANE_FACTOR(k), square = s.square + GROUP(square)(LANE_R(k));
            if (NARROW) {
                real f, df, r2 = GROUP(opposite2)(s, k, lane);
                GROUP(side)(r2, &f, &df);
                product *= f;
                square += SHIFTED ? GROUP(square)(sqrt(r2)) : r2;
            }
            GROUP(add)(product, square, GROUP(cosine)(s, k, lane), sums);
        }
    }
}

// range_a and range_b: the slots of two tiles, or of the same one (`diagonal`).
DEVICE void GROUP(forward)(LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal,
                           LOCAL_ARG const real* lane, LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)
{
    real sums[N_MEMBERS];
#pragma unroll
    for (int m = 0; m < N_MEMBERS; ++m)
        sums[m] = 0;
    int same = NEIGHBOR_1 == NEIGHBOR_2 && diagonal;
    int a1 = FIRST_SLOT(range_a, NEIGHBOR_1), b2 = FIRST_SLOT(range_b, NEIGHBOR_2);
    int n_a1 = END_SLOT(range_a, NEIGHBOR_1) - a1, n_b2 = END_SLOT(range_b, NEIGHBOR_2) - b2;
    int b1 = FIRST_SLOT(range_b, NEIGHBOR_1), a2 = FIRST_SLOT(range_a, NEIGHBOR_2);
    int n_b1 = END_SLOT(range_b, NEIGHBOR_1) - b1, n_a2 = END_SLOT(range_a, NEIGHBOR_2) - a2;
    int passes = NEIGHBOR_1 == NEIGHBOR_2 || diagonal ? 1 : 2;
    for (int pass = 0; pass < passes; ++pass)
        GROUP(sum)(pass ? b1 : a1, pass ? n_b1 : n_a1, pass ? a2 : b2, pass ? n_a2 : n_b2, same, lane, sums);
    nnp_collect(sums, N_MEMBERS, total + FIRST_MEMBER, scratch);
}

// What the triple (j, k) adds to the gradient of j.
//   dE/dr_ij = [slope_j f_k a - lever_j b + cosine_by_side z + q] r_ij - q r_ik
//   a = f_jk X = dE/d(f_j f_k), b/2 = -dE/d(sum of squares), z = dE/dcos, q = (dE/dr_jk)/r_jk, lever = 1 - r_shift/r
NNP_FN void GROUP(pull)(GROUP(nnp_side) s, real slope, real lever, int k, LOCAL_ARG const real* lane,
                        LOCAL_ARG const real* by_value, LOCAL_ARG const real* by_slope, real* along,
                        real* gx, real* gy, real* gz)
{
    real X, Y, Z, f = 1, df = 0, lever_jk = 1, inverse = LANE_INVERSE(k), factor = LANE_FACTOR(k);
    real product = s.factor * factor, square = s.square + GROUP(square)(LANE_R(k));
    real cosine = GROUP(cosine)(s, k, lane);
    if (NARROW) {
        real r2 = GROUP(opposite2)(s, k, lane);
        GROUP(side)(r2, &f, &df);
        square += SHIFTED ? GROUP(square)(sqrt(r2)) : r2;
        lever_jk = SHIFTED ? 1 - (real)R_SHIFT * NNP_INVERSE_SQRT(r2) : (real)1;
    }
    GROUP(fold)(square, cosine, by_value, by_slope, &X, &Y, &Z);
    real b = 2 * product * f * Y, z = product * f * Z;
    real q = nnp_cosine_by_opposite(s.inverse, inverse) * z + (NARROW ? product * df * X - lever_jk * b : (real)0);
    *along += slope * factor * f * X - lever * b + nnp_cosine_by_side(cosine, s.inverse, inverse) * z + q;
    *gx -= q * LANE_X(k);
    *gy -= q * LANE_Y(k);
    *gz -= q * LANE_Z(k);
}

// Gradient of the slots j0.. from all triples with the slots k0...
DEVICE void GROUP(own)(int j0, int n_j, int k0, int n_k, LOCAL_ARG const real* by_value,
                       LOCAL_ARG const real* by_slope, LOCAL_ARG mixed* scratch, LOCAL_ARG real* lane)
{
    int split = nnp_split(n_j);
    for (int base = 0; base < n_j; base += GROUP_SIZE / split) {
        int row = base + LOCAL_ID / split, present = row < n_j, j = j0 + (present ? row : 0);
        GROUP(nnp_side) s = GROUP(load_side)(j, lane);
        int steps = present && s.factor > 0 ? n_k : 0;
        real slope = LANE_SLOPE(j), lever = 1 - (real)R_SHIFT * s.inverse, along = 0, gx = 0, gy = 0, gz = 0;
        for (int step = LOCAL_ID % split;; step += split) {
            for (; step < steps; step += split) {
                if (k0 + step != j && GROUP(meets)(s, k0 + step, lane))
                    break;
            }
            if (step >= steps)
                break;
            GROUP(pull)(s, slope, lever, k0 + step, lane, by_value, by_slope, &along, &gx, &gy, &gz);
        }
        nnp_add_gradient(j, present, split, gx + along * s.x, gy + along * s.y, gz + along * s.z, scratch, lane);
    }
}

DEVICE void GROUP(backward)(LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal,
                            LOCAL_ARG const real* by_value, LOCAL_ARG const real* by_slope, LOCAL_ARG mixed* scratch,
                            LOCAL_ARG real* lane)
{
    int a1 = FIRST_SLOT(range_a, NEIGHBOR_1), b2 = FIRST_SLOT(range_b, NEIGHBOR_2);
    int n_a1 = END_SLOT(range_a, NEIGHBOR_1) - a1, n_b2 = END_SLOT(range_b, NEIGHBOR_2) - b2;
    int b1 = FIRST_SLOT(range_b, NEIGHBOR_1), a2 = FIRST_SLOT(range_a, NEIGHBOR_2);
    int n_b1 = END_SLOT(range_b, NEIGHBOR_1) - b1, n_a2 = END_SLOT(range_a, NEIGHBOR_2) - a2;
    // (a1 with b2), (b2 with a1), and for different elements in different tiles the other way round too
    int passes = NEIGHBOR_1 == NEIGHBOR_2 ? (diagonal ? 1 : 2) : (diagonal ? 2 : 4);
    for (int pass = 0; pass < passes; ++pass) {
        int j0 = pass == 0 ? a1 : pass == 1 ? b2 : pass == 2 ? b1 : a2;
        int n_j = pass == 0 ? n_a1 : pass == 1 ? n_b2 : pass == 2 ? n_b1 : n_a2;
        int k0 = pass == 0 ? b2 : pass == 1 ? a1 : pass == 2 ? a2 : b1;
        int n_k = pass == 0 ? n_b2 : pass == 1 ? n_a1 : pass == 2 ? n_a2 : n_b1;
        GROUP(own)(j0, n_j, k0, n_k, by_value + FIRST_MEMBER, by_slope + FIRST_MEMBER, scratch, lane);
    }
}
