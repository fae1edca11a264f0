// What pairs of moments count too much: a neighbour with itself, coefficient * sum_j g_n(r_ij)^2. The sums of a batch
// of atoms stand [n][atom]; n without squares stay 0.
#ifndef NNP_CPU_MOMENT_SQUARES_H
#define NNP_CPU_MOMENT_SQUARES_H

#include "moment_functions.h"
#include "moment_shell.h"

namespace nnp::NNP_TARGET
{

// Calls work(n, lanes) for each radial function with squares and the lanes that it sees.
template <class Work>
NNP_INLINE void for_square_lanes(const MomentGroup& group, const Shell& shell, Work work)
{
    int last = -1;
    for (size_t i = 0; i < group.squares.size(); ++i) {
        const int n = group.squares[i].n;
        for (size_t e = 0; n != last && e < group.seen.size(); ++e) {
            if (n >= group.seen[e].begin && n < group.seen[e].end)
                work(n, shell.elements[e]);
        }
        last = n;
    }
}

// sums[n] = factor * sum over the lanes that n sees of a_n b_n, of one atom.
static void squares_of_atom(const MomentGroup& group, const Shell& shell, const nnp_scalar* a, const nnp_scalar* b,
                            nnp_scalar factor, nnp_scalar* sums)
{
    for (size_t i = 0; i < group.squares.size(); ++i)
        sums[(int64_t)group.squares[i].n * W] = 0;
    for_square_lanes(group, shell, [&](int n, Range lanes) {
        real sum = {};
        const int64_t first = (int64_t)n * shell.size;
        for (int k = lanes.begin; k < lanes.end; k += W)
            sum += load(a + first + k) * load(b + first + k);
        sums[(int64_t)n * W] += factor * sum_lanes(sum);
    });
}

static void add_squares(const MomentGroup& group, const nnp_scalar* sums, nnp_scalar* functions)
{
    for (size_t i = 0; i < group.squares.size(); ++i) {
        const MomentSquare& s = group.squares[i];
        add_lanes(functions + s.index * W, (nnp_scalar)s.coefficient * load(sums + (int64_t)s.n * W));
    }
}

// weights[n] = twice the derivatives by the sums.
static void pull_squares(const MomentGroup& group, const nnp_scalar* dl_dg, nnp_scalar* weights)
{
    for (size_t i = 0; i < group.squares.size(); ++i)
        store(weights + (int64_t)group.squares[i].n * W, real{});
    for (size_t i = 0; i < group.squares.size(); ++i) {
        const MomentSquare& s = group.squares[i];
        add_lanes(weights + (int64_t)s.n * W, (nnp_scalar)(2 * s.coefficient) * load(dl_dg + s.index * W));
    }
}

// Adds to the pulls of an atom's shell.
static void pull_squares_of_atom(const MomentGroup& group, const Shell& shell, const nnp_scalar* g,
                                 const nnp_scalar* dg, const nnp_scalar* weights)
{
    for_square_lanes(group, shell, [&](int n, Range lanes) {
        const int64_t first = (int64_t)n * shell.size;
        for (int k = lanes.begin; k < lanes.end; k += W) {
            real slope = weights[(int64_t)n * W] * load(g + first + k) * load(dg + first + k);
            add_lanes(shell.pull + k, slope * load(shell.inverse + k));
        }
    });
}

}  // namespace nnp::NNP_TARGET

#endif
