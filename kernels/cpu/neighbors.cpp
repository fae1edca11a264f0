#include "neighbors.h"

#include "error.h"
#include "grid.h"
#include "index_sort.h"

#include <algorithm>
#include <cmath>

namespace nnp
{
namespace
{

constexpr size_t LONGEST_VECTOR = 8;  // doubles
constexpr double MOST_POINTS = 1e9;
constexpr int MOST_NEIGHBORS = 10000;  // of an atom: more are nanometres taken for angstroms, and minutes of triples
constexpr double MOST_IMAGES = 1e6;    // of an atom, in the box around a sphere of neighbours
constexpr double FARTHEST = 1e9;       // cells an atom may lie outside: beyond, rounding eats the coordinates
constexpr double ROUNDING = 1e-9;      // slack of a reach in fractional units

// One copy, that a build and the steps after it round alike.
__attribute__((noinline)) Vector fractional(const Cell& cell, const double* r)
{
    Vector f;
    for (int a = 0; a < 3; ++a)
        f[a] = r[0] * cell.inverse[0][a] + r[1] * cell.inverse[1][a] + r[2] * cell.inverse[2][a];
    return f;
}

}  // namespace

bool NeighborList::still_valid(const nnp_structure& structure, const std::vector<int32_t>& elements)
{
    if (structure.n_atoms != n_atoms_ || elements != built_elements_)
        return false;
    double strained = 0;  // how far an image may have moved because the cell did
    for (int a = 0; a < 3; ++a) {
        if ((structure.periodic[a] != 0) != cell_.periodic[a])
            return false;
        if (!cell_.periodic[a])
            continue;
        Vector change;
        for (int c = 0; c < 3; ++c)
            change[c] = structure.cell[3 * a + c] - cell_.vectors[a][c];
        strained += (largest_shift_[a] + 1) * norm(change);
    }
    double farthest2 = 0;
    for (int64_t i = 0; i < n_atoms_; ++i) {
        double moved2 = 0;
        for (int c = 0; c < 3; ++c) {
            double d = structure.positions[3 * i + c] - built_[3 * i + c];
            moved2 += d * d;
        }
        farthest2 = std::max(farthest2, moved2);
    }
    double used = 2 * std::sqrt(farthest2) + strained;
    ++age_;
    if (used <= skin_.width())
        return true;
    skin_.worn_out(used, age_);
    return false;
}

bool NeighborList::update(const nnp_structure& structure, const std::vector<int32_t>& elements, ThreadPool& pool)
{
    bool rebuild = !still_valid(structure, elements);
    forget_crossings();
    if (rebuild) {
        n_atoms_ = -1;  // nothing valid if the build throws
        build(structure, elements, pool);
        n_atoms_ = structure.n_atoms;
        age_ = 0;
        return true;
    }
    move_points(structure);
    follow_crossings(structure);
    return false;
}

void NeighborList::make_points(const nnp_structure& structure, std::vector<Vector>& fractions)
{
    int64_t n = structure.n_atoms;
    std::vector<Vector> wrapped(n);
    std::vector<Shift> home(n);
    Vector low = {1e300, 1e300, 1e300}, high = {-1e300, -1e300, -1e300};
    for (int64_t i = 0; i < n; ++i) {
        int32_t cells[3] = {0, 0, 0};
        const Vector fraction = fractional(cell_, structure.positions + 3 * i);
        for (int a = 0; a < 3; ++a) {
            const double f = fraction[a];
            if (cell_.periodic[a] && std::abs(f) > FARTHEST)
                throw Error(NNP_BAD_STRUCTURE,
                            "atom " + std::to_string(i) + " lies " + to_text(f) +
                                " cells away from the origin: wrap the positions into the cell",
                            {i, -1, f});
            if (cell_.periodic[a])
                cells[a] = static_cast<int32_t>(std::floor(f));
            wrapped[i][a] = f - cells[a];
            low[a] = std::min(low[a], wrapped[i][a]);
            high[a] = std::max(high[a], wrapped[i][a]);
        }
        home[i] = {-cells[0], -cells[1], -cells[2]};
    }
    double images_each = 1;
    for (int a = 0; a < 3; ++a)
        images_each *= cell_.periodic[a] ? 2 + 2 * cell_.reach[a] : 1;
    double images = images_each * static_cast<double>(n);
    if (images > MOST_POINTS || images_each > MOST_IMAGES)
        throw Error(NNP_BAD_STRUCTURE, "the cell is so small against the cutoff " + to_text(cutoff_) + " that about " +
                                           to_text(images) + " periodic images would be needed: give a larger cell");
    largest_shift_ = {0, 0, 0};
    owner_.clear();
    shifts_.clear();
    fractions.clear();
    for (int64_t i = 0; i < n; ++i) {
        int first[3] = {0, 0, 0}, last[3] = {0, 0, 0};
        for (int a = 0; a < 3; ++a) {
            if (!cell_.periodic[a])
                continue;
            first[a] = static_cast<int>(std::ceil(low[a] - cell_.reach[a] - wrapped[i][a]));
            last[a] = static_cast<int>(std::floor(high[a] + cell_.reach[a] - wrapped[i][a]));
            largest_shift_[a] = std::max({largest_shift_[a], -first[a], last[a]});
        }
        for (int sa = first[0]; sa <= last[0]; ++sa) {
            for (int sb = first[1]; sb <= last[1]; ++sb) {
                for (int sc = first[2]; sc <= last[2]; ++sc) {
                    // the image in the cell itself is marked by the sign of its owner
                    bool is_home = sa == 0 && sb == 0 && sc == 0;
                    owner_.push_back(static_cast<int32_t>(is_home ? ~i : i));
                    shifts_.push_back({home[i].a + sa, home[i].b + sb, home[i].c + sc});
                    fractions.push_back({wrapped[i][0] + sa, wrapped[i][1] + sb, wrapped[i][2] + sc});
                }
            }
        }
    }
}

void NeighborList::sort_points(const Grid& grid, const std::vector<Vector>& fractions,
                               const std::vector<int32_t>& elements)
{
    size_t n_points = owner_.size(), n = elements.size();
    std::vector<int32_t> place(grid.starts.begin(), grid.starts.end() - 1);
    std::vector<int32_t> owner(n_points);
    std::vector<Shift> shifts(n_points);
    number_.resize(n_points);
    point_.resize(n_points);
    for (size_t p = 0; p < n_points; ++p) {
        int32_t to = place[grid.bin(fractions[p])]++;
        owner[to] = owner_[p];
        shifts[to] = shifts_[p];
        number_[to] = static_cast<int32_t>(p);
        point_[p] = to;
    }
    order_.clear();
    self_.clear();
    elements_.clear();
    std::vector<int32_t> rank(n);
    for (size_t p = 0; p < n_points; ++p) {
        if (owner[p] >= 0)
            continue;
        int32_t atom = ~owner[p];
        owner[p] = atom;
        rank[atom] = static_cast<int32_t>(order_.size());
        order_.push_back(atom);
        self_.push_back(static_cast<int32_t>(p));
        elements_.push_back(elements[atom]);
    }
    for (size_t p = 0; p < n_points; ++p)
        owner[p] = rank[owner[p]];
    owner_.swap(owner);
    shifts_.swap(shifts);
}

// Where a point of the build is now, or its image `change` cells away.
Point NeighborList::image(const nnp_structure& structure, int32_t point, const Shift& change) const
{
    const double* r = structure.positions + 3 * order_[owner_[point]];
    const Shift& built = shifts_[point];
    const int32_t shift[3] = {built.a + change.a, built.b + change.b, built.c + change.c};
    double position[3] = {r[0], r[1], r[2]};
    for (int a = 0; a < 3; ++a) {
        if (shift[a] == 0)
            continue;
        for (int c = 0; c < 3; ++c)
            position[c] += shift[a] * structure.cell[3 * a + c];
    }
    return {position[0], position[1], position[2], 0};
}

void NeighborList::move_points(const nnp_structure& structure)
{
    points_.resize(n_built_points());
    for (size_t p = 0; p < n_built_points(); ++p)
        points_[p] = image(structure, static_cast<int32_t>(p), {0, 0, 0});
}

void NeighborList::forget_crossings()
{
    for (const Crossing& crossing : crossings_) {
        self_[crossing.rank] = crossing.self;
        first_entry_[crossing.rank] = crossing.entries;
    }
    crossings_.clear();
    owner_.resize(n_built_points());
}

// Gives every atom that left its home cell points of its own: where a new list would have it and its neighbours.
void NeighborList::follow_crossings(const nnp_structure& structure)
{
    if (!cell_.periodic[0] && !cell_.periodic[1] && !cell_.periodic[2])
        return;
    Cell cell;
    cell.set(structure, cutoff_);
    size_t n_entries = 0;
    for (size_t rank = 0; rank < order_.size(); ++rank) {
        const Vector f = fractional(cell, structure.positions + 3 * order_[rank]);
        const Shift& built = shifts_[self_[rank]];
        int32_t change[3] = {built.a, built.b, built.c};
        for (int a = 0; a < 3; ++a)
            change[a] = cell.periodic[a] ? -static_cast<int32_t>(std::floor(f[a])) - change[a] : 0;
        if (change[0] == 0 && change[1] == 0 && change[2] == 0)
            continue;
        crossings_.push_back(
            {static_cast<int32_t>(rank), self_[rank], first_entry_[rank], {change[0], change[1], change[2]}});
        n_entries += starts_[rank * (n_elements_ + 1) + n_elements_];
    }
    crossed_entries_.resize(n_entries);
    int32_t* to = crossed_entries_.data();
    for (const Crossing& crossing : crossings_) {
        auto add_point = [&](int32_t point) {
            points_.push_back(image(structure, point, crossing.change));
            owner_.push_back(owner_[point]);
            return static_cast<int32_t>(owner_.size() - 1);
        };
        self_[crossing.rank] = add_point(crossing.self);
        first_entry_[crossing.rank] = to;
        const int count = starts_[static_cast<int64_t>(crossing.rank) * (n_elements_ + 1) + n_elements_];
        for (int k = 0; k < count; ++k)
            *to++ = add_point(crossing.entries[k]);
    }
}

void NeighborList::build(const nnp_structure& structure, const std::vector<int32_t>& elements, ThreadPool& pool)
{
    cell_.set(structure, cutoff_ + skin_.width());
    std::vector<Vector> fractions;
    make_points(structure, fractions);
    Grid grid(fractions, cell_.reach);
    for (const Vector& f : fractions)
        ++grid.starts[grid.bin(f) + 1];
    for (size_t b = 1; b < grid.starts.size(); ++b)
        grid.starts[b] += grid.starts[b - 1];
    sort_points(grid, fractions, elements);
    move_points(structure);
    built_.assign(structure.positions, structure.positions + 3 * structure.n_atoms);
    built_elements_ = elements;
    find_entries(grid, pool);
}

void NeighborList::find_entries(const Grid& grid, ThreadPool& pool)
{
    int64_t n = static_cast<int64_t>(order_.size()), n_chunks = (n + CHUNK - 1) / CHUNK;
    starts_.resize(n * (n_elements_ + 1));
    first_entry_.resize(n);
    entries_.resize(n_chunks);
    size_t n_points = points_.size(), stride = n_points + LONGEST_VECTOR;
    coordinates_.resize(3 * stride);
    point_elements_.resize(n_points);
    for (size_t p = 0; p < n_points; ++p) {
        coordinates_[p] = points_[p].x;
        coordinates_[stride + p] = points_[p].y;
        coordinates_[2 * stride + p] = points_[p].z;
        point_elements_[p] = elements_[owner_[p]];
    }
    const double* x = coordinates_.data();
    Coordinates coordinates = {x, x + stride, x + 2 * stride};
    std::vector<IndexSort> sorts(pool.size(), IndexSort(n_points));
    pool.run(n_chunks, [&](int64_t chunk, int thread) { find_chunk(grid, coordinates, chunk, sorts[thread]); });
    most_entries_ = 0;
    for (int64_t i = 0; i < n; ++i)
        most_entries_ = std::max(most_entries_, starts_[i * (n_elements_ + 1) + n_elements_]);
}

void NeighborList::find_chunk(const Grid& grid, const Coordinates& coordinates, int64_t chunk, IndexSort& sort)
{
    int64_t first = chunk * CHUNK, last = std::min<int64_t>(first + CHUNK, static_cast<int64_t>(order_.size()));
    std::vector<int32_t>& entries = entries_[chunk];
    std::vector<int32_t> found, place;
    entries.clear();
    for (int64_t i = first; i < last; ++i) {
        int n_found = collect(grid, coordinates, self_[i], found);
        if (n_found > MOST_NEIGHBORS)
            throw Error(NNP_BAD_STRUCTURE,
                        "atom " + std::to_string(order_[i]) + " has " + std::to_string(n_found) +
                            " neighbours within " + to_text(cutoff_ + skin_.width()) +
                            " (most: " + std::to_string(MOST_NEIGHBORS) + "): are positions and cell in angstrom?",
                        {order_[i], -1, static_cast<double>(n_found)});
        for (int f = 0; f < n_found; ++f)
            found[f] = number_[found[f]];
        sort(found.data(), n_found);
        for (int f = 0; f < n_found; ++f)
            found[f] = point_[found[f]];
        size_t begin = entries.size();
        entries.resize(begin + n_found);
        int32_t* starts = &starts_[i * (n_elements_ + 1)];
        std::fill(starts, starts + n_elements_ + 1, 0);
        for (int f = 0; f < n_found; ++f)
            ++starts[point_elements_[found[f]] + 1];
        for (int e = 0; e < n_elements_; ++e)
            starts[e + 1] += starts[e];
        place.assign(starts, starts + n_elements_);
        for (int f = 0; f < n_found; ++f)
            entries[begin + place[point_elements_[found[f]]]++] = found[f];
    }
    const int32_t* entry = entries.data();
    for (int64_t i = first; i < last; ++i) {
        first_entry_[i] = entry;
        entry += starts_[i * (n_elements_ + 1) + n_elements_];
    }
}

// All points within reach of one, itself excepted; returns how many.
int NeighborList::collect(const Grid& grid, const Coordinates& coordinates, int32_t self,
                          std::vector<int32_t>& found) const
{
    const double centre[3] = {points_[self].x, points_[self].y, points_[self].z};
    double reach = cutoff_ + skin_.width(), reach2 = reach * reach;
    int low[3], high[3], count = 0;
    for (int a = 0; a < 3; ++a) {
        double f = centre[0] * cell_.inverse[0][a] + centre[1] * cell_.inverse[1][a] + centre[2] * cell_.inverse[2][a];
        low[a] = grid.axis_bin(a, f - cell_.reach[a] * (1 + ROUNDING));
        high[a] = grid.axis_bin(a, f + cell_.reach[a] * (1 + ROUNDING));
    }
    for (int a = low[0]; a <= high[0]; ++a) {
        for (int b = low[1]; b <= high[1]; ++b) {
            int64_t row = (static_cast<int64_t>(a) * grid.n[1] + b) * grid.n[2];
            int32_t begin = grid.starts[row + low[2]], end = grid.starts[row + high[2] + 1];
            size_t most = static_cast<size_t>(count) + (end - begin) + LONGEST_VECTOR;
            if (found.size() < most)
                found.resize(2 * most);
            count += within_(coordinates, begin, end, centre, reach2, found.data() + count);
        }
    }
    auto own = std::find(found.begin(), found.begin() + count, self);
    std::copy(own + 1, found.begin() + count, own);
    return count - 1;
}

int64_t NeighborList::n_entries() const
{
    int64_t n = 0;
    for (const auto& chunk : entries_)
        n += static_cast<int64_t>(chunk.size());
    return n;
}

size_t NeighborList::bytes() const
{
    size_t n = (built_.capacity() + coordinates_.capacity()) * sizeof(double) + points_.capacity() * sizeof(Point) +
               shifts_.capacity() * sizeof(Shift) + order_.capacity() * sizeof(int64_t) +
               first_entry_.capacity() * sizeof(int32_t*) + crossings_.capacity() * sizeof(Crossing) +
               (number_.capacity() + point_.capacity() + crossed_entries_.capacity() + built_elements_.capacity() +
                elements_.capacity() + owner_.capacity() + point_elements_.capacity() + self_.capacity() +
                starts_.capacity()) *
                   sizeof(int32_t);
    for (const auto& chunk : entries_)
        n += chunk.capacity() * sizeof(int32_t);
    return n;
}

ListView NeighborList::view() const
{
    return {points_.data(),   owner_.data(),       self_.data(),   order_.data(),
            elements_.data(), first_entry_.data(), starts_.data(), order_.data()};
}

}  // namespace nnp
