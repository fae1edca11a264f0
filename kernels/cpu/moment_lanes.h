// Moments of a batch of atoms of one element: an atom is a lane. What is made of the moments costs as much for one
// atom as for W, and no lane knows how many others are in use.
#ifndef NNP_CPU_MOMENT_LANES_H
#define NNP_CPU_MOMENT_LANES_H

#include "atom.h"
#include "moments.h"

namespace nnp::NNP_TARGET
{

constexpr int ROWS = 4;  // moments summed at once, by n and by lm

// Moments have their norms inside, derivatives by them the norms of the harmonics they will be multiplied with.
struct Moments {
    int n;                // radial functions
    int rows, first_row;  // of Y_lm: first_row .. first_row + rows - 1
    bool sees_all;        // every radial function every lane
    int whole;            // rows that each n has, a multiple of ROWS; those behind `rows` are zeros
    nnp_scalar *a, *d;    // [n][whole][atom] moments; derivatives by them, or Mode::push_forward their changes

    int64_t at(int n_, int row) const { return ((int64_t)n_ * whole + row - first_row) * W; }
    int64_t lanes() const { return (int64_t)n * whole * W; }
};

NNP_INLINE void add_lanes(nnp_scalar* to, real values)
{
    store(to, load(to) + values);
}

static Moments take_moments(const MomentGroup& group, Arena& arena)
{
    Moments m;
    m.n = group.series.n_functions;
    m.first_row = group.l_min * group.l_min;
    m.rows = NNP_HARMONICS(group.l_max) - m.first_row;
    m.sees_all = group.sees_all();
    m.whole = round_up(m.rows, ROWS);
    m.a = take_zeros<nnp_scalar>(arena, m.lanes());
    m.d = take_zeros<nnp_scalar>(arena, m.lanes());
    return m;
}

// Multiplies moments, or derivatives by them, with the norms of their harmonics.
static void apply_norms(const double* norms, const Moments& m, nnp_scalar* values)
{
    for (int i = 0; i < m.n; ++i) {
        for (int row = m.first_row; row < m.first_row + m.rows; ++row)
            store(values + m.at(i, row), (nnp_scalar)norms[row] * load(values + m.at(i, row)));
    }
}

}  // namespace nnp::NNP_TARGET

#endif
