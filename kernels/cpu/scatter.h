// dE/dr_ij of an atom's neighbours to the gradient of all atoms, in fixed point, and to virials.
#ifndef NNP_CPU_SCATTER_H
#define NNP_CPU_SCATTER_H

#include "atom.h"

namespace nnp::NNP_TARGET
{

// Doubles that fill a vector, whatever the kernel's own precision.
constexpr int WIDE = NNP_VECTOR_BYTES / 8;
typedef double wide __attribute__((vector_size(NNP_VECTOR_BYTES)));
typedef int64_t wide_int __attribute__((vector_size(NNP_VECTOR_BYTES)));
typedef nnp_scalar narrow __attribute__((vector_size(WIDE * sizeof(nnp_scalar)), aligned(sizeof(nnp_scalar))));

NNP_INLINE wide load_wide(const nnp_scalar* p)
{
    return __builtin_convertvector(*reinterpret_cast<const narrow*>(p), wide);
}

NNP_INLINE wide load_doubles(const double* p)
{
    wide out;
    std::memcpy(&out, p, sizeof out);
    return out;
}

NNP_INLINE void store_doubles(double* p, wide v)
{
    std::memcpy(p, &v, sizeof v);
}

// Number c of the four of each row.
NNP_INLINE wide load_rows(const nnp_scalar* rows, int c)
{
    wide out;
    for (int l = 0; l < WIDE; ++l)
        out[l] = rows[4 * l + c];
    return out;
}

NNP_INLINE double sum_wide(wide v)
{
    for (int half = WIDE / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; ++l)
            v[l] += v[l + half];
    }
    return v[0];
}

NNP_INLINE int64_t sum_wide(wide_int v)
{
    int64_t sum = 0;
    for (int l = 0; l < WIDE; ++l)
        sum += v[l];
    return sum;
}

static void add_outer(const double* r, const double* g, double scale, int64_t* sums)
{
    for (int a = 0; a < 3; ++a) {
        for (int b = 0; b < 3; ++b)
            sums[3 * a + b] += (int64_t)(r[a] * g[b] * scale);
    }
}

// r_ij and dE/dr_ij of WIDE lanes from k on; 0 from `end` on.
struct Contribution {
    wide r[3], g[3];
};

NNP_INLINE Contribution contribution(const Neighbors& nb, int k, int end)
{
    const nnp_scalar *positions[3] = {nb.x, nb.y, nb.z}, *pulls[3] = {nb.pull_x, nb.pull_y, nb.pull_z};
    wide along = load_wide(nb.pull + k);
    if (nb.row_sums)
        along += load_rows(nb.row_sums + 4 * (int64_t)k, 0);
    wide_int lane;
    for (int l = 0; l < WIDE; ++l)
        lane[l] = l;
    const wide_int inside = lane < wide_int{} + (end - k);
    Contribution out;
    for (int c = 0; c < 3; ++c) {
        out.r[c] = load_wide(positions[c] + k);
        wide own = load_wide(pulls[c] + k);
        if (nb.row_sums)
            own += load_rows(nb.row_sums + 4 * (int64_t)k, c + 1);
        wide g = along * out.r[c] + own;
        out.g[c] = inside ? g : wide{};
    }
    return out;
}

NNP_INLINE void add_neighbor_virials(const Task& t, ThreadState& state, const Contribution& part, const int32_t* points,
                                     int count)
{
    for (int l = 0; l < count; ++l) {
        const double r[3] = {part.r[0][l], part.r[1][l], part.r[2][l]};
        const double g[3] = {part.g[0][l], part.g[1][l], part.g[2][l]};
        add_outer(r, g, t.virial_scale, state.neighbor_virials.data() + 9 * (int64_t)t.list.owner[points[l]]);
    }
}

// Sums over the atom's neighbours.
struct AtomSums {
    wide_int own[3];
    wide virial[6];
    wide largest;  // of |g_x| + |g_y| + |g_z|
};

NNP_INLINE void add_contribution(const Task& t, ThreadState& state, const Contribution& part, const int32_t* points,
                                 int count, AtomSums& sums)
{
    int64_t* gradient = state.gradient.data();
    wide_int fixed[3];
    for (int c = 0; c < 3; ++c) {
        fixed[c] = __builtin_convertvector(part.g[c] * t.gradient_scale, wide_int);
        sums.own[c] -= fixed[c];
    }
    alignas(64) int64_t lanes[3][WIDE];
    for (int c = 0; c < 3; ++c)
        std::memcpy(lanes[c], &fixed[c], sizeof fixed[c]);
    for (int l = 0; l < count; ++l) {
        int64_t* g = gradient + 3 * (int64_t)t.list.owner[points[l]];
        g[0] += lanes[0][l];
        g[1] += lanes[1][l];
        g[2] += lanes[2][l];
    }
    sums.virial[0] += part.r[0] * part.g[0];
    sums.virial[1] += part.r[1] * part.g[1];
    sums.virial[2] += part.r[2] * part.g[2];
    sums.virial[3] += part.r[1] * part.g[2];
    sums.virial[4] += part.r[0] * part.g[2];
    sums.virial[5] += part.r[0] * part.g[1];
    if (t.neighbor_virials)
        add_neighbor_virials(t, state, part, points, count);
}

// The larger one in each lane; what is not a number stays.
NNP_INLINE wide larger(wide a, wide b)
{
    wide top = a < b ? b : a;
    top = a == a ? top : a;
    return b == b ? top : b;
}

// Adds dE/dr_ij of all neighbours to the fixed-point gradient and, on request, to the atom's virial.
static void scatter(const Task& t, ThreadState& state, int64_t rank, const Neighbors& nb)
{
    AtomSums sums = {};
    for (int e = 0; e < t.n_elements; ++e) {
        const int end = nb.elements[e].end;
        for (int k = nb.elements[e].begin; k < end; k += WIDE) {
            Contribution part = contribution(nb, k, end);
            wide size = {};
            for (int c = 0; c < 3; ++c)
                size += part.g[c] < wide{} ? -part.g[c] : part.g[c];
            sums.largest = larger(sums.largest, size);
            wide_int small = size * t.gradient_scale < wide{} + t.gradient_limit;
            // else the engine sees the largest and repeats the call with a smaller scale
            if (sum_wide(small) == -WIDE)
                add_contribution(t, state, part, nb.points + k, end - k < WIDE ? end - k : WIDE, sums);
        }
    }
    double largest = state.largest_contribution;
    for (int l = 0; l < WIDE; ++l) {
        if (!(sums.largest[l] <= largest) && largest == largest)
            largest = sums.largest[l];
    }
    state.largest_contribution = largest;
    int64_t* own = state.gradient.data() + 3 * (int64_t)t.list.owner[t.list.self[rank]];
    for (int c = 0; c < 3; ++c)
        own[c] += sum_wide(sums.own[c]);
    if (t.virial) {
        for (int c = 0; c < 6; ++c)
            t.virials[6 * t.list.order[rank] + c] = sum_wide(sums.virial[c]);
    }
    if (!std::isfinite(largest))
        state.failure.report(FailureKind::not_finite, t.list.order[rank], -1, largest);
}

}  // namespace nnp::NNP_TARGET

#endif
