#include "box.h"

#include "openmm/OpenMMException.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace nnp_openmm
{
namespace
{

constexpr int BOX_SIZE = 32, FRAME_SIZE = 14;
constexpr int LARGEST_SHIFT = 127;  // shifts have a byte each
constexpr double MARGIN = 1.0;      // Å around the atoms of a system without periodicity
constexpr int MOST_BINS = 1000;     // along an axis
constexpr int POINT_BITS = 30;

}  // namespace

Matrix Box::inverse() const
{
    OpenMM::Vec3 bc = cell[1].cross(cell[2]), ca = cell[2].cross(cell[0]), ab = cell[0].cross(cell[1]);
    double volume = cell[0].dot(bc);
    Matrix columns = {bc / volume, ca / volume, ab / volume};
    Matrix rows;
    for (int i = 0; i < 3; ++i)
        rows[i] = OpenMM::Vec3(columns[0][i], columns[1][i], columns[2][i]);
    return rows;
}

OpenMM::Vec3 Box::reach_fractions() const
{
    Matrix m = inverse();
    OpenMM::Vec3 fractions;
    for (int a = 0; a < 3; ++a)
        fractions[a] = reach * std::sqrt(m[0][a] * m[0][a] + m[1][a] * m[1][a] + m[2][a] * m[2][a]);
    return fractions;
}

OpenMM::Vec3 Box::units() const
{
    OpenMM::Vec3 fractions = reach_fractions(), units;
    for (int a = 0; a < 3; ++a)
        units[a] = std::exp2(POINT_BITS - std::max(0.0, std::ceil(std::log2(fractions[a] + 1))));
    return units;
}

std::vector<int> Box::bins(int n) const
{
    OpenMM::Vec3 fractions = reach_fractions();
    std::vector<int> counts(3);
    for (int a = 0; a < 3; ++a)
        counts[a] = static_cast<int>(std::clamp(std::floor(2 / fractions[a]), 1.0, double{MOST_BINS}));
    while (int64_t{counts[0]} * counts[1] * counts[2] > 2 * int64_t{n} + 64)
        *std::max_element(counts.begin(), counts.end()) /= 2;
    return counts;
}

std::vector<double> Box::box_array(double moved) const
{
    std::vector<double> out(BOX_SIZE, 0.0);
    Matrix m = inverse();
    OpenMM::Vec3 fractions = reach_fractions(), per_vector = units();
    for (int a = 0; a < 3; ++a) {
        for (int c = 0; c < 3; ++c) {
            out[3 * a + c] = cell[a][c];
            out[9 + 3 * a + c] = m[a][c];
        }
        out[18 + a] = fractions[a];
        out[21 + a] = origin[a];
        out[24 + a] = per_vector[a];
        out[27 + a] = periodic ? 1 : 0;
    }
    out[30] = moved * moved;
    out[31] = reach * reach;
    return out;
}

std::vector<double> Box::frame_array(double scale, double limit, bool points_are_integers) const
{
    std::vector<double> out(FRAME_SIZE, 0.0);
    OpenMM::Vec3 per_vector = points_are_integers ? units() : OpenMM::Vec3(1, 1, 1);
    for (int a = 0; a < 3; ++a) {
        for (int c = 0; c < 3; ++c)
            out[3 * a + c] = cell[a][c] / per_vector[a];
        out[9 + a] = per_vector[a];
    }
    out[12] = scale;
    out[13] = limit;
    return out;
}

Box make_box(const Matrix& cell, bool periodic, const std::vector<double>& positions, double reach)
{
    Box box = {cell, OpenMM::Vec3(), periodic, reach};
    if (!periodic) {
        for (int a = 0; a < 3; ++a) {
            double low = 0, high = 0;
            for (size_t i = a; i < positions.size(); i += 3) {
                low = i < 3 ? positions[i] : std::min(low, positions[i]);
                high = i < 3 ? positions[i] : std::max(high, positions[i]);
            }
            box.origin[a] = low - MARGIN;
            box.cell[a] = OpenMM::Vec3();
            box.cell[a][a] = high - low + 2 * MARGIN;
        }
        return box;
    }
    OpenMM::Vec3 fractions = box.reach_fractions();
    for (int a = 0; a < 3; ++a) {
        if (!(std::ceil(fractions[a]) + 1 <= LARGEST_SHIFT))
            throw OpenMM::OpenMMException("NNPForce: the box is so small along vector " + std::to_string(a) +
                                          " that neighbours lie " + std::to_string(fractions[a]) +
                                          " boxes away, at most " + std::to_string(LARGEST_SHIFT - 1) +
                                          " are allowed: simulate several copies of the cell");
    }
    return box;
}

}  // namespace nnp_openmm
