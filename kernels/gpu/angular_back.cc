// The gradient of one group's functions (angular.cc), by neighbour. A thread's share of the list is some rows j, whose
// gradients it keeps in registers; what a triple pulls on k goes to the sum of slot k at once. The generator defines
//   GROUP(fold)(square, cosine, by_value, by_slope, X, Y, Z)
//                                                X = sum w e a, Y = sum w eta e a, Z = sum w e da/dcos

// A row: its side, the slope of its factor over r, 1 - r_shift/r, and its gradient: along * r_ij + (x, y, z).
typedef struct {
    GROUP(nnp_side) side;
    real slope, lever, along, x, y, z;
} GROUP(nnp_row);

NNP_FN void GROUP(begin)(int j, LOCAL_ARG const real* lane, GROUP(nnp_row)* row)
{
    GROUP(load_side)(j, lane, &row->side);
    row->slope = LANE_SLOPE(j);
    row->lever = GROUP(lever)(row->side.inverse);
    row->along = row->x = row->y = row->z = 0;
}

NNP_FN void GROUP(keep)(int j, const GROUP(nnp_row)* row, real scale, LOCAL_ARG nnp_word* pulled,
                        LOCAL_ARG int* failed)
{
    nnp_pull(row->x + row->along * row->side.x, row->y + row->along * row->side.y, row->z + row->along * row->side.z, j,
             scale, pulled, failed);
}

// The triple (j, k).
//   dE/dr_ij = [slope_j f_k a - lever_j b + cosine_by_side z + q] r_ij - q r_ik, and the same for k
//   a = f_jk X = dE/d(f_j f_k), b/2 = -dE/d(sum of squares), z = dE/dcos, q = (dE/dr_jk)/r_jk, lever = 1 - r_shift/r
NNP_FN void GROUP(meet)(GROUP(nnp_row)* j, int slot, LOCAL_ARG const real* by_value, LOCAL_ARG const real* by_slope,
                        LOCAL_ARG const real* lane, real scale, LOCAL_ARG nnp_word* pulled, LOCAL_ARG int* failed)
{
    GROUP(nnp_side) k;
    GROUP(nnp_triple) t;
    GROUP(load_side)(slot, lane, &k);
    if (!GROUP(join)(j->side, k, &t))
        return;
    real X, Y, Z, lever_jk = SHIFTED ? 1 - (real)R_SHIFT * NNP_INVERSE_SQRT(t.opposite2) : (real)1;
    GROUP(fold)(t.square, t.cosine, by_value, by_slope, &X, &Y, &Z);
    real a = t.f * X, b = GROUP(step)(j->side, k) * t.product * t.f * Y, z = t.product * t.f * Z;
    real q = nnp_cosine_by_opposite(j->side.inverse, k.inverse) * z;
    q += NARROW ? t.product * t.df * X - lever_jk * b : (real)0;
    j->along += j->slope * k.factor * a - j->lever * b + q +
                nnp_cosine_by_side(t.cosine, j->side.inverse, k.inverse) * z;
    j->x -= q * k.x;
    j->y -= q * k.y;
    j->z -= q * k.z;
    real along = LANE_SLOPE(slot) * j->side.factor * a - GROUP(lever)(k.inverse) * b + q +
                 nnp_cosine_by_side(t.cosine, k.inverse, j->side.inverse) * z;
    nnp_pull(along * k.x - q * j->side.x, along * k.y - q * j->side.y, along * k.z - q * j->side.z, slot, scale,
             pulled, failed);
}

// Pairs first to end, in equal shares; in one loop, so that threads which go on to their next row wait for no other.
DEVICE void GROUP(backward)(int first, int end, LOCAL_ARG const nnp_pair* pairs, LOCAL_ARG const real* by_value,
                            LOCAL_ARG const real* by_slope, LOCAL_ARG const real* lane, real scale,
                            LOCAL_ARG nnp_word* pulled, LOCAL_ARG int* failed)
{
    int size = (end - first + GROUP_SIZE - 1) / GROUP_SIZE, p = first + LOCAL_ID * size;
    int last = p + size < end ? p + size : end, j = -1;
    // Without a value here compilers hold a register for each number of each group's row all through the kernel.
    GROUP(nnp_row) row = {{0, 0, 0, 0, 0, 0}, 0, 0, 0, 0, 0, 0};
    for (; p < last; ++p) {
        int next = PAIR_J(pairs[p]);
        if (next != j) {
            if (j >= 0)
                GROUP(keep)(j, &row, scale, pulled, failed);
            j = next;
            GROUP(begin)(j, lane, &row);
        }
        GROUP(meet)(&row, PAIR_K(pairs[p]), by_value + FIRST_MEMBER, by_slope + FIRST_MEMBER, lane, scale, pulled,
                    failed);
    }
    if (j >= 0)
        GROUP(keep)(j, &row, scale, pulled, failed);
    SYNC_THREADS
}
