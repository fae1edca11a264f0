// SPDX-License-Identifier: GPL-2.0-only
// pair_style nnp: potentials of the package nnp in LAMMPS, by libnnp.
#ifdef PAIR_CLASS
// clang-format off
PairStyle(nnp,PairNNP);
// clang-format on
#else

#ifndef LMP_PAIR_NNP_H
#define LMP_PAIR_NNP_H

#include <memory>
#include <string>
#include <vector>

#include "extrapolations.h"
#include "model.h"
#include "pair.h"
#include "units.h"

namespace LAMMPS_NS
{

class PairNNP : public Pair
{
public:
    explicit PairNNP(LAMMPS* lmp);
    ~PairNNP() override;

    // pair_nnp.cpp
    void settings(int narg, char** arg) override;
    void coeff(int narg, char** arg) override;
    void init_style() override;
    double init_one(int i, int j) override;
    double memory_usage() override;
    void* extract(const char* name, int& dimension) override;
    void* extract_peratom(const char* name, int& columns) override;
    void finish() override;

    // pair_nnp_compute.cpp
    void compute(int eflag, int vflag) override;
    int pack_reverse_comm(int n, int first, double* buffer) override;
    void unpack_reverse_comm(int n, int* list, double* buffer) override;

    // pair_nnp_restart.cpp
    void write_restart(FILE* file) override;
    void read_restart(FILE* file) override;
    void write_restart_settings(FILE* file) override;
    void read_restart_settings(FILE* file) override;

private:
    struct Options {
        int float32 = 0;
        int threads = 1;
    };
    // Of compute pair, in this order.
    enum Extra { EXTRAPOLATIONS_OF_STEP, EXTRAPOLATIONS, LARGEST_SPREAD, N_EXTRA };

    // pair_nnp.cpp
    int number(int narg, char** arg, int at, int least);
    void allocate();
    void open(std::vector<char> bytes);
    void map_types(const std::vector<std::string>& elements);
    void create_engines();

    // pair_nnp_file.cpp
    std::vector<char> read_file(const std::string& path);

    // pair_nnp_compute.cpp
    nnp_domain gather();
    void evaluate(nnp_lammps::Engine& engine, const nnp_domain& domain, const nnp_results& results);
    [[noreturn]] void refuse(const nnp_error& found);
    std::string name_of(int64_t atom_index) const;
    void send_home(double* values, int width);
    void add_forces();
    void tally(double energy, const double* strain);
    void tally_atoms();
    void check_special_bonds();

    // pair_nnp_spread.cpp
    bool wants_spread() const;
    void compute_spread(const nnp_domain& domain);

    const nnp_lammps::Units* units_;
    Options options_;
    std::vector<char> bytes_;  // of the model file, on rank 0 only, for restart files
    std::string path_;
    std::vector<std::string> elements_;  // by type - 1; "NULL": not ours
    std::vector<int> species_of_type_;   // from type 1
    std::unique_ptr<nnp_lammps::Model> model_;
    std::unique_ptr<nnp_lammps::Engine> engine_;
    std::vector<nnp_lammps::Engine> members_;  // of a committee, made when their spread is first asked for
    nnp_lammps::Extrapolations extrapolations_;
    bool special_bonds_checked_ = false;
    int spread_flag_ = 0;  // set by fix pair

    // By atom, ghosts too; in the potential's units.
    std::vector<int> species_;
    std::vector<double> positions_, forces_, energies_, virials_, neighbor_virials_;
    // By atom, in LAMMPS's units.
    std::vector<double> spread_;

    // What reverse communication sends.
    double* sent_ = nullptr;
    int sent_width_ = 0;
};

}  // namespace LAMMPS_NS

#endif
#endif
