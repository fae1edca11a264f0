// One central atom: its neighbours within the cutoff as arrays of lanes, and what the passes leave for them.
#ifndef NNP_CPU_ATOM_H
#define NNP_CPU_ATOM_H

#include "kernel.h"
#include "lane_moves.h"

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

// Entries [begin, end) of a list that lie within the cutoff, behind the first n lanes; the new n. `nearest2` becomes
// the smallest squared distance.
NNP_INLINE int gather_entries(const ListView& list, const int32_t* entries, int begin, int end, const Point& centre,
                              double cutoff2, Neighbors& nb, int n, double& nearest2)
{
    int k = begin;
#if NNP_AVX512
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13),
                  third = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    __m512d nearest = _mm512_set1_pd(nearest2);
    for (; k < end; k += 8) {
        const int left = end - k;
        const __mmask8 there = (__mmask8)(left < 8 ? (1u << left) - 1u : 255u);
        const __m256i numbers = _mm256_maskz_loadu_epi32(there, entries + k);
        alignas(32) int32_t at[8];
        _mm256_store_si256(reinterpret_cast<__m256i*>(at), numbers);
        __m512d pairs[4];
        for (int i = 0; i < 4; ++i)
            pairs[i] = _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(&list.points[at[i]].x)),
                                          _mm256_loadu_pd(&list.points[at[i + 4]].x), 1);
        __m512d xz_0 = _mm512_unpacklo_pd(pairs[0], pairs[1]), xz_1 = _mm512_unpacklo_pd(pairs[2], pairs[3]);
        __m512d y_0 = _mm512_unpackhi_pd(pairs[0], pairs[1]), y_1 = _mm512_unpackhi_pd(pairs[2], pairs[3]);
        __m512d x = _mm512_sub_pd(_mm512_permutex2var_pd(xz_0, first, xz_1), _mm512_set1_pd(centre.x));
        __m512d y = _mm512_sub_pd(_mm512_permutex2var_pd(y_0, first, y_1), _mm512_set1_pd(centre.y));
        __m512d z = _mm512_sub_pd(_mm512_permutex2var_pd(xz_0, third, xz_1), _mm512_set1_pd(centre.z));
        __m512d r2 = x * x + y * y + z * z;
        const __mmask8 near = _mm512_mask_cmp_pd_mask(there, r2, _mm512_set1_pd(cutoff2), _CMP_LT_OQ);
        nearest = _mm512_mask_min_pd(nearest, near, nearest, r2);
        const __m128i order = _mm_cvtsi64_si128((long long)order_bytes(lane_tables.pack[near]));
        const __m256i order_32 = _mm256_cvtepu8_epi32(order);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(nb.points + n), _mm256_permutevar8x32_epi32(numbers, order_32));
        const __m512d values[4] = {x, y, z, r2};
        nnp_scalar* const to[4] = {nb.x + n, nb.y + n, nb.z + n, nb.r2 + n};
        for (int i = 0; i < 4; ++i) {
#if NNP_SINGLE
            _mm256_storeu_ps(to[i], _mm256_permutevar8x32_ps(_mm512_cvtpd_ps(values[i]), order_32));
#else
            _mm512_storeu_pd(to[i], _mm512_permutexvar_pd(_mm512_cvtepu8_epi64(order), values[i]));
#endif
        }
        n += __builtin_popcount(near);
    }
    nearest2 = _mm512_reduce_min_pd(nearest);
#endif
    for (; k < end; ++k) {
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
    return n;
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
    const double* reach = (*t.plan)[t.list.elements[rank]].reach.data();
    double nearest2 = t.cutoff * t.cutoff;
    int n = 0;
    nb.elements = take<Range>(state.arena, t.n_elements);
    take_lanes(state.arena, nb, starts[t.n_elements] + t.n_elements * 2 * W + W, t.mode == Mode::push_forward,
               has_rows);
    for (int e = 0; e < t.n_elements; ++e) {
        int begin = n;
        n = gather_entries(list, entries, starts[e], starts[e + 1], centre, reach[e] * reach[e], nb, n, nearest2);
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
