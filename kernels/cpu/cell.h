// A cell of any periodicity, and distances in it in fractional units.
#ifndef NNP_CPU_CELL_H
#define NNP_CPU_CELL_H

#include "nnp.h"

#include <array>

namespace nnp
{

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

double norm(const Vector& a);

struct Cell {
    Matrix vectors{}, inverse{};  // axes without periodicity completed to a basis
    std::array<bool, 3> periodic{};
    Vector reach{};  // a distance in fractional units

    // Takes the cell of a structure. Throws Error if it is flat.
    void set(const nnp_structure& structure, double distance);
};

}  // namespace nnp

#endif
