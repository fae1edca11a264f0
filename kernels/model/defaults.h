// What callers may leave open; one value for all engines.
#pragma once

namespace nnp
{

constexpr double DEFAULT_SKIN = 0.6;  // reach of neighbour lists beyond the cutoff, length units of the potential (Å)

}  // namespace nnp
