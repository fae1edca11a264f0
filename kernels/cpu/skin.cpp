#include "skin.h"

#include "defaults.h"

#include <algorithm>

namespace nnp
{
namespace
{

constexpr double BUILD = 8;  // what an entry costs in a build, over what it costs in a step: about 8 ns over 1
constexpr double NARROWEST = DEFAULT_SKIN / 3, WIDEST = DEFAULT_SKIN * 2.5;
constexpr int CHOICES = 14;

}  // namespace

Skin::Skin(double cutoff, double width) : cutoff_(cutoff), width_(width < 0 ? DEFAULT_SKIN : width), follows_(width < 0)
{
}

void Skin::worn_out(double used, int64_t steps)
{
    if (!follows_)
        return;
    const double per_step = used / static_cast<double>(steps);
    double lowest = 0;
    for (int i = 0; i < CHOICES; ++i) {
        double width = NARROWEST + (WIDEST - NARROWEST) * i / (CHOICES - 1), reach = cutoff_ + width;
        double lasts = std::max(1.0, width / per_step);
        double cost = reach * reach * reach * (1 + BUILD / lasts);
        if (i == 0 || cost < lowest) {
            lowest = cost;
            width_ = width;
        }
    }
}

}  // namespace nnp
