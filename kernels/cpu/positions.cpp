#include "positions.h"

namespace nnp
{

void lost_position(const double* r, int64_t atom)
{
    double value = r[0];
    for (int c = 2; c >= 0; --c)
        value = std::isfinite(r[c]) ? value : r[c];
    throw Error(NNP_LOST_POSITION,
                "position of atom " + std::to_string(atom) + " is not finite: (" + to_text(r[0]) + ", " +
                    to_text(r[1]) + ", " + to_text(r[2]) + ")",
                {atom, -1, value});
}

}  // namespace nnp
