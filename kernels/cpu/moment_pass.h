// Functions made of moments (plan/moments.h) for one atom. Forward: radial series and harmonics of every neighbour, the
// moments as a small matrix product over lanes, then the functions from the moments. Backward: the derivatives by the
// moments are contracted over n first, so that a neighbour costs (l_max + 1)^2 numbers whatever n is.
#ifndef NNP_CPU_MOMENT_PASS_H
#define NNP_CPU_MOMENT_PASS_H

#include "moment_functions.h"
#include "moment_squares.h"
#include "moment_sums.h"

namespace nnp::NNP_TARGET
{

constexpr int ROWS = 4;  // moments summed at once, by n and by lm

// What a group leaves for the way back.
struct KeptMoments {
    TermLanes terms;  // of a group of sums alone, else:
    Shell shell;
    Moments moments;
};

// y [rows, whole blocks][lane]; change: how they move with the neighbours' displacement, Mode::push_forward.
template <int L>
static void harmonics_of_lanes(const Shell& nb, int first_row, nnp_scalar* y, nnp_scalar* change)
{
    constexpr int M = NNP_HARMONICS(L);
    for (int k = 0; k < nb.size; k += W) {
        real x, yy, z, q[NNP_LEGENDRES(L)], c[L + 1], s[L + 1], row[M];
        x = load(nb.x + k);
        yy = load(nb.y + k);
        z = load(nb.z + k);
        nnp_legendre(L, z, q);
        nnp_azimuth(L, x, yy, c, s);
        nnp_harmonics(L, q, c, s, row);
        for (int i = first_row; i < M; ++i)
            store(y + (int64_t)(i - first_row) * nb.size + k, row[i]);
        if (!change)
            continue;
        real dx = load(nb.dx + k), dy = load(nb.dy + k), dz = load(nb.dz + k), inverse = load(nb.inverse + k);
        real along = x * dx + yy * dy + z * dz;
        nnp_harmonics_change(L, q, c, s, (dx - along * x) * inverse, (dy - along * yy) * inverse,
                             (dz - along * z) * inverse, row);
        for (int i = first_row; i < M; ++i)
            store(change + (int64_t)(i - first_row) * nb.size + k, row[i]);
    }
}

// sums[n][4] += sum over `lanes` lanes of g_n y_lm, for N radial functions and four harmonics, `stride` apart.
template <int N>
NNP_INLINE void tile_sums(const nnp_scalar* g, const nnp_scalar* y, int lanes, int stride, nnp_scalar (*sums)[ROWS])
{
    real acc[N][ROWS] = {};
    for (int k = 0; k < lanes; k += W) {
        real row[ROWS];
        NNP_UNROLL for (int m = 0; m < ROWS; ++m) row[m] = load(y + (int64_t)m * stride + k);
        NNP_UNROLL for (int i = 0; i < N; ++i)
        {
            real radial = load(g + (int64_t)i * stride + k);
            NNP_UNROLL for (int m = 0; m < ROWS; ++m) acc[i][m] += radial * row[m];
        }
    }
    NNP_UNROLL for (int i = 0; i < N; ++i) add_lane_sums(sums[i], acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
}

// out [rows][m.stride] += g [n][lane] times y [rows][lane], summed over `lanes` lanes, of radial functions [begin,
// end); y has whole blocks of ROWS rows.
static void multiply_lanes(const nnp_scalar* g, const nnp_scalar* y, Range lanes, int stride, Range functions,
                           const Moments& m, nnp_scalar* out)
{
    const int n_lanes = lanes.end - lanes.begin;
    for (int i = functions.begin; i < functions.end;) {
        int left = functions.end - i, count = left == 5 || left == 6 ? 3 : left < 4 ? left : 4;
        for (int row = 0; row < m.rows; row += ROWS) {
            nnp_scalar sums[4][ROWS] = {};
            const nnp_scalar *from = g + (int64_t)i * stride + lanes.begin,
                             *with = y + (int64_t)row * stride + lanes.begin;
            if (count == 4)
                tile_sums<4>(from, with, n_lanes, stride, sums);
            else if (count == 3)
                tile_sums<3>(from, with, n_lanes, stride, sums);
            else if (count == 2)
                tile_sums<2>(from, with, n_lanes, stride, sums);
            else
                tile_sums<1>(from, with, n_lanes, stride, sums);
            for (int b = 0; b < ROWS && row + b < m.rows; ++b) {
                for (int a = 0; a < count; ++a)
                    out[(int64_t)(row + b) * m.stride + i + a] += sums[a][b];
            }
        }
        i += count;
    }
}

// The same over a shell, of each element's lanes the functions that see it.
static void multiply_shell(const MomentGroup& group, const Shell& shell, const nnp_scalar* g, const nnp_scalar* y,
                           const Moments& m, nnp_scalar* out)
{
    if (m.sees_all) {
        multiply_lanes(g, y, {0, shell.size}, shell.size, {0, m.n}, m, out);
        return;
    }
    for (size_t e = 0; e < group.seen.size(); ++e)
        multiply_lanes(g, y, shell.elements[e], shell.size, {group.seen[e].begin, group.seen[e].end}, m, out);
}

// Multiplies moments, or derivatives by them, with the norms of their harmonics.
static void apply_norms(const double* norms, const Moments& m, nnp_scalar* values)
{
    for (int row = 0; row < m.rows; ++row) {
        const nnp_scalar norm = (nnp_scalar)norms[m.first_row + row];
        for (int i = 0; i < m.stride; i += W)
            store(values + (int64_t)row * m.stride + i, norm * load(values + (int64_t)row * m.stride + i));
    }
}

static Moments take_moments(const MomentGroup& group, int lanes, Arena& arena)
{
    Moments m;
    m.n = group.series.n_functions;
    m.sees_all = group.sees_all();
    m.stride = round_up(m.n, W);
    m.first_row = group.l_min * group.l_min;
    m.rows = NNP_HARMONICS(group.l_max) - m.first_row;
    m.g = take<nnp_scalar>(arena, (int64_t)m.n * lanes);
    m.dg = take<nnp_scalar>(arena, (int64_t)m.n * lanes);
    m.a = take_zeros<nnp_scalar>(arena, (int64_t)round_up(m.rows, ROWS) * m.stride);
    return m;
}

NNP_INLINE nnp_scalar* take_rows(Arena& arena, const Moments& m, int lanes)
{
    int whole = round_up(m.rows, ROWS);
    nnp_scalar* y = take<nnp_scalar>(arena, (int64_t)whole * lanes);
    std::memset(y + (int64_t)m.rows * lanes, 0, (int64_t)(whole - m.rows) * lanes * sizeof(nnp_scalar));
    return y;
}

template <int L>
static void moments_of_shell(const MomentGroup& group, const Shell& shell, int n_elements, Arena& arena, Moments& m)
{
    m = take_moments(group, shell.size, arena);
    radial_series(group, shell, n_elements, m.g, m.dg);
    nnp_scalar* y = take_rows(arena, m, shell.size);
    harmonics_of_lanes<L>(shell, m.first_row, y, nullptr);
    multiply_shell(group, shell, m.g, y, m, m.a);
    apply_norms(group.norms.data(), m, m.a);
}

// h = sum_n d_n g_n and dh = sum_n d_n dg_n/dr for ROWS harmonics on one vector of lanes.
NNP_INLINE void contract(const Moments& m, FunctionRange seen, const nnp_scalar* d, int lanes, int k, real* h, real* dh)
{
    real value[ROWS] = {}, slope[ROWS] = {};
    for (int i = seen.begin; i < seen.end; ++i) {
        real g = load(m.g + (int64_t)i * lanes + k), dg = load(m.dg + (int64_t)i * lanes + k);
        NNP_UNROLL for (int row = 0; row < ROWS; ++row)
        {
            real weight = splat(d[(int64_t)row * m.stride + i]);
            value[row] += weight * g;
            slope[row] += weight * dg;
        }
    }
    NNP_UNROLL for (int row = 0; row < ROWS; ++row)
    {
        h[row] = value[row];
        dh[row] = slope[row];
    }
}

// The derivative by each r_ij: u sum dh Y + (G - (u.G) u)/r, G the gradient of sum h Y by the unit vector u.
template <int L>
static void pull_lanes(const Shell& nb, Range lanes, const Moments& m, FunctionRange seen, const nnp_scalar* d)
{
    constexpr int M = NNP_HARMONICS(L);
    for (int k = lanes.begin; k < lanes.end; k += W) {
        real x, y, z, q[NNP_LEGENDRES(L)], c[L + 1], s[L + 1], row[M], h[M + ROWS], dh[M + ROWS];
        for (int i = 0; i < m.first_row; ++i)
            h[i] = dh[i] = real{};
        for (int i = 0; i < m.rows; i += ROWS)
            contract(m, seen, d + (int64_t)i * m.stride, nb.size, k, h + m.first_row + i, dh + m.first_row + i);
        x = load(nb.x + k);
        y = load(nb.y + k);
        z = load(nb.z + k);
        nnp_legendre(L, z, q);
        nnp_azimuth(L, x, y, c, s);
        nnp_harmonics(L, q, c, s, row);
        real radial = {}, gx, gy, gz, inverse = load(nb.inverse + k);
        NNP_UNROLL for (int i = 0; i < M; ++i) radial += dh[i] * row[i];
        nnp_harmonics_gradient(L, q, c, s, h, &gx, &gy, &gz);
        real along = x * gx + y * gy + z * gz;
        store(nb.pull + k, load(nb.pull + k) + (radial - along * inverse) * inverse);
        store(nb.pull_x + k, load(nb.pull_x + k) + gx * inverse);
        store(nb.pull_y + k, load(nb.pull_y + k) + gy * inverse);
        store(nb.pull_z + k, load(nb.pull_z + k) + gz * inverse);
    }
}

template <int L>
static void pull_neighbors(const MomentGroup& group, const Shell& shell, const Moments& m, const nnp_scalar* d)
{
    if (m.sees_all) {
        pull_lanes<L>(shell, {0, shell.size}, m, {0, m.n}, d);
        return;
    }
    for (size_t e = 0; e < group.seen.size(); ++e)
        pull_lanes<L>(shell, shell.elements[e], m, group.seen[e], d);
}

template <int L>
static void push_shell(const MomentGroup& group, const Shell& shell, Arena& arena, const Moments& m,
                       double* descriptors)
{
    nnp_scalar *y = take_rows(arena, m, shell.size), *change = take_rows(arena, m, shell.size);
    nnp_scalar* dg = take<nnp_scalar>(arena, (int64_t)m.n * shell.size);
    nnp_scalar* da = take_zeros<nnp_scalar>(arena, (int64_t)round_up(m.rows, ROWS) * m.stride);
    harmonics_of_lanes<L>(shell, m.first_row, y, change);
    for (int k = 0; k < shell.size; k += W) {
        real along = load(shell.x + k) * load(shell.dx + k) + load(shell.y + k) * load(shell.dy + k) +
                     load(shell.z + k) * load(shell.dz + k);
        for (int i = 0; i < m.n; ++i)
            store(dg + (int64_t)i * shell.size + k, along * load(m.dg + (int64_t)i * shell.size + k));
    }
    multiply_shell(group, shell, dg, y, m, da);
    multiply_shell(group, shell, m.g, change, m, da);
    apply_norms(group.norms.data(), m, da);
    push_moments(group, m, arena, da, descriptors);
    push_squares(group, shell, m, dg, descriptors);
}

// What depends on l_max: an instance for each.
struct ForDegree {
    void (*moments)(const MomentGroup&, const Shell&, int, Arena&, Moments&);
    void (*pull)(const MomentGroup&, const Shell&, const Moments&, const nnp_scalar*);
    void (*push)(const MomentGroup&, const Shell&, Arena&, const Moments&, double*);
};

template <int L>
constexpr ForDegree for_degree()
{
    return {moments_of_shell<L>, pull_neighbors<L>, push_shell<L>};
}

// Degrees as plan/moments.cpp (kernel_degree) rounds them.
static const ForDegree FOR_DEGREE[NNP_MOST_L + 1] = {for_degree<0>(),
                                                     for_degree<1>(),
                                                     for_degree<2>(),
                                                     for_degree<3>(),
                                                     for_degree<4>(),
                                                     for_degree<5>(),
                                                     for_degree<6>(),
                                                     for_degree<7>(),
                                                     for_degree<8>(),
                                                     {},
                                                     {},
                                                     {},
                                                     for_degree<12>(),
                                                     {},
                                                     {},
                                                     {},
                                                     for_degree<16>(),
                                                     {},
                                                     {},
                                                     {},
                                                     for_degree<20>()};

// Adds the group's functions to zeroed descriptors.
static void moment_forward(const MomentGroup& group, const Neighbors& nb, const Task& task, Arena& arena,
                           double* descriptors, KeptMoments& kept)
{
    if (group.only_sums()) {
        sums_forward(group, nb, task.n_elements, arena, descriptors, kept.terms);
        return;
    }
    make_shell(group.series, nb, task.n_elements, task.cutoff, arena, kept.shell);
    FOR_DEGREE[group.l_max].moments(group, kept.shell, task.n_elements, arena, kept.moments);
    functions_of_moments(group, kept.moments, arena, descriptors);
    add_squares(group, kept.shell, kept.moments, descriptors);
}

static void moment_backward(const MomentGroup& group, const Neighbors& nb, int n_elements, Arena& arena,
                            const KeptMoments& kept, const double* dl_dg)
{
    if (group.only_sums()) {
        sums_backward(group, nb, n_elements, kept.terms, dl_dg);
        return;
    }
    const Moments& m = kept.moments;
    nnp_scalar* d = take_zeros<nnp_scalar>(arena, (int64_t)round_up(m.rows, ROWS) * m.stride);
    pull_moments(group, m, arena, dl_dg, d);
    apply_norms(group.norms.data(), m, d);
    FOR_DEGREE[group.l_max].pull(group, kept.shell, m, d);
    pull_squares(group, kept.shell, m, dl_dg);
    deliver_shell(kept.shell, n_elements, nb);
}

// Adds dG along the neighbours' displacements to zeroed descriptors: dA = sum (dg_n/dr along) Y + g_n dY, then
// dG = dG/dA . dA.
static void moment_push_forward(const MomentGroup& group, const Neighbors& nb, int n_elements, Arena& arena,
                                const KeptMoments& kept, double* descriptors)
{
    if (group.only_sums())
        sums_push_forward(group, nb, n_elements, kept.terms, descriptors);
    else
        FOR_DEGREE[group.l_max].push(group, kept.shell, arena, kept.moments, descriptors);
}

}  // namespace nnp::NNP_TARGET

#endif
