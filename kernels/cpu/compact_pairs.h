// Pairs (j, k) of one atom's sorted neighbours, row after row without gaps, so that short rows fill vectors too:
//
//   rows:   j = 0  k k k k k|j = 1  k k k k|j = 2  k k k|...
//   lanes:  k k k k k k k k  k k k k k k k k  ...
//
// What depends on both j and k (cosine, angle, sums over functions) stands per pair, in blocks that stay in the
// first-level cache; what depends on one of them is brought there, and derivatives back, row by row.
#ifndef NNP_CPU_COMPACT_PAIRS_H
#define NNP_CPU_COMPACT_PAIRS_H

#include "compact_sides.h"

namespace nnp::NNP_TARGET
{

constexpr int BLOCK_BYTES = 32768;
constexpr int LEAST_VECTORS = 4, MOST_VECTORS = 32;  // of a block; one bit each

// What one group keeps from the forward to the backward pass.
struct Compact {
    Side *one, *two;  // the same one for equal elements: then j < k
    Windowed windows_1, windows_2;
    Range* rows;  // [j] lanes k that some window sees together with j
};

// Part of a row: j and `count` lanes from k on, the block's pairs from `at` on.
struct Segment {
    int j, k, count, at;
};

// A vector of it: stored in turn, each overwrites what the one before had too much.
struct Piece {
    int j, k, at;
};

// A block of pairs. d_...: the derivative by it on the way back, its change in push_forward.
struct PairBlock {
    int most;  // pairs
    int next_j, next_k;
    int count, n_segments, n_pieces;
    bool dense;      // rows shorter than vectors: every window is taken to see every vector
    int64_t stride;  // lanes of each array
    Segment* segments;
    Piece* pieces;
    uint32_t* seen;                 // [window] bits: the vectors with pairs that it sees
    nnp_scalar *cosine, *distance;  // distance: r_jk, narrow functions
    nnp_scalar* theta;
    nnp_scalar *product, *angle;      // [window] R_w(r_ij) R_w(r_ik) [R_w(r_jk)], [angle] A_a
    nnp_scalar* slope;                // [angle] dA_a/dtheta
    nnp_scalar *third, *third_slope;  // [window] R_w(r_jk), d(product)/dr_jk
    nnp_scalar *d_cosine, *d_distance, *d_product, *d_angle;
};

static void take_compact(const CompactGroup& g, Side* one, Side* two, bool push, Arena& arena, Compact& c)
{
    const bool same = one == two;
    c = {one, two, make_windows(g, *one, push, arena), {}, take<Range>(arena, one->count + 1)};
    c.windows_2 = same ? c.windows_1 : make_windows(g, *two, push, arena);
    for (int j = 0; j < one->count; ++j)
        c.rows[j] = {two->count, 0};
    for (size_t w = 0; w < g.windows.size(); ++w) {
        const Range mine = c.windows_1.range[w], seen = c.windows_2.range[w];
        for (int j = mine.begin; j < mine.end; ++j) {
            const int begin = same && seen.begin <= j ? j + 1 : seen.begin;
            if (begin >= seen.end)
                break;
            Range& row = c.rows[j];
            row.begin = begin < row.begin ? begin : row.begin;
            row.end = seen.end > row.end ? seen.end : row.end;
        }
    }
}

// `derivatives`: for the way back or push_forward.
static PairBlock take_block(const CompactGroup& g, bool derivatives, Arena& arena)
{
    PairBlock b = {};
    const int windows = (int)g.windows.size(), angles = (int)g.angles.size(), narrow = g.narrow, more = derivatives;
    struct {
        nnp_scalar** array;
        int rows;
    } wanted[] = {{&b.cosine, 1},
                  {&b.distance, narrow},
                  {&b.theta, 1},
                  {&b.product, windows},
                  {&b.angle, angles},
                  {&b.slope, more * angles},
                  {&b.third, more * narrow * windows},
                  {&b.third_slope, more * narrow * windows},
                  {&b.d_cosine, more},
                  {&b.d_distance, more * narrow},
                  {&b.d_product, more * windows},
                  {&b.d_angle, more * angles}};
    int rows = 0;
    for (const auto& w : wanted)
        rows += w.rows;
    int vectors = BLOCK_BYTES / (rows * (int)sizeof(real));
    vectors = vectors < LEAST_VECTORS ? LEAST_VECTORS : vectors > MOST_VECTORS ? MOST_VECTORS : vectors;
    b.most = vectors * W;
    b.stride = b.most + W;  // whole vectors are written behind the last pair
    for (const auto& w : wanted)
        *w.array = take<nnp_scalar>(arena, w.rows * b.stride);
    b.segments = take<Segment>(arena, b.most);
    b.pieces = take<Piece>(arena, 2 * b.most);
    b.seen = take<uint32_t>(arena, windows);
    return b;
}

// Goes on to the next pairs; false where there are none left.
static bool next_block(const Compact& c, PairBlock& b)
{
    b.n_segments = b.n_pieces = b.count = 0;
    for (; b.next_j < c.one->count; ++b.next_j, b.next_k = 0) {
        const Range row = c.rows[b.next_j];
        const int k = row.begin > b.next_k ? row.begin : b.next_k, left = row.end - k, room = b.most - b.count;
        if (left <= 0)
            continue;
        if (room == 0)
            break;
        const int count = left < room ? left : room;
        b.segments[b.n_segments++] = {b.next_j, k, count, b.count};
        for (int i = 0; i < count; i += W)
            b.pieces[b.n_pieces++] = {b.next_j, k + i, b.count + i};
        b.count += count;
        b.next_k = k + count;
        if (left > room)
            break;
    }
    b.stride = round_up(b.count, W) + W;
    b.dense = b.n_segments * W > b.count;
    return b.count > 0;
}

// Cosines, and r_jk for narrow functions.
static void fill_geometry(const CompactGroup& g, const Compact& c, PairBlock& b)
{
    const Side &one = *c.one, &two = *c.two;
    for (int i = 0; i < b.n_pieces; ++i) {
        const auto [j, k, at] = b.pieces[i];
        real cosine = one.x[j] * load(two.x + k) + one.y[j] * load(two.y + k) + one.z[j] * load(two.z + k);
        cosine = cosine > splat(1) ? splat(1) : cosine;
        cosine = cosine < splat(-1) ? splat(-1) : cosine;
        store(b.cosine + at, cosine);
        if (!g.narrow)
            continue;
        real r = splat(one.r[j]), r_k = load(two.r + k), square = r * r + r_k * r_k - (nnp_scalar)2 * r * r_k * cosine;
        store(b.distance + at, square_root(square > real{} ? square : real{}));
    }
    store(b.cosine + b.count, real{});
    if (g.narrow)
        store(b.distance + b.count, real{});
}

// Bits first..last.
NNP_INLINE uint32_t bits_between(int first, int last)
{
    return (2u << last) - (1u << first);
}

static uint32_t vectors_seen(const PairBlock& b, Range mine, Range seen)
{
    uint32_t vectors = 0;
    for (int s = 0; s < b.n_segments; ++s) {
        const auto [j, first, count, at] = b.segments[s];
        const int begin = first > seen.begin ? first : seen.begin,
                  end = first + count < seen.end ? first + count : seen.end, shift = at - first;
        if (j >= mine.begin && j < mine.end && begin < end)
            vectors |= bits_between((shift + begin) / W, (shift + end - 1) / W);
    }
    return vectors;
}

// Products of the two sides' windows. DERIVATIVES: d_product too, 0 or (PUSH) its change.
template <bool DERIVATIVES, bool PUSH>
static void fill_products(const CompactGroup& g, const Compact& c, PairBlock& b)
{
    for (size_t w = 0; w < g.windows.size(); ++w) {
        const int64_t on_one = w * c.one->lanes, on_two = w * c.two->lanes;
        const nnp_scalar *own = c.windows_1.value + on_one, *side = c.windows_2.value + on_two;
        nnp_scalar *product = b.product + w * b.stride, *change = b.d_product + w * b.stride;
        b.seen[w] =
            b.dense ? bits_between(0, (b.count - 1) / W) : vectors_seen(b, c.windows_1.range[w], c.windows_2.range[w]);
        for (int i = 0; i < b.n_pieces; ++i) {
            const auto [j, k, at] = b.pieces[i];
            store(product + at, own[j] * load(side + k));
            if (PUSH)
                store(change + at,
                      own[j] * load(c.windows_2.change + on_two + k) + c.windows_1.change[on_one + j] * load(side + k));
        }
        store(product + b.count, real{});
        for (int p = PUSH ? b.count : 0; DERIVATIVES && p <= b.count; p += W)
            store(change + p, real{});
    }
}

// dcos and dr_jk, from the displacements.
static void push_geometry(const CompactGroup& g, const Compact& c, PairBlock& b)
{
    const Side &one = *c.one, &two = *c.two;
    for (int s = 0; s < b.n_segments; ++s) {
        const auto [j, first, count, at] = b.segments[s];
        for (int i = 0; i < count; i += W) {
            const int k = first + i;
            real cosine = load(b.cosine + at + i);
            real along_j = one.dx[j] * load(two.x + k) + one.dy[j] * load(two.y + k) + one.dz[j] * load(two.z + k);
            real along_k = load(two.dx + k) * one.x[j] + load(two.dy + k) * one.y[j] + load(two.dz + k) * one.z[j];
            real d_cosine = (along_j - cosine * one.dr[j]) * one.inverse[j] +
                            (along_k - cosine * load(two.dr + k)) * load(two.inverse + k);
            store(b.d_cosine + at + i, d_cosine);
            if (!g.narrow)
                continue;
            real r = load(b.distance + at + i), r_k = load(two.r + k), guarded = r > real{} ? r : splat(1);
            store(b.d_distance + at + i, ((one.r[j] - r_k * cosine) * one.dr[j] +
                                          (r_k - one.r[j] * cosine) * load(two.dr + k) - one.r[j] * r_k * d_cosine) /
                                             guarded);
        }
    }
    store(b.d_cosine + b.count, real{});
    if (g.narrow)
        store(b.d_distance + b.count, real{});
}

NNP_INLINE real only_first(int count, real value)
{
    real numbers;
    for (int l = 0; l < W; ++l)
        numbers[l] = (nnp_scalar)l;
    return numbers < splat((nnp_scalar)count) ? value : real{};
}

// Derivatives by the products, cosines and r_jk of the block to the neighbours.
static void pull_rows(const CompactGroup& g, const Compact& c, const PairBlock& b)
{
    const int n_windows = (int)g.windows.size();
    Side &one = *c.one, &two = *c.two;
    for (int s = 0; s < b.n_segments; ++s) {
        const auto [j, first, count, at] = b.segments[s];
        const nnp_scalar inverse_j = one.inverse[j], r_j = one.r[j], x = one.x[j], y = one.y[j], z = one.z[j];
        real row[4] = {};
        for (int i = 0; i < count; i += W) {
            const int k = first + i;
            real pull_j = {}, pull_k = {};
            for (int w = 0; w < n_windows; ++w) {
                const Range mine = c.windows_1.range[w], seen = c.windows_2.range[w];
                if (!b.dense && (j < mine.begin || j >= mine.end || k >= seen.end || k + W <= seen.begin))
                    continue;
                const int64_t on_one = w * one.lanes + j, on_two = w * two.lanes + k;
                real by_product = load(b.d_product + w * b.stride + at + i);
                pull_j += c.windows_1.slope[on_one] * (by_product * load(c.windows_2.value + on_two));
                pull_k += c.windows_1.value[on_one] * (by_product * load(c.windows_2.slope + on_two));
            }
            real by_cosine = load(b.d_cosine + at + i), opposite = {};
            if (g.narrow)
                opposite = load(b.d_distance + at + i);
            if (count - i < W) {
                pull_j = only_first(count - i, pull_j);
                pull_k = only_first(count - i, pull_k);
                by_cosine = only_first(count - i, by_cosine);
                opposite = only_first(count - i, opposite);
            }
            real cosine = load(b.cosine + at + i), inverse_k = load(two.inverse + k);
            real across = by_cosine * inverse_j * inverse_k - opposite;  // of the other vector, for each of the two
            row[0] += pull_j + opposite - by_cosine * cosine * (inverse_j * inverse_j);
            pull_k += opposite - by_cosine * cosine * inverse_k * inverse_k;
            real stretched = across * load(two.r + k);
            row[1] += stretched * load(two.x + k);
            row[2] += stretched * load(two.y + k);
            row[3] += stretched * load(two.z + k);
            across *= r_j;
            store(two.pull + k, load(two.pull + k) + pull_k);
            store(two.pull_x + k, load(two.pull_x + k) + across * x);
            store(two.pull_y + k, load(two.pull_y + k) + across * y);
            store(two.pull_z + k, load(two.pull_z + k) + across * z);
        }
        nnp_scalar sums[4] = {};
        add_lane_sums(sums, row[0], row[1], row[2], row[3]);
        one.pull[j] += sums[0];
        one.pull_x[j] += sums[1];
        one.pull_y[j] += sums[2];
        one.pull_z[j] += sums[3];
    }
}

}  // namespace nnp::NNP_TARGET

#endif
