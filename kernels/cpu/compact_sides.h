// The neighbours of one atom sorted by distance, for compact functions: what a window sees is a range of lanes.
#ifndef NNP_CPU_COMPACT_SIDES_H
#define NNP_CPU_COMPACT_SIDES_H

#include "atom.h"
#include "compact.h"

namespace nnp::NNP_TARGET
{

// The neighbours of one element (or all), nearest first. The lanes behind `count`, enough for a vector that begins at
// any neighbour, are beyond every window. Derivatives gather here and go to the atom's own lanes at the end.
struct Side {
    int count, lanes;                              // lanes: whole vectors, a multiple of W
    int* lane;                                     // where each stands in Neighbors
    nnp_scalar *x, *y, *z, *r, *inverse, *charge;  // x, y, z: unit vector
    nnp_scalar *pull, *pull_x, *pull_y, *pull_z;   // dE/dr_ij = pull r_ij + (pull_x, ...)
    nnp_scalar *dx, *dy, *dz, *dr;                 // displacement, and along r; Mode::push_forward
};

static void take_side(Arena& arena, bool push, Side& s)
{
    nnp_scalar** arrays[] = {&s.x,      &s.y,      &s.z,      &s.r,  &s.inverse, &s.charge, &s.pull,
                             &s.pull_x, &s.pull_y, &s.pull_z, &s.dx, &s.dy,      &s.dz,     &s.dr};
    for (int a = 0; a < (push ? 14 : 10); ++a)
        *arrays[a] = take<nnp_scalar>(arena, s.lanes);
}

// Lanes [begin, end) of the atom, nearest first; n log n by merging runs, with no library code.
static void sort_lanes(const nnp_scalar* r, int* lane, int* spare, int n)
{
    for (int width = 1; width < n; width *= 2) {
        for (int begin = 0; begin < n; begin += 2 * width) {
            int middle = begin + width < n ? begin + width : n, end = middle + width < n ? middle + width : n;
            int a = begin, b = middle;
            for (int k = begin; k < end; ++k) {
                bool first = a < middle && (b >= end || !(r[lane[b]] < r[lane[a]]));
                spare[k] = lane[first ? a++ : b++];
            }
        }
        for (int k = 0; k < n; ++k)
            lane[k] = spare[k];
    }
}

static void fill_side(const Neighbors& nb, bool push, Side& s)
{
    for (int k = 0; k < s.lanes; ++k) {
        int from = k < s.count ? s.lane[k] : -1;
        nnp_scalar inverse = from < 0 ? 0 : nb.inverse[from];
        s.x[k] = from < 0 ? 0 : nb.x[from] * inverse;
        s.y[k] = from < 0 ? 0 : nb.y[from] * inverse;
        s.z[k] = from < 0 ? 0 : nb.z[from] * inverse;
        s.r[k] = from < 0 ? (nnp_scalar)1e30 : nb.r[from];
        s.inverse[k] = inverse;
        s.charge[k] = from < 0 ? 0 : nb.charge[from];
        s.pull[k] = s.pull_x[k] = s.pull_y[k] = s.pull_z[k] = 0;
        if (push) {
            s.dx[k] = from < 0 ? 0 : nb.dx[from];
            s.dy[k] = from < 0 ? 0 : nb.dy[from];
            s.dz[k] = from < 0 ? 0 : nb.dz[from];
            s.dr[k] = s.x[k] * s.dx[k] + s.y[k] * s.dy[k] + s.z[k] * s.dz[k];
        }
    }
}

// One element's neighbours, or those of all n_elements with ANY_ELEMENT.
static Side make_side(const Neighbors& nb, int element, int n_elements, bool push, Arena& arena)
{
    Side s = {};
    int first = element == ANY_ELEMENT ? 0 : element, last = element == ANY_ELEMENT ? n_elements : element + 1;
    for (int e = first; e < last; ++e)
        s.count += nb.elements[e].end - nb.elements[e].begin;
    s.lanes = round_up(s.count + W - 1, W);
    s.lane = take<int>(arena, s.count + 1);
    int n = 0;
    for (int e = first; e < last; ++e) {
        for (int k = nb.elements[e].begin; k < nb.elements[e].end; ++k)
            s.lane[n++] = k;
    }
    sort_lanes(nb.r, s.lane, take<int>(arena, s.count + 1), s.count);
    take_side(arena, push, s);
    fill_side(nb, push, s);
    return s;
}

// Takes a side's derivatives to the atom's lanes.
static void deliver(const Side& s, const Neighbors& nb)
{
    for (int k = 0; k < s.count; ++k) {
        int to = s.lane[k];
        nb.pull[to] += s.pull[k];
        nb.pull_x[to] += s.pull_x[k];
        nb.pull_y[to] += s.pull_y[k];
        nb.pull_z[to] += s.pull_z[k];
    }
}

// The windows of one group on one side.
struct Windowed {
    nnp_scalar *value, *slope;  // [window][lane] R_w (times the charge in weighted functions), (dR_w/dr) / r
    nnp_scalar* change;         // of R_w; Mode::push_forward
    Range* range;               // [window] lanes where it is not 0
};

static Windowed make_windows(const CompactGroup& g, const Side& s, bool push, Arena& arena)
{
    const int n = (int)g.windows.size();
    const int64_t size = (int64_t)n * s.lanes;
    const bool weighted = g.neighbor_1 == ANY_ELEMENT;
    Windowed w = {take_zeros<nnp_scalar>(arena, size), take_zeros<nnp_scalar>(arena, size),
                  push ? take_zeros<nnp_scalar>(arena, size) : nullptr, take<Range>(arena, n)};
    for (int i = 0; i < n; ++i) {
        const CompactWindow& c = g.windows[i];
        Range range = {0, s.count};
        while (range.begin < s.count && s.r[range.begin] <= (nnp_scalar)c.left)
            ++range.begin;
        while (range.end > range.begin && s.r[range.end - 1] >= (nnp_scalar)c.right)
            --range.end;
        w.range[i] = range;
        for (int k = range.begin / W * W; k < range.end; k += W) {
            const int64_t at = (int64_t)i * s.lanes + k;
            real value, slope;
            nnp_compact(c.core, c.asymmetric, load(s.r + k), (nnp_scalar)c.left, (nnp_scalar)c.right, &value, &slope);
            real weight = weighted ? load(s.charge + k) : splat(1);
            store(w.value + at, weight * value);
            store(w.slope + at, weight * slope * load(s.inverse + k));
            if (push)
                store(w.change + at, weight * slope * load(s.dr + k));
        }
    }
    return w;
}

}  // namespace nnp::NNP_TARGET

#endif
