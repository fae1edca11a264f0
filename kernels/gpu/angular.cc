// Angular functions of one group: same pair of neighbour elements, same function of the distances. Written once per
// group by the generator, which defines GROUP, N_MEMBERS, FIRST_MEMBER, NEIGHBOR_1 <= NEIGHBOR_2, NARROW, RADIUS,
// R_SHIFT, SHIFTED (whether that is not 0), MEAN (exponentials of the mean distance; never NARROW) and the function
//   GROUP(side)(r2, f, df_over_r)    the factor of one distance and its slope over r, from r^2
// This file: a triple. What is done with triples: angular_sum.cc, angular_back.cc, angular_tangent.cc.

typedef struct {
    real x, y, z, inverse, factor, square;
} GROUP(nnp_side);

// What a triple's two sides make together.
typedef struct {
    real product, square, cosine, f, df, opposite2; // product: of all factors but f, that of r_jk
} GROUP(nnp_triple);

// (r - r_shift)^2; of a mean the half of what two sides add up to
NNP_FN real GROUP(square)(real r)
{
    real beyond = r - (real)R_SHIFT;
    return MEAN ? (real)0.5 * beyond : beyond * beyond;
}

// The exponent's slope by a side's distance r, over r and GROUP(step)
NNP_FN real GROUP(lever)(real inverse)
{
    return MEAN ? inverse : 1 - (real)R_SHIFT * inverse;
}

NNP_FN real GROUP(step)(GROUP(nnp_side) j, GROUP(nnp_side) k)
{
    return MEAN ? j.square + k.square : (real)2;
}

NNP_FN void GROUP(load_side)(int j, LOCAL_ARG const real* lane, GROUP(nnp_side)* s)
{
    s->x = LANE_X(j);
    s->y = LANE_Y(j);
    s->z = LANE_Z(j);
    s->inverse = LANE_INVERSE(j);
    s->factor = LANE_FACTOR(j);
    s->square = GROUP(square)(LANE_R(j));
}

// Whether j and k make a triple, and which.
NNP_FN int GROUP(join)(GROUP(nnp_side) j, GROUP(nnp_side) k, GROUP(nnp_triple)* t)
{
    t->product = j.factor * k.factor;
    t->square = j.square + k.square;
    if (MEAN)
        t->square *= t->square;
    t->cosine = (j.x * k.x + j.y * k.y + j.z * k.z) * (j.inverse * k.inverse);
    t->f = t->opposite2 = 1;
    t->df = 0;
    if (!NARROW)
        return t->product > 0;
    real x = k.x - j.x, y = k.y - j.y, z = k.z - j.z;
    t->opposite2 = x * x + y * y + z * z;
    GROUP(side)(t->opposite2, &t->f, &t->df);
    t->square += SHIFTED ? GROUP(square)(sqrt(t->opposite2)) : t->opposite2;
    return t->product > 0 && t->opposite2 < (real)(RADIUS * RADIUS);
}

// LANE_FACTOR and LANE_SLOPE of a tile.
DEVICE void GROUP(sides)(LOCAL_ARG const int* range, LOCAL_ARG real* lane)
{
    for (int j = range[0] + LOCAL_ID; j < range[N_ELEMENTS]; j += GROUP_SIZE) {
        real f, df, weight = NEIGHBOR_1 == ANY_ELEMENT ? nnp_charge(j, range) : (real)1;
        GROUP(side)(LANE_R(j) * LANE_R(j), &f, &df);
        LANE_FACTOR(j) = weight * f;
        LANE_SLOPE(j) = weight * df;
    }
}
