// Compact angular functions of one element and one pair of neighbour elements. Each is a product of windows:
//
//   function = sum over triples of R_w(r_ij) R_w(r_ik) [R_w(r_jk)] A_a(theta)
//
// Few windows serve many functions, so every window is evaluated once: R_w per neighbour, A_a per triple. Sorted by
// distance, the neighbours that a window sees are one range.
#ifndef NNP_PLAN_COMPACT_H
#define NNP_PLAN_COMPACT_H

#include <vector>

namespace nnp
{

struct CompactWindow {
    int core;  // of core.h
    bool asymmetric;
    double left, right;  // Å, or radians
};

struct CompactMember {
    int angle;  // window of the angle
    int index;  // position among the element's functions
};

struct CompactGroup {
    int neighbor_1, neighbor_2;  // element indices, or both ANY_ELEMENT
    bool narrow;
    std::vector<CompactWindow> windows, angles;
    std::vector<int> starts;  // members of window w: starts[w] .. starts[w + 1]
    std::vector<CompactMember> members;
};

}  // namespace nnp

#endif
