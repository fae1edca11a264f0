#include "neighbor_list.h"

#include "layout.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <numeric>

namespace nnp::gpu
{
namespace
{

// Å. Two kernels may round the fractions of an atom that stands still differently; without a skin no list would ever
// hold.
constexpr double LEAST_SKIN = 1e-6;
constexpr double SPARE =
    1.2;  // room for more entries than were counted, so that a list that grows a little needs no memory

}  // namespace

NeighborList::NeighborList(const Device& device, Programs& programs, const Model& model, double skin)
    : positions(device, 8),
      elements_there(device, 4),
      forces(device, 8),
      energies(device, 8),
      virials(device, 8),
      status(device, 4),
      outside(device, 8),
      state(device, 4),
      programs_(programs),
      model_(model),
      cutoff_(model.cutoff),
      skin_(std::max(skin, LEAST_SKIN)),
      scale_(1),
      built_at_(device, 8),
      points_(device, point_bytes(programs.precision())),
      bin_of_(device, 4),
      dropped_(device, 4),
      sorted_(device, 4),
      counts_(device, 4),
      row_starts_(device, 4),
      entries_(device, ENTRY_BYTES),
      bin_counts_(device, 4),
      bin_starts_(device, 4),
      box_(device, 8),
      frame_(device, real_bytes(programs.precision())),
      grid_(device, 4),
      known_(device, 8)
{
    for (size_t e = 0; e < model.elements.size(); ++e) {
        atoms.push_back(std::make_unique<Buffer>(device, 4));
        atoms.back()->resize(0);
    }
    box_.resize(BOX_SIZE);
    frame_.resize(FRAME_SIZE);
    grid_.resize(3);
    known_.resize(12);
    state.resize(STATE_SIZE);
    state.write(std::vector<int32_t>(STATE_SIZE, 0));
    entries_.resize(0);
    outside.resize(0);
    allocate(0);
}

void NeighborList::allocate(int64_t n)
{
    int64_t rows = n * static_cast<int64_t>(model_.elements.size());
    n_ = 0;  // should there be no memory
    ++generation_;
    positions.resize(3 * n);
    built_at_.resize(3 * n);
    points_.resize(n);
    forces.resize(3 * n);
    energies.resize(n);
    virials.resize(6 * n);
    for (Buffer* buffer : {&elements_there, &status, &bin_of_, &dropped_, &sorted_})
        buffer->resize(n);
    counts_.resize(rows);
    row_starts_.resize(rows + 1);
    n_ = n;
    bind();
}

void NeighborList::bind()
{
    Arguments& a = programs_.arguments;
    a[Slot::n_elements] = model_.elements.size();
    a[Slot::elements] = elements_there.handle();
    a[Slot::built] = built_at_.handle();
    a[Slot::points] = points_.handle();
    a[Slot::forces] = forces.handle();
    a[Slot::energies] = energies.handle();
    a[Slot::virials] = virials.handle();
    a[Slot::status] = status.handle();
    a[Slot::bin_of] = bin_of_.handle();
    a[Slot::dropped] = dropped_.handle();
    a[Slot::sorted] = sorted_.handle();
    a[Slot::counts] = counts_.handle();
    a[Slot::row_starts] = row_starts_.handle();
    a[Slot::entries] = entries_.handle();
    a[Slot::bin_counts] = bin_counts_.handle();
    a[Slot::bin_starts] = bin_starts_.handle();
    a[Slot::box] = box_.handle();
    a[Slot::frame] = frame_.handle();
    a[Slot::grid] = grid_.handle();
    a[Slot::known] = known_.handle();
    a[Slot::state] = state.handle();
    a[Slot::outside] = outside.handle();
}

bool NeighborList::is_of(int64_t n, const int64_t* numbers, const std::array<bool, 3>* periodic) const
{
    return n == n_ && n == static_cast<int64_t>(numbers_.size()) &&
           (!numbers || std::equal(numbers_.begin(), numbers_.end(), numbers)) &&
           (!periodic || *periodic == lattice_.periodic);
}

void NeighborList::follow(int64_t n, const int64_t* numbers, const Lattice& lattice)
{
    if (!is_of(n, numbers, &lattice.periodic)) {
        valid_ = false;
        ++generation_;
        numbers_.clear();
        elements_host_.resize(n);
        for (int64_t i = 0; i < n; ++i) {
            elements_host_[i] = model_.element_index(static_cast<int>(std::clamp<int64_t>(numbers[i], -1, INT_MAX)));
            if (elements_host_[i] < 0)
                throw Error(NNP_UNKNOWN_ELEMENT,
                            "atom " + std::to_string(i) + " is of element " + std::to_string(numbers[i]) +
                                ", which the potential does not know",
                            {i, -1, static_cast<double>(numbers[i])});
        }
        if (n != n_)
            allocate(n);
        elements_there.write(elements_host_);
        numbers_.assign(numbers, numbers + n);
        lattice_ = {};
    }
    follow_lattice(lattice);
}

void NeighborList::follow_lattice(const Lattice& lattice)
{
    bool same = lattice == lattice_, same_numbers = lattice.vectors == lattice_.vectors;
    lattice_ = lattice;
    if (valid_ && !same)
        strain();
    if (!valid_ || !same_numbers) {
        std::vector<double> known(12);
        for (int i = 0; i < 9; ++i)
            known[i] = lattice.vectors[i / 3][i % 3];
        for (int a = 0; a < 3; ++a)
            known[9 + a] = lattice.periodic[a];
        known_.write(known);
    }
}

void NeighborList::strain()
{
    double left = lattice_.any_free() ? 0 : skin_ - 2 * built_.reach * built_.strain_to(lattice_);
    if (!(left > 0)) {
        valid_ = false;
        return;
    }
    now_ = built_;
    now_.set_vectors(lattice_);
    box_.write(now_.box_array(left / 2));
    set_scale(scale_);
}

void NeighborList::set_scale(double scale)
{
    scale_ = scale;
    // an atom gets one contribution from each atom that lists it, and its own sum
    double limit = std::ldexp(1.0, 61) / (2.0 * static_cast<double>(most_) + 2);
    frame_.write_reals(now_.frame_array(scale, limit, programs_.precision() != NNP_GPU_DOUBLE));
}

void NeighborList::set_room(int64_t extrapolations)
{
    ++generation_;
    outside.resize(3 * extrapolations);
    programs_.arguments[Slot::outside] = outside.handle();
    std::vector<int32_t> numbers = state.read<int32_t>(STATE_SIZE);
    numbers[STATE_ROOM] = static_cast<int32_t>(std::min<int64_t>(extrapolations, INT_MAX));
    state.write(numbers);
}

void NeighborList::place()
{
    programs_.launch_over("nnp_place", n_);
}

void NeighborList::build(const std::vector<double>& along_free_axes)
{
    valid_ = false;
    built_ = now_ = make_box(lattice_, along_free_axes, cutoff_ + skin_);
    std::array<int32_t, 3> bins = built_.bins(n_);
    grid_.write(bins.data(), 3);
    box_.write(built_.box_array(skin_ / 2));
    set_scale(scale_);
    sort_into_bins(int64_t{bins[0]} * bins[1] * bins[2]);
    find_neighbors();
    order_atoms();
    int64_t compiled = programs_.compiled();
    programs_.fit(most_, n_);
    generation_ += programs_.compiled() - compiled;
    set_scale(scale_);
    valid_ = true;
    ++builds_;
}

void NeighborList::sort_into_bins(int64_t n_bins)
{
    Arguments& a = programs_.arguments;
    bin_counts_.need(n_bins);
    bin_starts_.need(n_bins + 1);
    bind();
    a[Slot::cleared] = a[Slot::scanned] = bin_counts_.handle();
    a[Slot::sums] = bin_starts_.handle();
    programs_.launch_over("nnp_clear", n_bins);
    programs_.launch_over("nnp_wrap", n_);
    a[Slot::n] = static_cast<uint64_t>(n_bins);
    a[Slot::stride] = 1;
    programs_.launch("nnp_scan", 1);
    programs_.launch_over("nnp_drop", n_);
    programs_.launch_over("nnp_sort", n_);
    place();
}

void NeighborList::find_neighbors()
{
    Arguments& a = programs_.arguments;
    int64_t rows = counts_.size();
    a[Slot::cleared] = a[Slot::scanned] = counts_.handle();
    a[Slot::sums] = row_starts_.handle();
    programs_.launch_over("nnp_clear", rows);
    programs_.launch_over("nnp_count", n_);
    a[Slot::n] = static_cast<uint64_t>(rows);
    a[Slot::stride] = model_.elements.size();
    programs_.launch("nnp_scan", 1);
    std::vector<int32_t> numbers = state.read<int32_t>(STATE_SIZE);
    most_ = numbers[STATE_MOST];
    int64_t needed = total(numbers);
    if (needed > entries_.size()) {
        ++generation_;
        entries_.resize(std::min(static_cast<int64_t>(SPARE * static_cast<double>(needed)), int64_t{INT_MAX}));
        a[Slot::entries] = entries_.handle();
    }
    numbers[STATE_ENTRY_ROOM] = static_cast<int32_t>(entries_.size());
    state.write(numbers);
    programs_.launch_over("nnp_fill", n_);
}

// Entries of the list; not asked of the kernels where their 32 bits may not hold it.
int64_t NeighborList::total(const std::vector<int32_t>& numbers) const
{
    if (n_ * most_ <= INT_MAX)
        return numbers[STATE_TOTAL];
    std::vector<int32_t> counts = counts_.read<int32_t>(counts_.size());
    int64_t sum = std::accumulate(counts.begin(), counts.end(), int64_t{0});
    if (sum > INT_MAX)
        throw Error(NNP_UNAVAILABLE, "the neighbour list of " + std::to_string(n_) + " atoms would have " +
                                         std::to_string(sum) + " entries, at most " + std::to_string(INT_MAX) +
                                         " are possible: evaluate fewer atoms, or choose a smaller skin");
    return sum;
}

void NeighborList::order_atoms()
{
    std::vector<std::vector<int32_t>> by_element(model_.elements.size());
    for (int32_t atom : sorted_.read<int32_t>(n_))
        by_element[elements_host_[atom]].push_back(atom);
    for (size_t e = 0; e < atoms.size(); ++e) {
        int64_t size = static_cast<int64_t>(by_element[e].size());
        generation_ += size != atoms[e]->size();
        atoms[e]->resize(size);
        atoms[e]->write(by_element[e]);
    }
}

}  // namespace nnp::gpu
