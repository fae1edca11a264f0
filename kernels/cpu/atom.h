// One central atom: its neighbours within the cutoff as arrays of lanes, and what the passes leave for them.
#ifndef NNP_CPU_ATOM_H
#define NNP_CPU_ATOM_H

#include "kernel.h"
#include "simd.h"

namespace nnp::NNP_TARGET
{

// Closer than this counts as the same place (Å): angles there have no derivative.
constexpr double OVERLAP = 1e-6;

struct Range {
    int begin, end;
};

// Neighbours sorted by element. Behind each element's at least W - 1 lanes of padding: points 4 cutoffs away, outside
// every function and every pair. All arrays have `size` lanes, a multiple of W.
struct Neighbors {
    int size;
    int end;          // of the last element's neighbours
    Range* elements;  // [n_elements] without padding
    int32_t* points;
    nnp_scalar *x, *y, *z, *r2, *r, *inverse, *charge;
    // dE/dr_ij = pull * r_ij + (pull_x, pull_y, pull_z), where row_sums[lane][4] are to be added to the four
    nnp_scalar *pull, *pull_x, *pull_y, *pull_z;
    nnp_scalar* row_sums;
    // r_ij's displacement, Mode::push_forward
    nnp_scalar *dx, *dy, *dz;
};

template <class T>
NNP_INLINE T* take(Arena& arena, int64_t count)
{
    return static_cast<T*>(arena.take(sizeof(T) * count));
}

NNP_INLINE int round_up(int n, int multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

static void take_lanes(Arena& arena, Neighbors& nb, int capacity, bool push_forward)
{
    nnp_scalar** arrays[] = {&nb.x,    &nb.y,      &nb.z,      &nb.r2,     &nb.r,  &nb.inverse, &nb.charge,
                             &nb.pull, &nb.pull_x, &nb.pull_y, &nb.pull_z, &nb.dx, &nb.dy,      &nb.dz};
    int count = push_forward ? 14 : 11;
    for (int a = 0; a < count; ++a)
        *arrays[a] = take<nnp_scalar>(arena, capacity);
    nb.points = take<int32_t>(arena, capacity);
    nb.row_sums = take<nnp_scalar>(arena, 4 * (int64_t)capacity);
}

// Padding behind the lanes before `n`, to whole vectors that leave W - 1 lanes.
static int pad(Neighbors& nb, int n, double cutoff, int32_t self)
{
    int end = round_up(n + W - 1, W);
    for (; n < end; ++n) {
        nb.x[n] = (nnp_scalar)(4 * cutoff);
        nb.y[n] = nb.z[n] = 0;
        nb.r2[n] = (nnp_scalar)(16 * cutoff * cutoff);
        nb.points[n] = self;
    }
    return end;
}

// False, with a report, when a neighbour lies on the atom.
static bool gather(const Task& t, ThreadState& state, int64_t rank, Neighbors& nb)
{
    const ListView& list = t.list;
    const int32_t* starts = list.starts + rank * (t.n_elements + 1);
    const int32_t* entries = list.entries[rank];
    int32_t self = list.self[rank];
    const Point centre = list.points[self];
    double cutoff2 = t.cutoff * t.cutoff, nearest2 = cutoff2;
    int n = 0;
    nb.elements = take<Range>(state.arena, t.n_elements);
    take_lanes(state.arena, nb, starts[t.n_elements] + t.n_elements * 2 * W + W, t.mode == Mode::push_forward);
    for (int e = 0; e < t.n_elements; ++e) {
        int begin = n;
        for (int k = starts[e]; k < starts[e + 1]; ++k) {
            const Point& p = list.points[entries[k]];
            double x = p.x - centre.x, y = p.y - centre.y, z = p.z - centre.z;
            double r2 = x * x + y * y + z * z;
            nb.x[n] = (nnp_scalar)x;
            nb.y[n] = (nnp_scalar)y;
            nb.z[n] = (nnp_scalar)z;
            nb.r2[n] = (nnp_scalar)r2;
            nb.points[n] = entries[k];
            nearest2 = r2 < nearest2 ? r2 : nearest2;
            n += r2 < cutoff2;
        }
        nb.elements[e] = {begin, n};
        nb.end = n;
        nb.size = pad(nb, n, t.cutoff, self);
        nnp_scalar charge = (nnp_scalar)t.model->elements[e].atomic_number;
        for (int k = begin; k < nb.size; ++k)
            nb.charge[k] = charge;
        n = nb.size;
    }
    for (int k = 0; k < nb.size; k += W) {
        real r2 = load(nb.r2 + k), inverse = inverse_square_root(r2);
        store(nb.r + k, r2 * inverse);
        store(nb.inverse + k, inverse);
        store(nb.pull + k, real{});
        store(nb.pull_x + k, real{});
        store(nb.pull_y + k, real{});
        store(nb.pull_z + k, real{});
    }
    std::memset(nb.row_sums, 0, 4 * nb.size * sizeof(nnp_scalar));
    if (nearest2 >= OVERLAP * OVERLAP || t.cutoff == 0)
        return true;
    for (int k = 0; k < nb.size; ++k) {
        if (nb.r2[k] < (nnp_scalar)(OVERLAP * OVERLAP))
            state.failure.report(FailureKind::overlap, list.order[rank], list.owner_index[list.owner[nb.points[k]]],
                                 std::sqrt((double)nb.r2[k]));
    }
    return false;
}

// Displacements of the difference vectors, for push_forward: dr_j - dr_i + r_ij strain.
static void gather_displacements(const Task& t, int64_t rank, Neighbors& nb)
{
    static const double none[9] = {};
    const double* e = t.strain ? t.strain : none;
    const double* centre = t.displacement ? t.displacement + 3 * t.list.order[rank] : none;
    for (int k = 0; k < nb.size; ++k) {
        const double* d = t.displacement ? t.displacement + 3 * t.list.owner_index[t.list.owner[nb.points[k]]] : none;
        double x = nb.x[k], y = nb.y[k], z = nb.z[k];
        nb.dx[k] = (nnp_scalar)(d[0] - centre[0] + x * e[0] + y * e[3] + z * e[6]);
        nb.dy[k] = (nnp_scalar)(d[1] - centre[1] + x * e[1] + y * e[4] + z * e[7]);
        nb.dz[k] = (nnp_scalar)(d[2] - centre[2] + x * e[2] + y * e[5] + z * e[8]);
    }
}

static void add_outer(const double* r, const double* g, double scale, int64_t* sums)
{
    for (int a = 0; a < 3; ++a) {
        for (int b = 0; b < 3; ++b)
            sums[3 * a + b] += (int64_t)(r[a] * g[b] * scale);
    }
}

// Adds dE/dr_ij of all neighbours to the fixed-point gradient and, on request, to the atom's virial.
static void scatter(const Task& t, ThreadState& state, int64_t rank, const Neighbors& nb)
{
    const double scale = t.gradient_scale;
    int64_t* gradient = state.gradient.data();
    int64_t* own = gradient + 3 * (int64_t)t.list.owner[t.list.self[rank]];
    double largest = state.largest_contribution, virial[6] = {0, 0, 0, 0, 0, 0};
    for (int e = 0; e < t.n_elements; ++e) {
        for (int k = nb.elements[e].begin; k < nb.elements[e].end; ++k) {
            const nnp_scalar* row = nb.row_sums + 4 * k;
            double pull = (double)nb.pull[k] + (double)row[0], x = nb.x[k], y = nb.y[k], z = nb.z[k];
            double gx = pull * x + ((double)nb.pull_x[k] + (double)row[1]);
            double gy = pull * y + ((double)nb.pull_y[k] + (double)row[2]);
            double gz = pull * z + ((double)nb.pull_z[k] + (double)row[3]);
            double size = std::fabs(gx) + std::fabs(gy) + std::fabs(gz);
            if (!(size <= largest))
                largest = size;
            if (!(size * scale < t.gradient_limit))
                continue;  // the engine sees `largest` and repeats the call with a smaller scale
            int64_t* g = gradient + 3 * (int64_t)t.list.owner[nb.points[k]];
            int64_t ix = (int64_t)(gx * scale), iy = (int64_t)(gy * scale), iz = (int64_t)(gz * scale);
            g[0] += ix;
            g[1] += iy;
            g[2] += iz;
            own[0] -= ix;
            own[1] -= iy;
            own[2] -= iz;
            virial[0] += x * gx;
            virial[1] += y * gy;
            virial[2] += z * gz;
            virial[3] += y * gz;
            virial[4] += x * gz;
            virial[5] += x * gy;
            if (t.neighbor_virials) {
                const double r[3] = {x, y, z}, g[3] = {gx, gy, gz};
                add_outer(r, g, t.virial_scale,
                          state.neighbor_virials.data() + 9 * (int64_t)t.list.owner[nb.points[k]]);
            }
        }
    }
    state.largest_contribution = largest;
    if (t.virial) {
        for (int c = 0; c < 6; ++c)
            t.virials[6 * t.list.order[rank] + c] = virial[c];
    }
    if (!std::isfinite(largest))
        state.failure.report(FailureKind::not_finite, t.list.order[rank], -1, largest);
}

}  // namespace nnp::NNP_TARGET

#endif
