#include "neighbor_list.h"

#include "openmm/OpenMMException.h"

#include <climits>
#include <cmath>
#include <numeric>

namespace nnp_openmm
{
namespace
{

constexpr int BOX_SIZE = 32, FRAME_SIZE = 14, STATE_SIZE = 8;
constexpr int STATE_ROOM = 4, STATE_MOST = 5, STATE_ENTRY_ROOM = 6;
constexpr int SCALE_EXPONENT = 48;  // 2^-48 eV/Å: 3.6e-15
constexpr double SPARE = 1.2;       // room for more entries than were counted
constexpr int FIRST_CAPACITY = 64;

}  // namespace

DeviceNeighborList::DeviceNeighborList(Program& program, double cutoff, double skin, const std::vector<int>& elements)
    : program_(program),
      cutoff_(cutoff),
      skin_(skin),
      scale_(std::ldexp(1.0, SCALE_EXPONENT)),
      elements_host_(elements),
      n_(static_cast<int>(elements.size()))
{
    ComputeContext& context = program.context();
    size_t n = elements.size(), rows = n * program.n_elements();
    size_t coordinate = program.points_are_integers() ? sizeof(int) : sizeof(double);
    for (DeviceArray* array : {&positions, &built})
        array->allocate<double>(context, 3 * n, "nnpPositions");
    points.allocate(context, n, static_cast<int>(4 * coordinate), "nnpPoints");
    forces.allocate<int64_t>(context, 3 * n, "nnpForces");
    energies.allocate<double>(context, n, "nnpEnergies");
    virials.allocate<double>(context, 6 * n, "nnpVirials");
    for (DeviceArray* array : {&status, &elements_, &bin_of_, &dropped_, &sorted_})
        array->allocate<int>(context, n, "nnpAtoms");
    counts_.allocate<int>(context, rows, "nnpCounts");
    row_starts.allocate<int>(context, rows + 1, "nnpRowStarts");
    entries.allocate<int64_t>(context, 0, "nnpEntries");
    frame.allocate(context, FRAME_SIZE, program.real_size(), "nnpFrame");
    state.allocate<int>(context, STATE_SIZE, "nnpState");
    box_array_.allocate<double>(context, BOX_SIZE, "nnpBox");
    grid_.allocate<int>(context, 3, "nnpGrid");
    elements_.write(elements);
    write_state(0);
}

void DeviceNeighborList::write_state(int entry_room)
{
    std::vector<int> numbers(STATE_SIZE, 0);
    numbers[STATE_ROOM] = room_;
    numbers[STATE_ENTRY_ROOM] = entry_room;
    state.write(numbers);
}

void DeviceNeighborList::set_room(int extrapolations)
{
    room_ = extrapolations;
    write_state(static_cast<int>(entries.size()));
}

void DeviceNeighborList::set_scale(double scale)
{
    scale_ = scale;
    // an atom gets one contribution from each atom that lists it, and its own sum
    double limit = std::ldexp(1.0, 61) / (2.0 * most_ + 2);
    program_.write_reals(frame, box_.frame_array(scale, limit, program_.points_are_integers()));
}

void DeviceNeighborList::place()
{
    program_.launch_over("nnp_place", n_, positions, box_array_, built, points, forces, state);
}

void DeviceNeighborList::build(const Matrix& cell, bool periodic)
{
    program_.fit(FIRST_CAPACITY);
    std::vector<double> atoms_at = periodic ? std::vector<double>() : positions.read<double>();
    box_ = make_box(cell, periodic, atoms_at, cutoff_ + skin_);
    cell_ = cell;
    std::vector<int> bins = box_.bins(n_);
    grid_.write(bins);
    box_array_.write(box_.box_array(skin_ / 2));
    set_scale(std::ldexp(1.0, SCALE_EXPONENT));
    sort_into_bins(bins[0] * bins[1] * bins[2]);
    find_neighbors();
    order_atoms();
    program_.fit(most_);
    set_scale(scale_);
    valid_ = true;
}

void DeviceNeighborList::sort_into_bins(int n_bins)
{
    if (static_cast<int>(bin_counts_.size()) < n_bins) {
        bin_counts_.allocate<int>(program_.context(), n_bins, "nnpBinCounts");
        bin_starts_.allocate<int>(program_.context(), n_bins + 1, "nnpBinStarts");
    }
    program_.launch_over("nnp_clear", n_bins, bin_counts_);
    program_.launch_over("nnp_wrap", n_, positions, box_array_, grid_, built, bin_of_, bin_counts_, state);
    program_.launch("nnp_scan", 1, n_bins, 1, bin_counts_, bin_starts_, state);
    program_.launch_over("nnp_drop", n_, bin_of_, bin_starts_, bin_counts_, dropped_);
    program_.launch_over("nnp_sort", n_, bin_of_, bin_starts_, dropped_, sorted_);
    place();
}

void DeviceNeighborList::find_neighbors()
{
    int n_elements = program_.n_elements(), rows = n_ * n_elements;
    program_.launch_over("nnp_clear", rows, counts_);
    program_.launch_over("nnp_count", n_, n_elements, box_array_, frame, grid_, built, points, bin_starts_, sorted_,
                         elements_, counts_);
    program_.launch("nnp_scan", 1, rows, n_elements, counts_, row_starts, state);
    most_ = state.read<int>()[STATE_MOST];
    int64_t total = n_entries();
    if (total > INT_MAX)
        throw OpenMM::OpenMMException("NNPForce: the neighbour list has more than " + std::to_string(INT_MAX) +
                                      " entries: simulate fewer atoms");
    if (total > static_cast<int64_t>(entries.size())) {
        auto room = static_cast<size_t>(std::min(SPARE * static_cast<double>(total), double{INT_MAX}));
        entries.allocate<int64_t>(program_.context(), room, "nnpEntries");
    }
    write_state(static_cast<int>(entries.size()));
    program_.launch_over("nnp_fill", n_, n_elements, box_array_, frame, grid_, built, points, bin_starts_, sorted_,
                         elements_, counts_, row_starts, entries, state);
}

// Not asked of the kernels where their 32 bits may not hold it.
int64_t DeviceNeighborList::n_entries()
{
    if (static_cast<int64_t>(n_) * most_ <= INT_MAX)
        return row_starts.read<int>().back();
    std::vector<int> counts = counts_.read<int>();
    return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

void DeviceNeighborList::order_atoms()
{
    std::vector<std::vector<int>> by_element(program_.n_elements());
    for (int atom : sorted_.read<int>())
        by_element[elements_host_[atom]].push_back(atom);
    atoms.clear();
    for (const std::vector<int>& mine : by_element) {
        atoms.push_back(std::make_unique<DeviceArray>());
        atoms.back()->allocate<int>(program_.context(), mine.size(), "nnpOrder");
        atoms.back()->write(mine);
    }
}

}  // namespace nnp_openmm
