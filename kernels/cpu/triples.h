// Triples of one angular group, compressed: for every neighbour j a row of the neighbours k behind it that pass the
// cutoffs, one after the other in flat arrays, so that the expensive passes run over full vectors.
//
//   rows:    j = 0  |k k . k|. k k .|     the masks say which lanes of a row's vectors went into the flat arrays,
//            j = 1  |k . . k|k k . .|     so the way back is an expand of the same vectors
//   arrays:  k k k k k k k k k k ...
#ifndef NNP_CPU_TRIPLES_H
#define NNP_CPU_TRIPLES_H

#include "radial_pass.h"

namespace nnp::NNP_TARGET {

constexpr int BLOCK_VECTORS = 16;  // triples are worked on in blocks that stay in the first-level cache
constexpr int BLOCK = BLOCK_VECTORS * W;

// Per neighbour, for one group's cutoff and shift: factor f, (df/dr)/r, 1 - r_shift/r, (r - r_shift)^2.
struct Sides {
    nnp_scalar *factor, *slope, *lever, *square;
};

struct Triples {
    int count;     // without padding
    int lanes;     // count rounded up to whole vectors
    uint32_t* masks;
    Sides sides;
    // forward in                       after forward        after backward
    nnp_scalar* cosine;              // cosine
    nnp_scalar* product;             // f(ij) f(ik)                               dE/dcos
    nnp_scalar* square;              // S(ij) + S(ik)                             b: dE/dr/r over -lever
    nnp_scalar* opposite;            // r_jk^2               f(jk)                a: dE/d(f f)
    nnp_scalar* opposite_slope;      //                      (df/dr)/r            (dE/dr_jk)/r_jk without the cosine
    nnp_scalar* opposite_lever;      //                      1 - r_shift/r_jk; null where that is 1
    nnp_scalar* exponentials;        // [slot][lanes]
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
        store(sides.slope + k, weight * df * inverse);
        store(sides.lever + k, beyond * inverse);
        store(sides.square + k, beyond * beyond);
    }
}

struct Rows {
    Range j, k;
    bool same;  // j and k from one range: k > j
    int first(int j_now) const { return same ? j_now + 1 : k.begin; }
};

NNP_INLINE Rows rows_of(const AngularGroup& g, const Neighbors& nb)
{
    Range j = lanes_of(nb, g.neighbor_1), k = lanes_of(nb, g.neighbor_2);
    return {j, k, g.neighbor_1 == g.neighbor_2};
}

// What the rows of one j share.
struct Side {
    real x, y, z, inverse, factor, slope, lever, square;
};

NNP_INLINE Side side_of(const Neighbors& nb, const Sides& s, int j)
{
    return {splat(nb.x[j]), splat(nb.y[j]), splat(nb.z[j]), splat(nb.inverse[j]),
            splat(s.factor[j]), splat(s.slope[j]), splat(s.lever[j]), splat(s.square[j])};
}

static void take_triples(Arena& arena, const Rows& rows, bool push_forward, Triples& t)
{
    int64_t n_j = rows.j.end - rows.j.begin, n_k = rows.k.end - rows.k.begin;
    int64_t most = (rows.same ? n_j * (n_j - 1) / 2 : n_j * n_k) + 2 * W;
    t.masks = take<uint32_t>(arena, n_j * (n_k / W + 2) + 1);
    t.cosine = take<nnp_scalar>(arena, most);
    t.product = take<nnp_scalar>(arena, most);
    t.square = take<nnp_scalar>(arena, most);
    t.opposite = take<nnp_scalar>(arena, most);
    if (push_forward) {
        t.d_factor = take<nnp_scalar>(arena, most);
        t.d_square = take<nnp_scalar>(arena, most);
        t.d_cosine = take<nnp_scalar>(arena, most);
        t.d_opposite = take<nnp_scalar>(arena, most);
    }
}

