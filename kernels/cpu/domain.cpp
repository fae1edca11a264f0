#include "domain.h"

#include "error.h"
#include "positions.h"

#include <algorithm>
#include <cmath>

namespace nnp
{
namespace
{

constexpr int64_t MOST_ATOMS = INT32_MAX / 4;
constexpr double OUT_OF_SIGHT = 1e200;   // of whoever is not ours
constexpr int MOST_NEIGHBORS = 1000000;  // of a row: a count beyond is not a count

}  // namespace

void DomainList::take_points()
{
    int64_t n = domain_.n_atoms;
    points_.resize(n);
    for (int64_t i = 0; i < n; ++i) {
        const double* r = domain_.positions + 3 * i;
        int32_t species = domain_.species[i];
        if (species < -1 || species >= n_elements_)
            throw Error(NNP_UNKNOWN_ELEMENT,
                        "species of atom " + std::to_string(i) + " is " + std::to_string(species) +
                            ": allowed are -1 (not ours) to " + std::to_string(n_elements_ - 1),
                        {i, -1, static_cast<double>(species)});
        if (species < 0) {
            points_[i] = {OUT_OF_SIGHT, OUT_OF_SIGHT, OUT_OF_SIGHT, 0};
            continue;
        }
        require_finite(r, i);
        points_[i] = {r[0], r[1], r[2], 0};
    }
    for (auto i = static_cast<int64_t>(owner_.size()); i < n; ++i) {
        owner_.push_back(static_cast<int32_t>(i));
        owner_index_.push_back(i);
    }
}

void DomainList::take_centres()
{
    order_.clear();
    self_.clear();
    elements_.clear();
    is_centre_.assign(domain_.n_atoms, 0);
    longest_row_ = 0;
    for (int64_t c = 0; c < domain_.n_centres; ++c) {
        int32_t atom = domain_.centres[c];
        if (atom < 0 || atom >= domain_.n_atoms || is_centre_[atom])
            throw Error(NNP_BAD_STRUCTURE,
                        "centre " + std::to_string(c) + " is atom " + std::to_string(atom) + ": allowed are 0 to " +
                            std::to_string(domain_.n_atoms - 1) + ", each once",
                        {atom});
        is_centre_[atom] = 1;
        if (domain_.species[atom] < 0)
            continue;
        int32_t count = domain_.counts[atom];
        if (count < 0 || count > MOST_NEIGHBORS || (count > 0 && !domain_.neighbors[atom]))
            throw Error(NNP_BAD_STRUCTURE,
                        "atom " + std::to_string(atom) + " has a row of " + std::to_string(count) +
                            " neighbours: allowed are 0 to " + std::to_string(MOST_NEIGHBORS) + ", not at NULL",
                        {atom, -1, static_cast<double>(count)});
        order_.push_back(atom);
        self_.push_back(atom);
        elements_.push_back(domain_.species[atom]);
        longest_row_ = std::max(longest_row_, count);
    }
}

void DomainList::set(const nnp_domain& domain, const Model& model, int n_threads)
{
    if (domain.n_atoms < 0 || domain.n_atoms > MOST_ATOMS || domain.n_centres < 0 || domain.n_centres > domain.n_atoms)
        throw Error(NNP_BAD_STRUCTURE, "the domain has " + std::to_string(domain.n_atoms) + " atoms and " +
                                           std::to_string(domain.n_centres) + " centres: allowed are 0 to " +
                                           std::to_string(MOST_ATOMS) + " atoms, no more centres than atoms");
    if (domain.n_atoms > 0 && (!domain.positions || !domain.species))
        throw Error(NNP_BAD_ARGUMENT, "positions or species is a null pointer");
    if (domain.n_centres > 0 && (!domain.centres || !domain.counts || !domain.neighbors))
        throw Error(NNP_BAD_ARGUMENT, "centres, counts or neighbors is a null pointer");
    domain_ = domain;
    n_elements_ = static_cast<int>(model.elements.size());
    cutoff2_ = model.cutoff * model.cutoff;
    take_points();
    take_centres();
    starts_.resize(order_.size() * (n_elements_ + 1));
    first_entry_.resize(order_.size());
    threads_.resize(n_threads);
    forget_listings();
}

void DomainList::forget_listings()
{
    for (Thread& thread : threads_)
        thread.listings.assign(domain_.n_atoms, 0);
}

int DomainList::most_listings() const
{
    int most = 0;
    for (int64_t i = 0; i < n_atoms(); ++i) {
        int listings = 0;
        for (const Thread& thread : threads_)
            listings += thread.listings[i];
        most = std::max(most, listings);
    }
    return most;
}

// The neighbours of a row that a centre can see, to `found`, which has room for all of it and one more; returns how
// many.
int DomainList::collect(int32_t centre, int32_t* found) const
{
    const int32_t* row = domain_.neighbors[centre];
    const int32_t count = domain_.counts[centre], mask = domain_.mask;
    const auto n_atoms = static_cast<uint32_t>(domain_.n_atoms);
    const Point* points = points_.data();
    const Point at = points[centre];
    const double cutoff2 = cutoff2_;
    int n = 0;
    for (int32_t k = 0; k < count; ++k) {
        int32_t j = row[k] & mask;
        if (static_cast<uint32_t>(j) >= n_atoms)
            throw Error(NNP_BAD_STRUCTURE,
                        "neighbour " + std::to_string(k) + " of atom " + std::to_string(centre) + " is atom " +
                            std::to_string(j) + " of " + std::to_string(n_atoms) + ": look at the mask",
                        {centre, j});
        const Point& p = points[j];
        double x = p.x - at.x, y = p.y - at.y, z = p.z - at.z;
        found[n] = j;
        n += x * x + y * y + z * z < cutoff2;
    }
    return n;
}

// Sorts the neighbours `found` of one centre by element to `entries`, and where each element begins to `starts`.
void DomainList::sort(const int32_t* found, int n, int32_t* entries, int32_t* starts) const
{
    const int32_t* species = domain_.species;
    std::fill(starts, starts + n_elements_ + 1, 0);
    for (int k = 0; k < n; ++k)
        ++starts[species[found[k]] + 1];
    for (int e = 0; e < n_elements_; ++e)
        starts[e + 1] += starts[e];
    for (int k = 0; k < n; ++k)  // moves each start on to the next element's
        entries[starts[species[found[k]]]++] = found[k];
    for (int e = n_elements_; e > 0; --e)
        starts[e] = starts[e - 1];
    starts[0] = 0;
}

void DomainList::fill(int64_t begin, int64_t end, int number)
{
    Thread& thread = threads_[number];
    size_t room = 0;
    for (int64_t rank = begin; rank < end; ++rank)
        room += domain_.counts[self_[rank]];
    if (thread.entries.size() <= room) {
        thread.entries.resize(room + 1);
        thread.found.resize(room + 1);
    }
    int32_t *entries = thread.entries.data(), *listings = thread.listings.data();
    for (int64_t rank = begin; rank < end; ++rank) {
        int32_t* starts = &starts_[rank * (n_elements_ + 1)];
        int n;
        if (n_elements_ == 1) {
            n = collect(self_[rank], entries);
            starts[0] = 0;
            starts[1] = n;
        } else {
            n = collect(self_[rank], thread.found.data());
            sort(thread.found.data(), n, entries, starts);
        }
        for (int k = 0; k < n; ++k)
            ++listings[entries[k]];
        first_entry_[rank] = entries;
        entries += n;
    }
}

ListView DomainList::view() const
{
    return {points_.data(),   owner_.data(),       self_.data(),   order_.data(),
            elements_.data(), first_entry_.data(), starts_.data(), owner_index_.data()};
}

size_t DomainList::bytes() const
{
    size_t n = points_.capacity() * sizeof(Point) + (order_.capacity() + owner_index_.capacity()) * sizeof(int64_t) +
               first_entry_.capacity() * sizeof(int32_t*) + is_centre_.capacity() +
               (owner_.capacity() + self_.capacity() + elements_.capacity() + starts_.capacity()) * sizeof(int32_t);
    for (const Thread& thread : threads_)
        n += (thread.entries.capacity() + thread.found.capacity() + thread.listings.capacity()) * sizeof(int32_t);
    return n;
}

}  // namespace nnp
