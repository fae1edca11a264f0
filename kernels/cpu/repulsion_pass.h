// Repulsion of one atom's neighbours (nnp/zbl.h): half of each pair's energy is the atom's.
#ifndef NNP_CPU_REPULSION_PASS_H
#define NNP_CPU_REPULSION_PASS_H

#include "radial_pass.h"

namespace nnp::NNP_TARGET
{

// Energy of one vector of neighbours; (dE/dr) / r is added to their pull.
static double repel_lanes(const Repulsion& p, const Neighbors& nb, int k)
{
    real r = load(nb.r + k), phi = {}, d_phi = {}, v, dv;
    for (size_t i = 0; i < p.amplitudes.size(); ++i)
        nnp_zbl_exponential(r, (nnp_scalar)p.amplitudes[i], (nnp_scalar)p.decays[i], &phi, &d_phi);
    nnp_zbl(r, (nnp_scalar)p.scale, (nnp_scalar)p.r_outer, (nnp_scalar)p.inner_fraction, phi, d_phi, &v, &dv);
    store(nb.pull + k, load(nb.pull + k) + (nnp_scalar)0.5 * dv * load(nb.inverse + k));
    return 0.5 * sum_lanes_double(v);
}

// The atom's energy of all its repulsions, summed in double.
static double repel(const Element& element, const Neighbors& nb)
{
    double energy = 0;
    for (const Repulsion& p : element.repulsions) {
        Range range = lanes_of(nb, p.neighbor);
        for (int k = range.begin; k < range.end; k += W) {
            if (lanes_less(load(nb.r + k), splat((nnp_scalar)p.r_outer)))
                energy += repel_lanes(p, nb, k);
        }
    }
    return energy;
}

}  // namespace nnp::NNP_TARGET

#endif
