// How far a neighbour list reaches beyond the cutoff: as the caller says, or as far as makes a step cheapest.
#ifndef NNP_CPU_SKIN_H
#define NNP_CPU_SKIN_H

#include <cstdint>

namespace nnp
{

// With a wide skin every step looks at more entries, with a narrow one the list is built more often:
//
//   cost of a step ~ (cutoff + skin)^3 (1 + BUILD / steps that a list lasts)
//
// where a list lasts skin / (the part of a skin that a step uses up), at least one step.
class Skin
{
public:
    // `width` < 0: begins with the default and follows the motion.
    Skin(double cutoff, double width);

    double width() const { return width_; }
    // A list lasted `steps` structures, until one had used up `used` of it (more than the width).
    void worn_out(double used, int64_t steps);

private:
    double cutoff_, width_;
    bool follows_;
};

}  // namespace nnp

#endif
