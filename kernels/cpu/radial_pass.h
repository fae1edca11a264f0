// Radial functions of one atom. Forward: values, and per neighbour and function the slope over the distance. Backward
// and push-forward only multiply those.
#ifndef NNP_CPU_RADIAL_PASS_H
#define NNP_CPU_RADIAL_PASS_H

#include "atom.h"

namespace nnp::NNP_TARGET
{

struct RadialSlopes {
    Range range;
    nnp_scalar* slopes;  // [member][lane] (dG/dr) / r
};

NNP_INLINE Range lanes_of(const Neighbors& nb, int element)
{
    return element == ANY_ELEMENT ? Range{0, nb.end} : nb.elements[element];
}

NNP_INLINE int parameter(int value)
{
    return value;
}
NNP_INLINE nnp_scalar parameter(double value)
{
    return (nnp_scalar)value;
}

// What a group's functions share.
struct RadialLanes {
    int begin, lanes;
    const nnp_scalar *f_c, *df_c;  // cutoff times charge, and its slope
};

// Sum of one function in each lane, and its slopes. `part` gives value and slope without cutoff and charge.
template <class Part>
NNP_INLINE real add_up(const RadialLanes& own, const Neighbors& nb, nnp_scalar* slopes, Part part)
{
    real sum = {};
    for (int k = 0; k < own.lanes; k += W) {
        real g, dg, f = load(own.f_c + k), df = load(own.df_c + k);
        part(load(nb.r + own.begin + k), g, dg);
        sum += g * f;
        store(slopes + k, (dg * f + g * df) * load(nb.inverse + own.begin + k));
    }
    return sum;
}

// A loop for each family: which one it is gets asked once.
NNP_INLINE real radial_function(const Function& p, const RadialLanes& own, const Neighbors& nb, nnp_scalar* slopes)
{
    switch (p.family) {
#define P(name) parameter(p.name)
#define NNP_CASE(number, call) \
    case number:               \
        return add_up(own, nb, slopes, [&p](real r, real& g, real& dg) __attribute__((always_inline)) { call; });
        NNP_RADIAL_FORMULAS(NNP_CASE)
#undef NNP_CASE
#undef P
    }
    return real{};
}

static void radial_forward(const RadialGroup& group, const Neighbors& nb, Arena& arena, double* descriptors,
                           RadialSlopes& out)
{
    out.range = lanes_of(nb, group.neighbor);
    int begin = out.range.begin, lanes = round_up(out.range.end - begin, W), n = (int)group.members.size();
    out.slopes = take<nnp_scalar>(arena, (int64_t)lanes * n);
    nnp_scalar* f_c = take<nnp_scalar>(arena, 2 * lanes + 1);
    nnp_scalar* df_c = f_c + lanes;
    for (int k = 0; k < lanes; k += W) {
        real f = splat(1), df = {};
        if (group.has_cutoff)
            nnp_cutoff(group.cutoff, load(nb.r + begin + k), (nnp_scalar)group.radius, (nnp_scalar)group.inner_fraction,
                       &f, &df);
        real weight = group.neighbor == ANY_ELEMENT ? load(nb.charge + begin + k) : splat(1);
        store(f_c + k, weight * f);
        store(df_c + k, weight * df);
    }
    for (int m = 0; m < n; ++m) {
        const RadialMember& member = group.members[m];
        real sum = radial_function(*member.function, {begin, lanes, f_c, df_c}, nb, out.slopes + (int64_t)m * lanes);
        descriptors[member.index] = sum_lanes_double(sum);
    }
}

static void radial_backward(const RadialGroup& group, const Neighbors& nb, const RadialSlopes& kept,
                            const double* dl_dg)
{
    int begin = kept.range.begin, lanes = round_up(kept.range.end - begin, W), n = (int)group.members.size();
    for (int k = 0; k < lanes; k += W) {
        real pull = load(nb.pull + begin + k);
        for (int m = 0; m < n; ++m)
            pull += (nnp_scalar)dl_dg[group.members[m].index] * load(kept.slopes + (int64_t)m * lanes + k);
        store(nb.pull + begin + k, pull);
    }
}

static void radial_push_forward(const RadialGroup& group, const Neighbors& nb, const RadialSlopes& kept,
                                double* descriptors)
{
    int begin = kept.range.begin, lanes = round_up(kept.range.end - begin, W), n = (int)group.members.size();
    for (int m = 0; m < n; ++m) {
        real sum = {};
        for (int k = 0; k < lanes; k += W) {
            int at = begin + k;
            real along = load(nb.x + at) * load(nb.dx + at) + load(nb.y + at) * load(nb.dy + at) +
                         load(nb.z + at) * load(nb.dz + at);
            sum += load(kept.slopes + (int64_t)m * lanes + k) * along;
        }
        descriptors[group.members[m].index] = sum_lanes_double(sum);
    }
}

}  // namespace nnp::NNP_TARGET

#endif
