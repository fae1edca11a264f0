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

// Neighbours sorted by element. Behind each element's are lanes of padding to a whole vector, at least W - 1 where
// there are rows of pairs: points 4 cutoffs away, outside every function and every pair. All arrays have `size` lanes,
// a multiple of W.
struct Neighbors {
    int size;
    int end;          // of the last element's neighbours
    Range* elements;  // [n_elements] without padding
    int32_t* points;
    nnp_scalar *x, *y, *z, *r2, *r, *inverse, *charge;
    // dE/dr_ij = pull * r_ij + (pull_x, pull_y, pull_z), where row_sums[lane][4] are to be added to the four; null
    // where no function has rows of pairs
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

template <class T>
NNP_INLINE T* take_zeros(Arena& arena, int64_t count)
{
    T* values = take<T>(arena, count);
    std::memset(values, 0, count * sizeof(T));
    return values;
}

NNP_INLINE int round_up(int n, int multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

static void take_lanes(Arena& arena, Neighbors& nb, int capacity, bool push_forward, bool has_rows)
{
    nnp_scalar** arrays[] = {&nb.x,    &nb.y,      &nb.z,      &nb.r2,     &nb.r,  &nb.inverse, &nb.charge,
                             &nb.pull, &nb.pull_x, &nb.pull_y, &nb.pull_z, &nb.dx, &nb.dy,      &nb.dz};
    int count = push_forward ? 14 : 11;
    for (int a = 0; a < count; ++a)
        *arrays[a] = take<nnp_scalar>(arena, capacity);
    nb.points = take<int32_t>(arena, capacity);
    nb.row_sums = has_rows ? take<nnp_scalar>(arena, 4 * (int64_t)capacity) : nullptr;
}

// Padding behind the lanes before `n`, to whole vectors that leave at least `tail` lanes.
static int pad(Neighbors& nb, int n, int tail, double cutoff, int32_t self)
{
    int end = round_up(n + tail, W);
    for (; n < end; ++n) {
        nb.x[n] = (nnp_scalar)(4 * cutoff);
        nb.y[n] = nb.z[n] = 0;
        nb.r2[n] = (nnp_scalar)(16 * cutoff * cutoff);
        nb.points[n] = self;
    }
    return end;
}

// `has_rows`: whether pairs of neighbours will be made, whose rows need padding and sums of their own.
// False, with a report, when a neighbour lies on the atom.
static bool gather(const Task& t, ThreadState& state, int64_t rank, bool has_rows, Neighbors& nb)
{
    const ListView& list = t.list;
    const int32_t* starts = list.starts + rank * (t.n_elements + 1);
    const int32_t* entries = list.entries[rank];
    int32_t self = list.self[rank];
    const Point centre = list.points[self];
    double cutoff2 = t.cutoff * t.cutoff, nearest2 = cutoff2;
    int n = 0;
    nb.elements = take<Range>(state.arena, t.n_elements);
    take_lanes(state.arena, nb, starts[t.n_elements] + t.n_elements * 2 * W + W, t.mode == Mode::push_forward,
               has_rows);
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
        nb.size = pad(nb, n, has_rows ? W - 1 : 0, t.cutoff, self);
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
    if (has_rows)
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

}  // namespace nnp::NNP_TARGET

#endif
