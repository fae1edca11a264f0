// Bins over points, so that a search for neighbours looks at near ones only.
#ifndef NNP_CPU_GRID_H
#define NNP_CPU_GRID_H

#include "cell.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace nnp
{

// Bins over the fractional coordinates of all points, the last axis fastest.
struct Grid {
    Vector low, per_bin;  // coordinate of the first bin's start; bins per fractional unit
    std::array<int, 3> n;
    std::vector<int32_t> starts;

    int axis_bin(int axis, double f) const
    {
        double bin = std::floor((f - low[axis]) * per_bin[axis]);
        return static_cast<int>(std::min(std::max(bin, 0.0), n[axis] - 1.0));
    }

    int64_t bin(const Vector& f) const
    {
        return (static_cast<int64_t>(axis_bin(0, f[0])) * n[1] + axis_bin(1, f[1])) * n[2] + axis_bin(2, f[2]);
    }

    Grid(const std::vector<Vector>& fractions, const Vector& reach)
    {
        Vector high = fractions[0];
        low = fractions[0];
        for (const Vector& f : fractions) {
            for (int a = 0; a < 3; ++a) {
                low[a] = std::min(low[a], f[a]);
                high[a] = std::max(high[a], f[a]);
            }
        }
        double most = 2.0 * static_cast<double>(fractions.size()) + 64;
        Vector count;
        for (int a = 0; a < 3; ++a)
            count[a] = std::max(1.0, std::floor(2 * (high[a] - low[a]) / reach[a]));
        while (count[0] * count[1] * count[2] > most) {
            int widest = count[0] >= count[1] && count[0] >= count[2] ? 0 : count[1] >= count[2] ? 1 : 2;
            count[widest] = std::max(1.0, std::floor(count[widest] / 2));
        }
        for (int a = 0; a < 3; ++a) {
            n[a] = static_cast<int>(count[a]);
            per_bin[a] = high[a] > low[a] ? count[a] / (high[a] - low[a]) : 0;
        }
        starts.assign(static_cast<size_t>(n[0]) * n[1] * n[2] + 1, 0);
    }
};

}  // namespace nnp

#endif
