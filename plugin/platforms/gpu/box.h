// The cell as the GPU kernels see it: three vectors around all atoms. Layouts: kernels/gpu/layout.inc.
#ifndef NNP_PLUGIN_BOX_H
#define NNP_PLUGIN_BOX_H

#include "openmm/Vec3.h"

#include <array>
#include <vector>

namespace nnp_openmm
{

using Matrix = std::array<OpenMM::Vec3, 3>;

struct Box {
    Matrix cell;          // Å; rows are vectors
    OpenMM::Vec3 origin;  // Å
    bool periodic;
    double reach;  // cutoff + skin, Å

    Matrix inverse() const;  // fraction = (r - origin) @ inverse
    OpenMM::Vec3 reach_fractions() const;
    OpenMM::Vec3 units() const;
    std::vector<int> bins(int n) const;
    // moved: how far an atom may go before the list is too old.
    std::vector<double> box_array(double moved) const;
    std::vector<double> frame_array(double scale, double limit, bool points_are_integers) const;
};

// Throws OpenMMException when the cell is too small for the kernels. positions: [n][3], Å.
Box make_box(const Matrix& cell, bool periodic, const std::vector<double>& positions, double reach);

}  // namespace nnp_openmm

#endif