// Arrays that the forward pass fills, once the number of triples is known.
static void take_forward(const AngularGroup& g, Arena& arena, Triples& t)
{
    t.opposite_slope = take<nnp_scalar>(arena, t.lanes + W);
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

template <bool NARROW, bool PUSH>
static void compress_rows(const AngularGroup& g, const Neighbors& nb, const Rows& rows, Triples& t)
{
    const real reach2 = splat((nnp_scalar)(g.radius * g.radius)), zero = {};
    uint32_t* mask_out = t.masks;
    int n = 0;
    for (int j = rows.j.begin; j < rows.j.end; ++j) {
        if (t.sides.factor[j] == 0)
            continue;
        const Side s = side_of(nb, t.sides, j);
        real jx = {}, jy = {}, jz = {}, j_along = {};
        if (PUSH) {
            jx = splat(nb.dx[j]), jy = splat(nb.dy[j]), jz = splat(nb.dz[j]);
            j_along = s.x * jx + s.y * jy + s.z * jz;
        }
        for (int k = rows.first(j); k < rows.k.end; k += W) {
            real x = load(nb.x + k), y = load(nb.y + k), z = load(nb.z + k), factor = load(t.sides.factor + k);
            real inverse = load(nb.inverse + k);
            real ux = x - s.x, uy = y - s.y, uz = z - s.z;
            real r2 = ux * ux + uy * uy + uz * uz;
            Mask mask = lanes_less(zero, factor);
            if (NARROW)
                mask &= lanes_less(r2, reach2);
            *mask_out++ = mask;
            real cosine = (x * s.x + y * s.y + z * s.z) * (s.inverse * inverse);
            compress_store(t.cosine + n, mask, cosine);
            compress_store(t.product + n, mask, factor * s.factor);
            compress_store(t.square + n, mask, load(t.sides.square + k) + s.square);
            if (NARROW)
                compress_store(t.opposite + n, mask, r2);
            if (PUSH) {
                real kx = load(nb.dx + k), ky = load(nb.dy + k), kz = load(nb.dz + k);
                real k_along = x * kx + y * ky + z * kz;
                real u_along = ux * (kx - jx) + uy * (ky - jy) + uz * (kz - jz);
                real slope = load(t.sides.slope + k), lever = load(t.sides.lever + k);
                compress_store(t.d_factor + n, mask, s.slope * factor * j_along + s.factor * slope * k_along);
                compress_store(t.d_square + n, mask, (nnp_scalar)2 * (s.lever * j_along + lever * k_along));
                compress_store(t.d_cosine + n, mask,
                               nnp_cosine_by_side(cosine, s.inverse, inverse) * j_along +
                                   nnp_cosine_by_side(cosine, inverse, s.inverse) * k_along +
                                   nnp_cosine_by_opposite(s.inverse, inverse) * u_along);
                compress_store(t.d_opposite + n, mask, u_along);
            }
            n += __builtin_popcount(mask);
        }
    }
    t.count = n;
}

// The way back: a, b, z, q of every triple onto the two neighbours of its row.
//   dE/dr_ij = [slope_ij f_ik a - lever_ij b + cosine_by_side z] r_ij - q r_jk, and the same with j and k exchanged
template <bool NARROW>
static void expand_rows(const Neighbors& nb, const Rows& rows, const Triples& t)
{
    const uint32_t* mask_in = t.masks;
    int n = 0;
    for (int j = rows.j.begin; j < rows.j.end; ++j) {
        if (t.sides.factor[j] == 0)
            continue;
        const Side s = side_of(nb, t.sides, j);
        real pull = {}, pull_x = {}, pull_y = {}, pull_z = {};
        for (int k = rows.first(j); k < rows.k.end; k += W) {
            Mask mask = *mask_in++;
            real a = expand_load(t.opposite + n, mask), b = expand_load(t.square + n, mask);
            real by_cosine = expand_load(t.product + n, mask);
            real x = load(nb.x + k), y = load(nb.y + k), z = load(nb.z + k), inverse = load(nb.inverse + k);
            real cosine = (x * s.x + y * s.y + z * s.z) * (s.inverse * inverse);
            real q = nnp_cosine_by_opposite(s.inverse, inverse) * by_cosine;
            if (NARROW)
                q += expand_load(t.opposite_slope + n, mask);
            real on_j = s.slope * load(t.sides.factor + k) * a - s.lever * b +
                        nnp_cosine_by_side(cosine, s.inverse, inverse) * by_cosine;
            real on_k = s.factor * load(t.sides.slope + k) * a - load(t.sides.lever + k) * b +
                        nnp_cosine_by_side(cosine, inverse, s.inverse) * by_cosine;
            pull += on_j + q;
            pull_x -= q * x;
            pull_y -= q * y;
            pull_z -= q * z;
            store(nb.pull + k, load(nb.pull + k) + on_k + q);
            store(nb.pull_x + k, load(nb.pull_x + k) - q * s.x);
            store(nb.pull_y + k, load(nb.pull_y + k) - q * s.y);
            store(nb.pull_z + k, load(nb.pull_z + k) - q * s.z);
            n += __builtin_popcount(mask);
        }
        nb.pull[j] += sum_lanes(pull);
        nb.pull_x[j] += sum_lanes(pull_x);
        nb.pull_y[j] += sum_lanes(pull_y);
        nb.pull_z[j] += sum_lanes(pull_z);
    }
}

}  // namespace nnp::NNP_TARGET

#endif
