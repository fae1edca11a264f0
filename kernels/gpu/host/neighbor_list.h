// The neighbour list on the device: when it is made, and all buffers of one set of atoms. Its kernels: list.cc.
#ifndef NNP_GPU_HOST_NEIGHBOR_LIST_H
#define NNP_GPU_HOST_NEIGHBOR_LIST_H

#include "box.h"
#include "programs.h"

#include <memory>

namespace nnp::gpu
{

class NeighborList
{
public:
    NeighborList(const Device& device, Programs& programs, const Model& model, double skin);

    // Whether these are the atoms that were last followed; null: not looked at.
    bool is_of(int64_t n, const int64_t* numbers, const std::array<bool, 3>* periodic) const;
    // Takes atoms and lattice; drops the list where it cannot hold any more. Throws Error(NNP_UNKNOWN_ELEMENT).
    void follow(int64_t n, const int64_t* numbers, const Lattice& lattice);
    // Takes a lattice; keeps the list across a small change, at the cost of a part of the skin.
    void follow_lattice(const Lattice& lattice);
    // Makes the list of the atoms last followed, at the positions of Slot::positions. along_free_axes: the same on the
    // host, looked at where an axis is not periodic.
    void build(const std::vector<double>& along_free_axes);
    void drop() { valid_ = false; }
    bool valid() const { return valid_; }

    // Forces are summed in 1/scale eV/Å.
    void set_scale(double scale);
    double scale() const { return scale_; }

    // Points and cleared forces; whether the list still holds.
    void place();
    // How many extrapolations there is room for.
    void set_room(int64_t extrapolations);
    int64_t room() const { return outside.size() / 3; }

    int64_t n() const { return n_; }
    int64_t builds() const { return builds_; }
    int64_t most() const { return most_; }  // list entries of an atom
    int64_t generation() const { return generation_; }
    const Lattice& lattice() const { return lattice_; }
    const std::vector<int32_t>& elements() const { return elements_host_; }

    Buffer positions, elements_there, forces, energies, virials, status, outside, state;
    std::vector<std::unique_ptr<Buffer>> atoms;  // per element, neighbours in space next to each other

private:
    Programs& programs_;
    const Model& model_;
    double cutoff_, skin_, scale_;
    int64_t n_ = 0, builds_ = 0, most_ = 0, generation_ = 0;
    bool valid_ = false;
    std::vector<int64_t> numbers_;
    std::vector<int32_t> elements_host_;
    Lattice lattice_;
    Box built_, now_;
    Buffer built_at_, points_, bin_of_, dropped_, sorted_, counts_, row_starts_, entries_, bin_counts_, bin_starts_;
    Buffer box_, frame_, grid_, known_;

    void allocate(int64_t n);
    void bind();
    void strain();
    void sort_into_bins(int64_t n_bins);
    void find_neighbors();
    int64_t total(const std::vector<int32_t>& state) const;
    void order_atoms();
};

}  // namespace nnp::gpu

#endif
