// Triples of one angular group, compressed: for every neighbour j a row of the neighbours k behind it that pass the
// cutoffs, one after the other in flat arrays, so that the expensive passes run over full vectors.
//
//   rows:    j = 0  |k k . k|. k k .|     the masks say which lanes of a row's vectors went into the flat arrays,
//            j = 1  |k . . k|k k . .|     so the way back is an expand of the same vectors
//   arrays:  k k k k k k k k k k ...
#ifndef NNP_CPU_TRIPLES_H
#define NNP_CPU_TRIPLES_H

#include "lane_moves.h"
#include "radial_pass.h"

namespace nnp::NNP_TARGET
{

constexpr int BLOCK_VECTORS = 16;  // triples are worked on in blocks that stay in the first-level cache
constexpr int BLOCK = BLOCK_VECTORS * W;

// Per neighbour, for one group's cutoff and shift: factor f, (df/dr)/(r f), 1 - r_shift/r, (r - r_shift)^2.
struct Sides {
    nnp_scalar *factor, *slope, *lever, *square;
};

struct Triples {
    int count;       // without padding
    int lanes;       // count rounded up to whole vectors
    int64_t stride;  // between the arrays below
    uint32_t* masks;
    Sides sides;
    // after compress_rows              after angular_forward      after angular_backward, as expand_rows reads them
    nnp_scalar* cosine;          // cosine                     c: cosine * z
    nnp_scalar* product;         // f(ij) f(ik)                z: dE/dcos
    nnp_scalar* square;          // S(ij) + S(ik), its root    b: (dE/dr)/r of both sides over -lever, see there
                                 // in a group of means
    nnp_scalar* opposite;        // r_jk^2     f(jk)           a: dE/d(ln f)
    nnp_scalar* opposite_slope;  //            (df/dr)/r       q: (dE/dr_jk)/r_jk without the cosine
    nnp_scalar* opposite_lever;  //            1 - r_shift/r_jk; null where that is 1
    nnp_scalar* exponentials;    // [slot][lanes]
    // push_forward
    nnp_scalar *d_factor, *d_square, *d_cosine, *d_opposite;
};

NNP_INLINE void distance_factor(const AngularGroup& g, real r, real* f, real* df)
{
    if (g.compact)
        nnp_compact(g.cutoff_or_core, g.asymmetric, r, (nnp_scalar)g.left, (nnp_scalar)g.radius, f, df);
    else
        nnp_cutoff(g.cutoff_or_core, r, (nnp_scalar)g.radius, (nnp_scalar)g.inner_fraction, f, df);
}

// The factor of the side j-k and its slope over the distance, from the distance's square.
template <int CUTOFF>
NNP_INLINE void opposite_factor(const AngularGroup& g, real r2, real* f, real* df_over_r)
{
    if (CUTOFF >= 0) {
        nnp_cutoff_by_square(CUTOFF, r2, (nnp_scalar)g.radius, (nnp_scalar)g.inner_fraction, f, df_over_r);
    } else if (g.compact) {
        real df, inverse = inverse_square_root(r2);
        nnp_compact(g.cutoff_or_core, g.asymmetric, r2 * inverse, (nnp_scalar)g.left, (nnp_scalar)g.radius, f, &df);
        *df_over_r = df * inverse;
    } else {
        nnp_cutoff_by_square(g.cutoff_or_core, r2, (nnp_scalar)g.radius, (nnp_scalar)g.inner_fraction, f, df_over_r);
    }
}

static void make_sides(const AngularGroup& g, const Neighbors& nb, Arena& arena, Sides& sides)
{
    nnp_scalar* data = take<nnp_scalar>(arena, 4 * (int64_t)nb.size);
    sides = {data, data + nb.size, data + 2 * nb.size, data + 3 * nb.size};
    bool weighted = g.neighbor_1 == ANY_ELEMENT;
    for (int k = 0; k < nb.size; k += W) {
        real f, df, r = load(nb.r + k), inverse = load(nb.inverse + k);
        distance_factor(g, r, &f, &df);
        real weight = weighted ? load(nb.charge + k) : splat(1);
        real beyond = r - (nnp_scalar)g.r_shift;
        store(sides.factor + k, weight * f);
        store(sides.slope + k, f > real{} ? df * inverse / f : real{});
        // of a mean: the slope and the half of what two sides add up to
        store(sides.lever + k, g.mean ? inverse : beyond * inverse);
        store(sides.square + k, g.mean ? (nnp_scalar)0.5 * beyond : beyond * beyond);
    }
}

// Rows whose neighbours k are read, and added to, together: as many as registers hold the sums of. Alone, a row begins
// one lane behind the one before it, and its loads wait for that one's stores.
constexpr int TOGETHER = sizeof(real) == 64 ? 4 : 1;

// j runs over the smaller range: long rows fill their vectors better.
struct Rows {
    Range j, k;
    bool same;  // j and k from one range: k > j
    int first(int j_now) const { return same ? j_now + 1 : k.begin; }
};

NNP_INLINE Rows rows_of(const AngularGroup& g, const Neighbors& nb)
{
    Range a = lanes_of(nb, g.neighbor_1), b = lanes_of(nb, g.neighbor_2);
    bool swapped = b.end - b.begin < a.end - a.begin;
    return {swapped ? b : a, swapped ? a : b, g.neighbor_1 == g.neighbor_2};
}

static void take_triples(Arena& arena, const Rows& rows, bool push_forward, Triples& t)
{
    int64_t n_j = rows.j.end - rows.j.begin, n_k = rows.k.end - rows.k.begin;
    t.stride = (rows.same ? n_j * (n_j - 1) / 2 : n_j * n_k) + 2 * W;
    t.masks = take<uint32_t>(arena, (n_j + TOGETHER) * (n_k / W + 2));
    nnp_scalar* data = take<nnp_scalar>(arena, t.stride * (push_forward ? 9 : 5));
    t.cosine = data;
    t.product = data + t.stride;
    t.square = data + 2 * t.stride;
    t.opposite = data + 3 * t.stride;
    t.opposite_slope = data + 4 * t.stride;
    if (push_forward) {
        t.d_factor = data + 5 * t.stride;
        t.d_square = data + 6 * t.stride;
        t.d_cosine = data + 7 * t.stride;
        t.d_opposite = data + 8 * t.stride;
    }
}

// Arrays that the forward pass fills, once the number of triples is known.
static void take_forward(const AngularGroup& g, Arena& arena, Triples& t)
{
    t.opposite_lever = g.r_shift != 0 && g.narrow ? take<nnp_scalar>(arena, t.lanes) : nullptr;
    t.exponentials = take<nnp_scalar>(arena, (int64_t)t.lanes * g.exponentials.size() + 1);
}

// Values for the lanes behind the last triple: finite, and without weight.
static void pad_triples(const AngularGroup& g, bool push_forward, Triples& t)
{
    t.lanes = round_up(t.count, W);
    nnp_scalar harmless = (nnp_scalar)(0.25 * g.radius * g.radius);
    for (int i = t.count; i < t.lanes; ++i) {
        t.cosine[i] = t.product[i] = t.square[i] = 0;
        t.opposite[i] = harmless;
        if (push_forward)
            t.d_factor[i] = t.d_square[i] = t.d_cosine[i] = t.d_opposite[i] = 0;
    }
}

// Displacements of one triple's distances and cosine, for push_forward.
NNP_INLINE void push_triple(const Neighbors& nb, const Sides& sides, int j, int k, real cosine, const LaneMove& move,
                            Triples& t, int n)
{
    real x = load(nb.x + k), y = load(nb.y + k), z = load(nb.z + k), inverse = load(nb.inverse + k);
    real dx = load(nb.dx + k), dy = load(nb.dy + k), dz = load(nb.dz + k), inverse_j = splat(nb.inverse[j]);
    real j_along = splat(nb.x[j] * nb.dx[j] + nb.y[j] * nb.dy[j] + nb.z[j] * nb.dz[j]);
    real k_along = x * dx + y * dy + z * dz;
    real u_along = (x - nb.x[j]) * (dx - nb.dx[j]) + (y - nb.y[j]) * (dy - nb.dy[j]) + (z - nb.z[j]) * (dz - nb.dz[j]);
    real slopes = sides.slope[j] * j_along + load(sides.slope + k) * k_along;
    real levers = sides.lever[j] * j_along + load(sides.lever + k) * k_along;
    store_packed(t.d_factor + n, move, sides.factor[j] * load(sides.factor + k) * slopes);
    store_packed(t.d_square + n, move, (nnp_scalar)2 * levers);
    store_packed(t.d_cosine + n, move,
                 nnp_cosine_by_side(cosine, inverse_j, inverse) * j_along +
                     nnp_cosine_by_side(cosine, inverse, inverse_j) * k_along +
                     nnp_cosine_by_opposite(inverse_j, inverse) * u_along);
    store_packed(t.d_opposite + n, move, u_along);
}

// Whether any of the rows from j on lies within the group's cutoff.
NNP_INLINE bool rows_count(const Sides& sides, int j)
{
    bool any = false;
    for (int r = 0; r < TOGETHER; ++r)
        any |= sides.factor[j + r] != 0;
    return any;
}

// CHECKED: lanes may lie outside the group's cutoff (padding always lies outside the reach of r_jk).
template <bool NARROW, bool CHECKED, bool PUSH>
static void compress_rows(const AngularGroup& g, const Neighbors& nb, const Rows& rows, Triples& t)
{
    const real reach2 = splat((nnp_scalar)(g.radius * g.radius)), zero = {};
    const Sides sides = t.sides;
    const int64_t stride = t.stride;
    uint32_t* mask_out = t.masks;
    nnp_scalar* out = t.cosine;
    for (int j = rows.j.begin; j < rows.j.end; j += TOGETHER) {
        if (!rows_count(sides, j))
            continue;
        int32_t there[TOGETHER];  // bits: pairs in this vector and, by the sign, in those behind it
        for (int r = 0; r < TOGETHER; ++r)
            there[r] = sides.factor[j + r] == 0 ? 0 : (int32_t)(~0u << (rows.same ? r : 0));
        for (int k = rows.first(j); k < rows.k.end; k += W) {
            const real x = load(nb.x + k), y = load(nb.y + k), z = load(nb.z + k), r2 = load(nb.r2 + k);
            const real inverse = load(nb.inverse + k), factor = load(sides.factor + k);
            const real square = load(sides.square + k);
            NNP_UNROLL for (int r = 0; r < TOGETHER; ++r)
            {
                const int row = j + r;
                real dot = nb.x[row] * x + nb.y[row] * y + nb.z[row] * z;
                real opposite2 = (nb.r2[row] + r2) - (nnp_scalar)2 * dot;
                Mask mask = (NARROW ? lanes_less(opposite2, reach2) : ALL_LANES) & (Mask)there[r];
                there[r] >>= W;
                if (CHECKED)
                    mask &= lanes_less(zero, factor);
                *mask_out++ = mask;
                const LaneMove move = packing(mask);
                real cosine = dot * (nb.inverse[row] * inverse);
                store_packed(out, move, cosine);
                store_packed(out + stride, move, sides.factor[row] * factor);
                store_packed(out + 2 * stride, move, sides.square[row] + square);
                if (NARROW)
                    store_packed(out + 3 * stride, move, opposite2);
                if (PUSH)
                    push_triple(nb, sides, row, k, cosine, move, t, (int)(out - t.cosine));
                out += __builtin_popcount(mask);
            }
        }
    }
    t.count = (int)(out - t.cosine);
}

// The way back: a, b, c, z, q of every triple onto the two neighbours of its row. With
//   dE/dr_ij = (slope_ij a - lever_ij b') r_ij + (r_ik/(r_ij r_ik) - cosine r_ij/r_ij^2) z - q (r_ik - r_ij)
// the coefficient of r_ij is  slope_ij a + b - c/r_ij^2  and that of r_ik is  z/(r_ij r_ik) - q,  where b = q - b'
// without a shift; with one, b = b' and the lever stays. The same with j and k exchanged.
template <bool NARROW, bool SHIFT>
static void expand_rows(const Neighbors& nb, const Rows& rows, const Triples& t)
{
    const Sides sides = t.sides;
    const int64_t stride = t.stride;
    const uint32_t* mask_in = t.masks;
    const nnp_scalar* in = t.cosine;
    for (int j = rows.j.begin; j < rows.j.end; j += TOGETHER) {
        if (!rows_count(sides, j))
            continue;
        real row_pull[TOGETHER] = {}, row_x[TOGETHER] = {}, row_y[TOGETHER] = {}, row_z[TOGETHER] = {};
        for (int k = rows.first(j); k < rows.k.end; k += W) {
            const real x = load(nb.x + k), y = load(nb.y + k), z = load(nb.z + k), slope = load(sides.slope + k);
            const real inverse = load(nb.inverse + k), inverse2 = inverse * inverse;
            real pull = load(nb.pull + k), pull_x = load(nb.pull_x + k), pull_y = load(nb.pull_y + k);
            real pull_z = load(nb.pull_z + k);
            NNP_UNROLL for (int r = 0; r < TOGETHER; ++r)
            {
                const int row = j + r;
                const Mask mask = *mask_in++;
                const LaneMove move = spreading(mask);
                real c = load_spread(in, move), by_cosine = load_spread(in + stride, move);
                real b = load_spread(in + 2 * stride, move), a = load_spread(in + 3 * stride, move);
                real side = nb.inverse[row] * inverse * by_cosine;
                real on_j = b, on_k = b;
                if (SHIFT) {
                    on_j = -sides.lever[row] * b;
                    on_k = -load(sides.lever + k) * b;
                }
                if (NARROW) {
                    real q = load_spread(in + 4 * stride, move);
                    side -= q;
                    if (SHIFT) {
                        on_j += q;
                        on_k += q;
                    }
                }
                row_pull[r] += on_j + (sides.slope[row] * a - nb.inverse[row] * nb.inverse[row] * c);
                row_x[r] += side * x;
                row_y[r] += side * y;
                row_z[r] += side * z;
                pull += on_k + (slope * a - inverse2 * c);
                pull_x += side * nb.x[row];
                pull_y += side * nb.y[row];
                pull_z += side * nb.z[row];
                in += __builtin_popcount(mask);
            }
            store(nb.pull + k, pull);
            store(nb.pull_x + k, pull_x);
            store(nb.pull_y + k, pull_y);
            store(nb.pull_z + k, pull_z);
        }
        NNP_UNROLL for (int r = 0; r < TOGETHER; ++r)
            add_lane_sums(nb.row_sums + 4 * (j + r), row_pull[r], row_x[r], row_y[r], row_z[r]);
    }
}

}  // namespace nnp::NNP_TARGET

#endif
