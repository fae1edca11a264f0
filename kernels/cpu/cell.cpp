#include "cell.h"

#include "error.h"

#include <cmath>

namespace nnp
{
namespace
{

constexpr double FLAT_CELL = 1e-8;  // volume over the product of the edges; nnp/structure.py has the same and why

Vector cross(const Vector& a, const Vector& b)
{
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double dot(const Vector& a, const Vector& b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Vector unit(const Vector& a)
{
    double length = norm(a);
    return {a[0] / length, a[1] / length, a[2] / length};
}

// A unit vector orthogonal to a.
Vector orthogonal(const Vector& a)
{
    int smallest = 0;
    for (int c = 1; c < 3; ++c) {
        if (std::abs(a[c]) < std::abs(a[smallest]))
            smallest = c;
    }
    Vector axis = {};
    axis[smallest] = 1;
    return unit(cross(a, axis));
}

// Fills the axes without periodicity with unit vectors orthogonal to the periodic ones.
void complete_basis(std::array<Vector, 3>& cell, const std::array<bool, 3>& periodic)
{
    for (int a = 0; a < 3; ++a) {
        int b = (a + 1) % 3, c = (a + 2) % 3;
        int count = periodic[b] + periodic[c];
        if (periodic[a] && count == 1) {
            int missing = periodic[b] ? c : b, other = periodic[b] ? b : c;
            cell[missing] = unit(cross(cell[a], cell[other]));
        } else if (periodic[a] && count == 0) {
            cell[b] = orthogonal(cell[a]);
            cell[c] = unit(cross(cell[a], cell[b]));
        }
    }
    if (!periodic[0] && !periodic[1] && !periodic[2])
        cell = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
}

}  // namespace

double norm(const Vector& a)
{
    return std::sqrt(dot(a, a));
}

void Cell::set(const nnp_structure& structure, double distance)
{
    double edges = 1;
    for (int a = 0; a < 3; ++a) {
        periodic[a] = structure.periodic[a] != 0;
        for (int c = 0; c < 3; ++c)
            vectors[a][c] = periodic[a] ? structure.cell[3 * a + c] : 0;
        edges *= periodic[a] ? norm(vectors[a]) : 1;
    }
    complete_basis(vectors, periodic);
    double volume = dot(vectors[0], cross(vectors[1], vectors[2]));
    if (!(std::abs(volume) > FLAT_CELL * edges) || !std::isfinite(volume))
        throw Error(NNP_BAD_STRUCTURE,
                    "the periodic cell vectors span no volume: they must be finite and linearly "
                    "independent");
    for (int a = 0; a < 3; ++a) {
        Vector column = cross(vectors[(a + 1) % 3], vectors[(a + 2) % 3]);
        for (int c = 0; c < 3; ++c)
            inverse[c][a] = column[c] / volume;
        reach[a] = distance * norm(column) / std::abs(volume);
    }
}

}  // namespace nnp
