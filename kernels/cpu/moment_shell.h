// The neighbours within one radial series' own reach: unit vectors and distances of whole vectors of lanes, the
// elements one after the other. Where the series sees as far as the atom's longest function the lanes stay where they
// are; else the near ones are packed, and what is found for them is spread again.
#ifndef NNP_CPU_MOMENT_SHELL_H
#define NNP_CPU_MOMENT_SHELL_H

#include "atom.h"
#include "lane_moves.h"

namespace nnp::NNP_TARGET
{

struct Shell {
    int size;               // lanes, a multiple of W
    Range* elements;        // [n_elements] whole vectors, padding included
    nnp_scalar *x, *y, *z;  // unit vectors
    nnp_scalar *r, *inverse;
    nnp_scalar *dx, *dy, *dz;                     // displacements of r_ij, Mode::push_forward
    nnp_scalar *pull, *pull_x, *pull_y, *pull_z;  // as Neighbors has them
    Mask* near;                                   // [vectors of Neighbors] packed lanes; null: all stay
};

constexpr int SHELL_ARRAYS = 12;

NNP_INLINE void take_shell(Arena& arena, int capacity, Shell& s)
{
    nnp_scalar** arrays[SHELL_ARRAYS] = {&s.x,  &s.y,  &s.z,    &s.r,      &s.inverse, &s.dx,
                                         &s.dy, &s.dz, &s.pull, &s.pull_x, &s.pull_y,  &s.pull_z};
    nnp_scalar* lanes = take<nnp_scalar>(arena, SHELL_ARRAYS * (int64_t)capacity);
    for (int a = 0; a < SHELL_ARRAYS; ++a)
        *arrays[a] = lanes + (int64_t)a * capacity;
}

// All lanes of the atom, where they are.
static void whole_shell(const Neighbors& nb, int n_elements, Shell& s)
{
    for (int e = 0; e < n_elements; ++e)
        s.elements[e] = {nb.elements[e].begin, e + 1 < n_elements ? nb.elements[e + 1].begin : nb.size};
    s.size = nb.size;
    s.near = nullptr;
    s.r = nb.r;
    s.inverse = nb.inverse;
    s.dx = nb.dx;
    s.dy = nb.dy;
    s.dz = nb.dz;
    s.pull = nb.pull;
    s.pull_x = nb.pull_x;
    s.pull_y = nb.pull_y;
    s.pull_z = nb.pull_z;
    for (int k = 0; k < nb.size; k += W) {
        real inverse = load(nb.inverse + k);
        store(s.x + k, load(nb.x + k) * inverse);
        store(s.y + k, load(nb.y + k) * inverse);
        store(s.z + k, load(nb.z + k) * inverse);
    }
}

// Lanes `n` up to a whole vector: far away.
NNP_INLINE int pad_shell(Shell& s, int n, nnp_scalar far)
{
    int end = round_up(n, W);
    for (; n < end; ++n) {
        s.x[n] = 1;
        s.y[n] = s.z[n] = 0;
        s.r[n] = far;
        s.inverse[n] = 1 / far;
        s.dx[n] = s.dy[n] = s.dz[n] = 0;
    }
    return end;
}

NNP_INLINE void pack_lanes(const Neighbors& nb, int k, Mask near, Shell& s, int n)
{
    LaneMove move = packing(near);
    real inverse = load(nb.inverse + k);
    store_packed(s.x + n, move, load(nb.x + k) * inverse);
    store_packed(s.y + n, move, load(nb.y + k) * inverse);
    store_packed(s.z + n, move, load(nb.z + k) * inverse);
    store_packed(s.r + n, move, load(nb.r + k));
    store_packed(s.inverse + n, move, inverse);
    if (!nb.dx)
        return;
    store_packed(s.dx + n, move, load(nb.dx + k));
    store_packed(s.dy + n, move, load(nb.dy + k));
    store_packed(s.dz + n, move, load(nb.dz + k));
}

static void packed_shell(const RadialSeries& series, const Neighbors& nb, int n_elements, Arena& arena, Shell& s)
{
    s.near = take<Mask>(arena, nb.size / W + 1);
    int n = 0;
    for (int e = 0; e < n_elements; ++e) {
        const int begin = n, end = e + 1 < n_elements ? nb.elements[e + 1].begin : nb.size;
        const real reach = splat((nnp_scalar)series.radii[e]);
        for (int k = nb.elements[e].begin; k < end; k += W) {
            Mask near = lanes_less(load(nb.r + k), reach);
            s.near[k / W] = near;
            if (near == 0)
                continue;
            pack_lanes(nb, k, near, s, n);
            n += __builtin_popcount(near);
        }
        n = pad_shell(s, n, (nnp_scalar)(4 * series.radius()));
        s.elements[e] = {begin, n};
    }
    s.size = n;
    std::memset(s.pull, 0, 4 * (size_t)(s.pull_x - s.pull) * sizeof(nnp_scalar));
}

// reach [n_elements]: how far the atom's neighbours go.
static void make_shell(const RadialSeries& series, const Neighbors& nb, int n_elements, const double* reach,
                       Arena& arena, Shell& s)
{
    take_shell(arena, nb.size + (n_elements + 1) * W, s);
    s.elements = take<Range>(arena, n_elements);
    bool all = true;
    for (int e = 0; e < n_elements; ++e)
        all = all && series.radii[e] >= reach[e];
    if (all)
        whole_shell(nb, n_elements, s);
    else
        packed_shell(series, nb, n_elements, arena, s);
}

// Adds the pulls of packed lanes to the atom's.
static void deliver_shell(const Shell& s, int n_elements, const Neighbors& nb)
{
    if (!s.near)
        return;
    const nnp_scalar* from[4] = {s.pull, s.pull_x, s.pull_y, s.pull_z};
    nnp_scalar* to[4] = {nb.pull, nb.pull_x, nb.pull_y, nb.pull_z};
    for (int e = 0; e < n_elements; ++e) {
        int n = s.elements[e].begin, end = e + 1 < n_elements ? nb.elements[e + 1].begin : nb.size;
        for (int k = nb.elements[e].begin; k < end; k += W) {
            const Mask near = s.near[k / W];
            if (near == 0)
                continue;
            LaneMove move = spreading(near);
            for (int a = 0; a < 4; ++a)
                store(to[a] + k, load(to[a] + k) + load_spread(from[a] + n, move));
            n += __builtin_popcount(near);
        }
    }
}

}  // namespace nnp::NNP_TARGET

#endif
