// The neighbour list on the device: when it is made, and the atoms' arrays. Host side of kernels/gpu/list.cc.
#ifndef NNP_PLUGIN_NEIGHBOR_LIST_H
#define NNP_PLUGIN_NEIGHBOR_LIST_H

#include "box.h"
#include "program.h"

namespace nnp_openmm
{

class DeviceNeighborList
{
public:
    // elements: index of each atom's element in the potential.
    DeviceNeighborList(Program& program, double cutoff, double skin, const std::vector<int>& elements);

    // Makes the list of the atoms at `positions` in this cell (Å).
    void build(const Matrix& cell, bool periodic);
    bool holds(const Matrix& cell) const { return valid_ && (!box_.periodic || cell == cell_); }
    void drop() { valid_ = false; }
    // Every step: points, whether the list still holds, forces to zero.
    void place();

    // Forces are summed in 1/scale eV/Å.
    void set_scale(double scale);  // until the next list
    double scale() const { return scale_; }
    void set_room(int extrapolations);
    int n() const { return n_; }

    DeviceArray positions, built, points, forces, energies, virials, status, entries, row_starts, frame, state;
    std::vector<std::unique_ptr<DeviceArray>> atoms;  // per element, neighbours in space next to each other

private:
    Program& program_;
    double cutoff_, skin_, scale_;
    std::vector<int> elements_host_;
    int n_, most_ = 0, room_ = 0;
    bool valid_ = false;
    Box box_ = {};
    Matrix cell_ = {};
    DeviceArray box_array_, grid_, elements_, bin_of_, bin_counts_, bin_starts_, dropped_, sorted_, counts_;

    void sort_into_bins(int n_bins);
    void find_neighbors();
    int64_t n_entries();
    void order_atoms();
    void write_state(int entry_room);
};

}  // namespace nnp_openmm

#endif
