// The caller's neighbour list as the kernels read one: every atom is a point that owns itself, ranks are centres. The
// rows are sorted by element chunk by chunk, by the thread that is about to use them.
#ifndef NNP_CPU_DOMAIN_H
#define NNP_CPU_DOMAIN_H

#include "model.h"
#include "neighbors.h"

#include <vector>

namespace nnp
{

class DomainList
{
public:
    // Takes over positions and centres; the rows are read later, by fill. Throws Error.
    void set(const nnp_domain& domain, const Model& model, int n_threads);

    // Sorts the rows of ranks [begin, end) into the thread's memory, where they stay until its next call.
    void fill(int64_t begin, int64_t end, int thread);

    ListView view() const;
    int64_t n_centres() const { return static_cast<int64_t>(order_.size()); }
    int64_t n_atoms() const { return static_cast<int64_t>(points_.size()); }
    int longest_row() const { return longest_row_; }
    // How often any one atom was listed within the cutoff since set or forget_listings.
    int most_listings() const;
    void forget_listings();
    size_t bytes() const;

private:
    struct Thread {
        std::vector<int32_t> entries, found;
        std::vector<int32_t> listings;  // [n_atoms]
    };

    nnp_domain domain_ = {};
    double cutoff2_ = 0;
    int n_elements_ = 0, longest_row_ = 0;
    std::vector<Point> points_;
    std::vector<int32_t> owner_, self_, elements_, starts_;
    std::vector<int64_t> order_, owner_index_;
    std::vector<const int32_t*> first_entry_;
    std::vector<char> is_centre_;
    std::vector<Thread> threads_;

    void take_points();
    void take_centres();
    int collect(int32_t centre, int32_t* found) const;
    void sort(const int32_t* found, int n, int32_t* entries, int32_t* starts) const;
};

}  // namespace nnp

#endif
