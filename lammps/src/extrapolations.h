// SPDX-License-Identifier: GPL-2.0-only
// Functions outside what the potential has seen in training: counted over all ranks, told by rank 0, too many stop.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "model.h"
#include "pointers.h"

namespace nnp_lammps
{

class Extrapolations : protected LAMMPS_NS::Pointers
{
public:
    static constexpr int UNLIMITED = -1;

    explicit Extrapolations(LAMMPS_NS::LAMMPS* lmp) : Pointers(lmp) {}

    int most = UNLIMITED;  // more stop the run
    bool show = true;
    int every = 10;  // steps between two sums over the ranks

    // What an engine found in this step; species by atom. Not collective.
    void count(const nnp_extrapolations& found, const int* species);
    // Sum, tell, stop: collective, on every `every`-th step.
    void check(const Model& model);
    // The same whatever the step, at the end of a run.
    void finish(const Model& model);

    // Of this rank, of the last step and since the pair style was made.
    double of_step() const { return static_cast<double>(of_step_); }
    double of_rank() const { return static_cast<double>(of_rank_); }

private:
    struct Record {
        long long step, tag;
        int element, function;
        double excess;
    };
    static constexpr int RECORDS = 8;        // of a rank between two sums
    static constexpr int LINES = 10;         // told at once
    static constexpr int MOST_LINES = 1000;  // told at all

    void sum(const Model& model);
    void tell(const Model& model, long long count);
    std::string line(const Model& model, const Record& record) const;

    long long of_step_ = 0, of_rank_ = 0, unsummed_ = 0, total_ = 0;
    int told_ = 0;
    std::vector<Record> records_;
};

}  // namespace nnp_lammps
