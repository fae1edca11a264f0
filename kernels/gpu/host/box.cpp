#include "box.h"

#include "error.h"
#include "layout.h"

#include <algorithm>
#include <cmath>

namespace nnp::gpu
{
namespace
{

constexpr int LARGEST_SHIFT = 127;  // shifts have a byte each
constexpr double MARGIN = 1.0;      // Å around the atoms along axes without periodicity
constexpr int MOST_BINS = 1000;     // along an axis
constexpr int POINT_BITS = 30;

// Stretches free axes around all atoms, from a corner of its own.
void enclose(Cell& cell, Vector& origin, const std::vector<double>& positions)
{
    Matrix vectors = cell.vectors;
    for (int a = 0; a < 3; ++a) {
        if (cell.periodic[a])
            continue;
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < positions.size(); i += 3) {
            double fraction = 0;
            for (int c = 0; c < 3; ++c)
                fraction += positions[i + c] * cell.inverse[c][a];
            low = std::min(low, fraction);
            high = std::max(high, fraction);
        }
        double length = high - low + 2 * MARGIN;
        for (int c = 0; c < 3; ++c) {
            origin[c] += (low - MARGIN) * vectors[a][c];
            cell.vectors[a][c] = length * vectors[a][c];
            cell.inverse[c][a] /= length;
        }
        cell.reach[a] /= length;
    }
}

void refuse_small(const Box& box)
{
    for (int a = 0; a < 3; ++a) {
        double cells = std::ceil(box.cell.reach[a]);
        if (box.cell.periodic[a] && !(cells + 1 <= LARGEST_SHIFT))
            throw Error(NNP_BAD_STRUCTURE,
                        "the cell is so small along axis " + std::to_string(a) + " that a neighbour at " +
                            to_text(box.reach) + " Å lies " + to_text(cells) + " cells away, at most " +
                            std::to_string(LARGEST_SHIFT - 1) + " are allowed: repeat the cell, or give a larger cell");
    }
}

// The largest singular value: the square root of the largest eigenvalue of m m^T, a symmetric matrix (by the roots of
// its characteristic polynomial, which are real: trigonometric form).
double largest_stretch(const Matrix& m)
{
    Matrix s = {};
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j)
            for (int c = 0; c < 3; ++c)
                s[i][j] += m[i][c] * m[j][c];
    double mean = (s[0][0] + s[1][1] + s[2][2]) / 3, off = s[0][1] * s[0][1] + s[0][2] * s[0][2] + s[1][2] * s[1][2];
    double a = s[0][0] - mean, b = s[1][1] - mean, c = s[2][2] - mean,
           p = std::sqrt((a * a + b * b + c * c + 2 * off) / 6);
    if (!(p > 0))
        return std::sqrt(mean);
    double determinant = a * (b * c - s[1][2] * s[1][2]) - s[0][1] * (s[0][1] * c - s[1][2] * s[0][2]) +
                         s[0][2] * (s[0][1] * s[1][2] - b * s[0][2]);
    double angle = std::acos(std::clamp(determinant / (2 * p * p * p), -1.0, 1.0)) / 3;
    return std::sqrt(mean + 2 * p * std::cos(angle));
}

}  // namespace

bool Lattice::operator==(const Lattice& other) const
{
    if (periodic != other.periodic)
        return false;
    for (int a = 0; a < 3; ++a) {
        if (periodic[a] && vectors[a] != other.vectors[a])
            return false;
    }
    return true;
}

Cell make_cell(const Lattice& lattice, double reach)
{
    nnp_structure structure = {};
    structure.cell = lattice.vectors[0].data();
    for (int a = 0; a < 3; ++a)
        structure.periodic[a] = lattice.periodic[a];
    Cell cell;
    cell.set(structure, reach);
    return cell;
}

Box make_box(const Lattice& lattice, const std::vector<double>& positions, double reach)
{
    Box box;
    box.cell = make_cell(lattice, reach);
    box.reach = reach;
    enclose(box.cell, box.origin, positions);
    for (int a = 0; a < 3; ++a)  // as fine as 32 bits allow for distances within reach
        box.units[a] = std::exp2(POINT_BITS - std::max(0.0, std::ceil(std::log2(box.cell.reach[a] + 1))));
    refuse_small(box);
    return box;
}

std::array<int32_t, 3> Box::bins(int64_t n) const
{
    std::array<int32_t, 3> counts;
    for (int a = 0; a < 3; ++a)
        counts[a] = static_cast<int32_t>(std::clamp(std::floor(2 / cell.reach[a]), 1.0, double{MOST_BINS}));
    while (int64_t{counts[0]} * counts[1] * counts[2] > 2 * n + 64)
        *std::max_element(counts.begin(), counts.end()) /= 2;
    return counts;
}

std::vector<double> Box::box_array(double moved) const
{
    std::vector<double> out(BOX_SIZE, 0.0);
    for (int a = 0; a < 3; ++a) {
        for (int c = 0; c < 3; ++c) {
            out[BOX_CELL + 3 * a + c] = cell.vectors[a][c];
            out[BOX_INVERSE + 3 * a + c] = cell.inverse[a][c];
        }
        out[BOX_REACH + a] = cell.reach[a];
        out[BOX_ORIGIN + a] = origin[a];
        out[BOX_UNITS + a] = units[a];
        out[BOX_PERIODIC + a] = cell.periodic[a];
    }
    out[BOX_MOVED2] = moved * moved;
    out[BOX_REACH2] = reach * reach;
    return out;
}

std::vector<double> Box::frame_array(double scale, double limit, bool points_are_integers) const
{
    std::vector<double> out(FRAME_SIZE, 0.0);
    for (int a = 0; a < 3; ++a) {
        double per_vector = points_are_integers ? units[a] : 1;
        for (int c = 0; c < 3; ++c)
            out[FRAME_CELL + 3 * a + c] = cell.vectors[a][c] / per_vector;
        out[FRAME_UNITS + a] = per_vector;
    }
    out[FRAME_SCALE] = scale;
    out[FRAME_LIMIT] = limit;
    return out;
}

double Box::strain_to(const Lattice& lattice) const
{
    Matrix change;
    for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) {
            change[i][j] = i == j ? -1 : 0;
            for (int a = 0; a < 3; ++a)
                change[i][j] += cell.inverse[i][a] * lattice.vectors[a][j];
        }
    }
    return largest_stretch(change);
}

void Box::set_vectors(const Lattice& lattice)
{
    cell = make_cell(lattice, reach);
}

}  // namespace nnp::gpu
