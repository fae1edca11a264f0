// The cell as the kernels see it: three vectors around all atoms. Layouts: layout.inc.
#ifndef NNP_GPU_HOST_BOX_H
#define NNP_GPU_HOST_BOX_H

#include "cell.h"

#include <cstdint>
#include <vector>

namespace nnp::gpu
{

// A cell as callers give it, with the periodicity of its axes; rows of others mean nothing.
struct Lattice {
    Matrix vectors = {};
    std::array<bool, 3> periodic = {};

    bool any_free() const { return !(periodic[0] && periodic[1] && periodic[2]); }
    bool operator==(const Lattice& other) const;
};

// reach: a distance, as Cell has it in fractions. Throws Error(NNP_BAD_STRUCTURE) for a cell that is flat.
Cell make_cell(const Lattice& lattice, double reach);

// Cell vectors, completed along axes without periodicity so that all atoms lie inside.
struct Box {
    Cell cell;  // its reach: cutoff + skin as a fraction of the distance between opposite faces
    Vector origin = {};
    Vector units = {};  // points count in 1/units of a cell vector
    double reach = 0;   // cutoff + skin

    std::array<int32_t, 3> bins(int64_t n) const;
    // moved: how far an atom may go before the list is too old.
    std::vector<double> box_array(double moved) const;
    std::vector<double> frame_array(double scale, double limit, bool points_are_integers) const;
    // Another cell for the same points, and the largest relative change of a length on the way there.
    double strain_to(const Lattice& lattice) const;
    void set_vectors(const Lattice& lattice);
};

// positions: [n][3], looked at where an axis is not periodic. Throws Error(NNP_BAD_STRUCTURE) for a cell that is flat,
// or so small that neighbours lie too many cells away.
Box make_box(const Lattice& lattice, const std::vector<double>& positions, double reach);

}  // namespace nnp::gpu

#endif
