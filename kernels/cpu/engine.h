// The engine behind the C interface: one potential, one neighbour list, one team of threads.
#ifndef NNP_CPU_ENGINE_H
#define NNP_CPU_ENGINE_H

#include "choice.h"
#include "domain.h"
#include "kernel.h"
#include "thread_pool.h"

#include <memory>
#include <string>

namespace nnp
{

class Engine
{
public:
    Engine(std::shared_ptr<const Model> model, const nnp_options& options);

    void compute(const nnp_structure& structure, const nnp_results& results);
    void compute(const nnp_domain& domain, const nnp_results& results);
    void pull_back(const nnp_structure& structure, const double* dl_dg, double* dl_dr, double* dl_dstrain);
    void push_forward(const nnp_structure& structure, const double* dr, const double* dstrain, double* dg);
    int64_t descriptor_size(const nnp_structure& structure);

    nnp_extrapolations extrapolations() const;
    nnp_statistics statistics() const;
    nnp_cost cost(int element, const nnp_structure* structure);
    const Kernel& kernel() const { return kernel_; }
    int threads() const { return pool_.size(); }

private:
    static constexpr int SCALE_EXPONENT = 48;  // dE/dr in units of 2^-48: 3.6e-15 eV/Å; larger ones with large forces,
    static constexpr int SCALE_STEP = 4;       // by this many powers of 2 at a time
    static constexpr int USUAL_ENTRIES = 512;  // of an atom's neighbour list

    std::shared_ptr<const Model> model_;
    Machine machine_;
    WideSets by_moments_;
    std::vector<ElementPlan> plan_;
    const Kernel& kernel_;
    bool single_;
    int together_;  // see Task
    ThreadPool pool_;
    NeighborList list_;
    DomainList domain_;
    std::vector<std::unique_ptr<ThreadState>> states_;
    struct Aligned {
        void operator()(void* p) const;
    };
    std::vector<std::unique_ptr<void, Aligned>> packed_;
    std::vector<const void*> networks_;
    int gradient_exponent_ = SCALE_EXPONENT;  // of the last call
    std::vector<int32_t> elements_;           // by caller's index
    std::vector<int64_t> offsets_;            // [n + 1] ragged descriptors
    std::vector<double> energies_, virials_;  // by caller's index
    std::vector<int64_t> flagged_atoms_, flagged_functions_;
    std::vector<double> flagged_excess_;
    std::vector<Extrapolation> flagged_;
    nnp_statistics statistics_ = {};

    // What a pass goes over, and how many atoms get a gradient.
    struct Extent {
        int64_t ranks, owners;
        bool domain;
    };

    void read_structure(const nnp_structure& structure);
    std::vector<Neighborhood> sample_neighborhoods(int element, const nnp_structure& structure);
    Task make_task(int64_t n_atoms, Mode mode);
    Task task_for(const nnp_results& results, int64_t n_atoms);
    void run(Task& task, const nnp_structure& structure);
    void run(Task& task, const nnp_domain& domain);
    void run(Task& task, const Extent& extent);
    bool run_once(Task& task, const Extent& extent);
    static double limit_for(int most_entries);
    static int exponent_for(double largest, double limit);
    void raise_failures() const;
    void hand_out(const Task& task, int64_t n, const nnp_results& results);
    void collect_gradient(const Task& task, int64_t n, double sign, bool add, double* out);
    void collect_neighbor_virials(const Task& task, int64_t n, bool add, double* out);
    void collect_virials(int64_t n, bool add, double* out) const;
    void collect_virial(int64_t n, bool add, double* out) const;
    void collect_extrapolations();
};

}  // namespace nnp

#endif
