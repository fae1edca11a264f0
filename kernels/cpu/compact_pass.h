// Compact angular functions of one atom (plan/compact.h), block of pairs by block (compact_pairs.h).
#ifndef NNP_CPU_COMPACT_PASS_H
#define NNP_CPU_COMPACT_PASS_H

#include "compact_pairs.h"

namespace nnp::NNP_TARGET
{

// dtheta/dcos, 0 at exact collinearity.
NNP_INLINE real angle_slope(real cosine)
{
    real sine2 = ((nnp_scalar)1 - cosine) * ((nnp_scalar)1 + cosine);
    real inverse = inverse_square_root(sine2 > real{} ? sine2 : splat(1));
    return sine2 > real{} ? -inverse : real{};
}

// A_a, and their slopes.
template <bool SLOPES>
static void fill_angles(const CompactGroup& g, PairBlock& b)
{
    for (int p = 0; p < b.count; p += W)
        store(b.theta + p, arc_cosine(load(b.cosine + p)));
    for (size_t a = 0; a < g.angles.size(); ++a) {
        const CompactWindow window = g.angles[a];
        nnp_scalar *values = b.angle + a * b.stride, *slopes = b.slope + a * b.stride;
        for (int p = 0; p < b.count; p += W) {
            real value, slope;
            nnp_compact(window.core, 0, load(b.theta + p), (nnp_scalar)window.left, (nnp_scalar)window.right, &value,
                        &slope);
            store(values + p, value);
            if (SLOPES)
                store(slopes + p, slope);
        }
    }
}

// R_w(r_jk) into the products of narrow functions.
template <bool SLOPES>
static void join_third(const CompactGroup& g, PairBlock& b)
{
    for (size_t w = 0; w < g.windows.size(); ++w) {
        const CompactWindow window = g.windows[w];
        for (uint32_t left = b.seen[w]; left; left &= left - 1) {
            const int p = __builtin_ctz(left) * W;
            const int64_t at = w * b.stride + p;
            real value, slope, product = load(b.product + at);
            nnp_compact(window.core, window.asymmetric, load(b.distance + p), (nnp_scalar)window.left,
                        (nnp_scalar)window.right, &value, &slope);
            store(b.product + at, product * value);
            if (SLOPES) {
                store(b.third + at, value);
                store(b.third_slope + at, product * slope);
            }
        }
    }
}

// Up to so many members of a window at once; one call each from a table.
constexpr int MOST_MEMBERS = 8;

// Sums over the block's pairs of N members of window w; nothing is added to the sums behind them.
template <int N>
static void sum_members(const CompactGroup& g, const PairBlock& b, size_t w, int first, const nnp_scalar* products,
                        const nnp_scalar* angles, double* sums)
{
    real total[MOST_MEMBERS] = {};
    const nnp_scalar *product = products + w * b.stride, *angle[N];
    NNP_UNROLL for (int m = 0; m < N; ++m) angle[m] = angles + g.members[first + m].angle * b.stride;
    for (uint32_t left = b.seen[w]; left; left &= left - 1) {
        const int p = __builtin_ctz(left) * W;
        real factor = load(product + p);
        NNP_UNROLL for (int m = 0; m < N; ++m) total[m] += factor * load(angle[m] + p);
    }
    add_lane_sums_double(sums + first, total[0], total[1], total[2], total[3]);
    if (N > 4)
        add_lane_sums_double(sums + first + 4, total[4], total[5], total[6], total[7]);
}

// dL/dG to the products and angles, from N members of window w.
template <int N>
static void pull_members(const CompactGroup& g, PairBlock& b, size_t w, int first, const nnp_scalar* weights)
{
    real weight[N];
    const nnp_scalar *product = b.product + w * b.stride, *angle[N];
    nnp_scalar *by_product = b.d_product + w * b.stride, *by_angle[N];
    NNP_UNROLL for (int m = 0; m < N; ++m)
    {
        const int64_t at = g.members[first + m].angle * b.stride;
        angle[m] = b.angle + at;
        by_angle[m] = b.d_angle + at;
        weight[m] = splat(weights[first + m]);
    }
    for (uint32_t left = b.seen[w]; left; left &= left - 1) {
        const int p = __builtin_ctz(left) * W;
        real factor = load(product + p), sum = load(by_product + p);
        NNP_UNROLL for (int m = 0; m < N; ++m)
        {
            sum += weight[m] * load(angle[m] + p);
            store(by_angle[m] + p, load(by_angle[m] + p) + weight[m] * factor);
        }
        store(by_product + p, sum);
    }
}

constexpr decltype(&sum_members<1>) SUM_MEMBERS[] = {sum_members<1>, sum_members<2>, sum_members<3>, sum_members<4>,
                                                     sum_members<5>, sum_members<6>, sum_members<7>, sum_members<8>};
constexpr decltype(&pull_members<1>) PULL_MEMBERS[] = {pull_members<1>, pull_members<2>, pull_members<3>,
                                                       pull_members<4>, pull_members<5>, pull_members<6>,
                                                       pull_members<7>, pull_members<8>};

// f(window, first, count): all members of a window, a table's number at a time.
template <class F>
NNP_INLINE void each_window(const CompactGroup& g, F f)
{
    for (size_t w = 0; w < g.windows.size(); ++w) {
        for (int m = g.starts[w]; m < g.starts[w + 1]; m += MOST_MEMBERS) {
            const int left = g.starts[w + 1] - m;
            f(w, m, left < MOST_MEMBERS ? left : MOST_MEMBERS);
        }
    }
}

static void add_sums(const CompactGroup& g, const PairBlock& b, const nnp_scalar* products, const nnp_scalar* angles,
                     double* sums)
{
    each_window(g, [&](size_t w, int m, int n) { SUM_MEMBERS[n - 1](g, b, w, m, products, angles, sums); });
}

static void compact_forward(const CompactGroup& g, Arena& passing, const Compact& c, double* descriptors)
{
    passing.rewind();
    const size_t n = g.members.size();
    double* sums = take_zeros<double>(passing, n + MOST_MEMBERS);
    PairBlock b = take_block(g, false, passing);
    while (next_block(c, b)) {
        fill_geometry(g, c, b);
        fill_products<false, false>(g, c, b);
        fill_angles<false>(g, b);
        if (g.narrow)
            join_third<false>(g, b);
        add_sums(g, b, b.product, b.angle, sums);
    }
    for (size_t m = 0; m < n; ++m)
        descriptors[g.members[m].index] = sums[m];
}

// dL/dA_a to the cosines; the derivatives by the products of narrow functions to r_jk (over r_jk) and to the two
// sides' products.
static void pull_geometry(const CompactGroup& g, PairBlock& b)
{
    for (int p = 0; p < b.count; p += W) {
        real by_theta = {};
        for (size_t a = 0; a < g.angles.size(); ++a)
            by_theta += load(b.d_angle + a * b.stride + p) * load(b.slope + a * b.stride + p);
        store(b.d_cosine + p, by_theta * angle_slope(load(b.cosine + p)));
    }
    if (!g.narrow)
        return;
    std::memset(b.d_distance, 0, b.stride * sizeof(nnp_scalar));
    for (size_t w = 0; w < g.windows.size(); ++w) {
        for (uint32_t left = b.seen[w]; left; left &= left - 1) {
            const int p = __builtin_ctz(left) * W;
            const int64_t at = w * b.stride + p;
            real sum = load(b.d_product + at);
            store(b.d_product + at, sum * load(b.third + at));
            store(b.d_distance + p, load(b.d_distance + p) + sum * load(b.third_slope + at));
        }
    }
    for (int p = 0; p < b.count; p += W) {
        real r = load(b.distance + p);
        store(b.d_distance + p, load(b.d_distance + p) / (r > real{} ? r : splat(1)));
    }
}

static void compact_backward(const CompactGroup& g, Arena& passing, const Compact& c, const double* dl_dg)
{
    passing.rewind();
    const size_t n = g.members.size();
    nnp_scalar* weights = take<nnp_scalar>(passing, n);
    for (size_t m = 0; m < n; ++m)
        weights[m] = (nnp_scalar)dl_dg[g.members[m].index];
    PairBlock b = take_block(g, true, passing);
    while (next_block(c, b)) {
        fill_geometry(g, c, b);
        fill_products<true, false>(g, c, b);
        fill_angles<true>(g, b);
        if (g.narrow)
            join_third<true>(g, b);
        std::memset(b.d_angle, 0, g.angles.size() * b.stride * sizeof(nnp_scalar));
        each_window(g, [&](size_t w, int m, int n_now) { PULL_MEMBERS[n_now - 1](g, b, w, m, weights); });
        pull_geometry(g, b);
        pull_rows(g, c, b);
    }
}

// dA_a from dcos; the change of the products of narrow functions by r_jk.
static void push_products(const CompactGroup& g, PairBlock& b)
{
    for (int p = 0; p < b.count; p += W) {
        real d_theta = load(b.d_cosine + p) * angle_slope(load(b.cosine + p));
        for (size_t a = 0; a < g.angles.size(); ++a)
            store(b.d_angle + a * b.stride + p, load(b.slope + a * b.stride + p) * d_theta);
    }
    for (size_t w = 0; g.narrow && w < g.windows.size(); ++w) {
        for (uint32_t left = b.seen[w]; left; left &= left - 1) {
            const int p = __builtin_ctz(left) * W;
            const int64_t at = w * b.stride + p;
            store(b.d_product + at,
                  load(b.d_product + at) * load(b.third + at) + load(b.third_slope + at) * load(b.d_distance + p));
        }
    }
}

// dG along the neighbours' displacements.
static void compact_push_forward(const CompactGroup& g, Arena& passing, const Compact& c, double* descriptors)
{
    passing.rewind();
    const size_t n = g.members.size();
    double* sums = take_zeros<double>(passing, n + MOST_MEMBERS);
    PairBlock b = take_block(g, true, passing);
    while (next_block(c, b)) {
        fill_geometry(g, c, b);
        push_geometry(g, c, b);
        fill_products<true, true>(g, c, b);
        fill_angles<true>(g, b);
        if (g.narrow)
            join_third<true>(g, b);
        push_products(g, b);
        add_sums(g, b, b.d_product, b.angle, sums);
        add_sums(g, b, b.product, b.d_angle, sums);
    }
    for (size_t m = 0; m < n; ++m)
        descriptors[g.members[m].index] = sums[m];
}

}  // namespace nnp::NNP_TARGET

#endif
