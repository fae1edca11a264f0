#include "failures.h"

#include "layout.h"
#include "positions.h"

#include <algorithm>
#include <cmath>

namespace nnp::gpu
{
namespace
{

constexpr double FARTHEST = 1e150;  // its square is a number

// The atom that lies on this one, or itself: its own image.
int64_t partner_of(int64_t atom, const std::vector<double>& positions, const Lattice& lattice)
{
    Cell cell = make_cell(lattice, 1);
    int64_t nearest = atom;
    double least = 1e-5;  // Å; the kernels see 1e-6
    for (int64_t j = 0; j < static_cast<int64_t>(positions.size()) / 3; ++j) {
        Vector apart, fractions = {};
        for (int c = 0; c < 3; ++c) {
            apart[c] = positions[3 * j + c] - positions[3 * atom + c];
            for (int a = 0; a < 3; ++a)
                fractions[a] += apart[c] * cell.inverse[c][a];
        }
        for (int a = 0; a < 3; ++a) {
            for (int c = 0; c < 3; ++c)
                apart[c] -= cell.periodic[a] ? std::rint(fractions[a]) * cell.vectors[a][c] : 0;
        }
        if (j != atom && norm(apart) < least) {
            nearest = j;
            least = norm(apart);
        }
    }
    return nearest;
}

}  // namespace

void refuse_lost(const std::vector<double>& positions)
{
    for (size_t i = 0; i < positions.size(); i += 3) {
        const double* r = &positions[i];
        int64_t atom = static_cast<int64_t>(i / 3);
        require_finite(r, atom);
        double farthest = std::max({std::abs(r[0]), std::abs(r[1]), std::abs(r[2])});
        if (farthest > FARTHEST)
            throw Error(NNP_LOST_POSITION,
                        "position of atom " + std::to_string(atom) + " is too far away: (" + to_text(r[0]) + ", " +
                            to_text(r[1]) + ", " + to_text(r[2]) + ")",
                        {atom, -1, farthest});
    }
}

bool judge(const std::vector<int32_t>& status, const std::vector<double>& positions, const Lattice& lattice,
           bool is_last_scale, bool allow_not_finite)
{
    int64_t n = static_cast<int64_t>(status.size()), broken = -1;
    for (int64_t i = n - 1; i >= 0; --i) {
        if ((status[i] & STATUS_NOT_FINITE) || (status[i] && is_last_scale))
            broken = i;
    }
    for (int64_t i = 0; i < n; ++i) {
        if (!(status[i] & STATUS_OVERLAP))
            continue;
        int64_t other = partner_of(i, positions, lattice);
        throw Error(NNP_OVERLAP,
                    "atoms " + std::to_string(std::min(i, other)) + " and " + std::to_string(std::max(i, other)) +
                        " are in the same place: remove one of them",
                    {std::min(i, other), std::max(i, other), 0});
    }
    if (broken >= 0 && !allow_not_finite)
        throw Error(NNP_NOT_FINITE,
                    "energy or force of atom " + std::to_string(broken) +
                        " is not finite: the structure is far outside what the potential was trained on; look at "
                        "the atoms around this one",
                    {broken});
    return broken >= 0;
}

}  // namespace nnp::gpu
