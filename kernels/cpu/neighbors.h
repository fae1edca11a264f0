// Neighbour list with a skin. Convention: r_ij = r_j - r_i + shift @ cell, cell vectors as rows.
//
// Periodic images that any atom can see are points of their own, so that the kernels see no cell: a point is an atom
// and a shift; its position follows the atom and the cell at every step. At a build atoms are wrapped into the cell,
// points are sorted by bins of half a reach, and the atoms get ranks in that order (memory next to space).
//
// What the kernels see depends on the structure alone, not on when the list was built or how far it reaches, so that no
// result does, bit for bit: entries of one element are sorted by the caller's index, then by shift; the kernels drop
// what is beyond the cutoff; and an atom that left its home cell after the build is seen from its home of now.
//
//   rank 0..n-1  --self-->  point  --owner-->  rank         order[rank] = the caller's atom index
//   entries of rank i: points, sorted by element; those of element e are starts[i][e] .. starts[i][e+1]
#ifndef NNP_CPU_NEIGHBORS_H
#define NNP_CPU_NEIGHBORS_H

#include "cell.h"
#include "nnp.h"
#include "skin.h"
#include "thread_pool.h"

#include <array>
#include <vector>

namespace nnp
{

struct Point {
    double x, y, z, unused;
};

// What the kernels read.
struct ListView {
    const Point* points;
    const int32_t* owner;           // [points] whose gradient it is: a rank, in a domain an atom
    const int32_t* self;            // [n] point
    const int64_t* order;           // [n] caller's index, by rank
    const int32_t* elements;        // [n] by rank
    const int32_t* const* entries;  // [n] first entry of each rank
    const int32_t* starts;          // [n][n_elements + 1] relative to entries
    const int64_t* owner_index;     // caller's index, by owner
};

// Which of the points [begin, end) lie within a reach (squared) of a centre: their numbers to `out`, which has room for
// all and 8 more; returns how many. One per instruction set.
struct Coordinates {
    const double *x, *y, *z;  // readable for a vector's length beyond the last point
};
typedef int (*Within)(const Coordinates& points, int begin, int end, const double* centre, double reach2, int32_t* out);

struct Grid;
class IndexSort;

class NeighborList
{
public:
    NeighborList(double cutoff, const Skin& skin, int n_elements, Within within)
        : cutoff_(cutoff), skin_(skin), n_elements_(n_elements), within_(within)
    {
    }

    // Follows the structure: moves the points, rebuilds when an atom may have crossed the skin. True if it rebuilt.
    // `elements` [n] are element indices by caller's index. Throws Error.
    bool update(const nnp_structure& structure, const std::vector<int32_t>& elements, ThreadPool& pool);

    ListView view() const;
    int64_t n_entries() const;
    int64_t n_points() const { return static_cast<int64_t>(points_.size()); }
    int most_entries() const { return most_entries_; }  // of any atom
    size_t bytes() const;

private:
    struct Shift {
        int32_t a, b, c;
    };
    // A rank that left its home cell after the build, and what the list has for it.
    struct Crossing {
        int32_t rank, self;
        const int32_t* entries;
        Shift change;
    };
    static constexpr int CHUNK = 128;  // ranks that share one array of entries

    double cutoff_;
    Skin skin_;
    int n_elements_;
    Within within_;
    int most_entries_ = 0;
    int64_t n_atoms_ = -1;
    int64_t age_ = 0;  // structures since the build
    Cell cell_;        // of the last build; its reach is cutoff + skin
    std::array<int32_t, 3> largest_shift_{};
    std::vector<double> built_;  // caller's positions at the build
    std::vector<int32_t> built_elements_, elements_, owner_, self_, starts_;
    std::vector<Point> points_;
    std::vector<double> coordinates_;      // of a build: all x, then y, then z
    std::vector<int32_t> point_elements_;  // of a build
    std::vector<int32_t> number_, point_;  // of a build: a point's place by caller's index and shift, and the reverse
    std::vector<Shift> shifts_;
    std::vector<int64_t> order_;
    std::vector<std::vector<int32_t>> entries_;  // per chunk
    std::vector<const int32_t*> first_entry_;
    std::vector<Crossing> crossings_;       // their points stand behind those of the build
    std::vector<int32_t> crossed_entries_;  // one crossing after the other

    size_t n_built_points() const { return shifts_.size(); }
    bool still_valid(const nnp_structure& structure, const std::vector<int32_t>& elements);
    void build(const nnp_structure& structure, const std::vector<int32_t>& elements, ThreadPool& pool);
    void make_points(const nnp_structure& structure, std::vector<Vector>& fractions);
    void sort_points(const Grid& grid, const std::vector<Vector>& fractions, const std::vector<int32_t>& elements);
    Point image(const nnp_structure& structure, int32_t point, const Shift& change) const;
    void move_points(const nnp_structure& structure);
    void forget_crossings();
    void follow_crossings(const nnp_structure& structure);
    void find_entries(const Grid& grid, ThreadPool& pool);
    void find_chunk(const Grid& grid, const Coordinates& coordinates, int64_t chunk, IndexSort& sort);
    int collect(const Grid& grid, const Coordinates& coordinates, int32_t self, std::vector<int32_t>& found) const;
};

}  // namespace nnp

#endif
