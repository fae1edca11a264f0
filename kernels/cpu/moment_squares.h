// What pairs of moments count too much: a neighbour with itself, coefficient * sum_j g_n(r_ij)^2.
#ifndef NNP_CPU_MOMENT_SQUARES_H
#define NNP_CPU_MOMENT_SQUARES_H

#include "moment_functions.h"
#include "moment_shell.h"

namespace nnp::NNP_TARGET
{

// Calls work(n, lanes) for each radial function with squares and the lanes that it sees.
template <class Work>
NNP_INLINE void for_square_lanes(const MomentGroup& group, const Shell& shell, int n, Work work)
{
    for (size_t e = 0; e < group.seen.size(); ++e) {
        if (n >= group.seen[e].begin && n < group.seen[e].end)
            work(shell.elements[e]);
    }
}

// descriptors += the squares' coefficients times sums[n], sums found once per n.
template <class Sum>
NNP_INLINE void spread_squares(const MomentGroup& group, double* descriptors, Sum sum_of)
{
    int last = -1;
    double sum = 0;
    for (size_t i = 0; i < group.squares.size(); ++i) {
        const MomentSquare& s = group.squares[i];
        if (s.n != last)
            sum = sum_of(s.n);
        last = s.n;
        descriptors[s.index] += s.coefficient * sum;
    }
}

// sum over the lanes that n sees of a_n b_n
static double product_over_lanes(const MomentGroup& group, const Shell& shell, int n, const nnp_scalar* a,
                                 const nnp_scalar* b)
{
    real sum = {};
    const int64_t first = (int64_t)n * shell.size;
    for_square_lanes(group, shell, n, [&](Range lanes) {
        for (int k = lanes.begin; k < lanes.end; k += W)
            sum += load(a + first + k) * load(b + first + k);
    });
    return sum_lanes_double(sum);
}

static void add_squares(const MomentGroup& group, const Shell& shell, const Moments& m, double* descriptors)
{
    spread_squares(group, descriptors, [&](int n) { return product_over_lanes(group, shell, n, m.g, m.g); });
}

// Adds to the pulls of the shell.
static void pull_squares(const MomentGroup& group, const Shell& shell, const Moments& m, const double* dl_dg)
{
    for (size_t i = 0; i < group.squares.size();) {
        const int n = group.squares[i].n;
        double weight = 0;
        for (; i < group.squares.size() && group.squares[i].n == n; ++i)
            weight += 2 * dl_dg[group.squares[i].index] * group.squares[i].coefficient;
        const int64_t first = (int64_t)n * shell.size;
        for_square_lanes(group, shell, n, [&](Range lanes) {
            for (int k = lanes.begin; k < lanes.end; k += W) {
                real slope = (nnp_scalar)weight * load(m.g + first + k) * load(m.dg + first + k);
                store(shell.pull + k, load(shell.pull + k) + slope * load(shell.inverse + k));
            }
        });
    }
}

// descriptors += the change with that of g, dg [n][lane].
static void push_squares(const MomentGroup& group, const Shell& shell, const Moments& m, const nnp_scalar* dg,
                         double* descriptors)
{
    spread_squares(group, descriptors, [&](int n) { return 2 * product_over_lanes(group, shell, n, m.g, dg); });
}

}  // namespace nnp::NNP_TARGET

#endif
