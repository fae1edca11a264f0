// The GPU engine: one evaluation, and again where list, buffers or fixed point were not good enough. nnp_gpu.h
// documents it.
#ifndef NNP_GPU_HOST_ENGINE_H
#define NNP_GPU_HOST_ENGINE_H

#include "neighbor_list.h"

namespace nnp::gpu
{

struct Extrapolation {
    int64_t atom, function;
    double excess, relative;
};

class GpuEngine
{
public:
    GpuEngine(std::shared_ptr<const Model> model, const nnp_gpu_engine_options& options, const nnp_device& device);

    void prepare();
    nnp_gpu_found evaluate(const nnp_gpu_atoms& atoms, const nnp_gpu_request& request);
    void launch(const nnp_gpu_atoms& atoms, const nnp_gpu_request& request);
    bool settle(const nnp_gpu_atoms& atoms, bool allow_not_finite = false);

    void read(double* energy, double* energies, double* forces, double* virial);
    std::vector<Extrapolation> extrapolations() const;
    const NeighborList& list() const { return list_; }
    const Programs& programs() const { return programs_; }

    int64_t n_functions() const;
    void give_functions(uint64_t flat);
    void give_gradient(uint64_t by_positions, bool single, uint64_t by_strain);

private:
    std::shared_ptr<const Model> model_;
    Device device_;
    Programs programs_;
    NeighborList list_;
    std::vector<std::vector<int>> orders_;  // per element, for each function inside the kernels its number
    std::vector<std::unique_ptr<Buffer>> parameters_, moment_terms_, moment_values_;  // per element
    Buffer partial_, report_, descriptors_, gradient_, changes_, order_, first_function_;
    std::vector<int32_t> counters_;  // the last report
    int64_t rows_of_ = -1;           // generation of the list that first_function_ is for
    bool not_finite_ = false, empty_ = false, changed_ = false;

    void take_parameters();
    void set_element(size_t element);
    void follow(const nnp_gpu_atoms& atoms);
    void replace_list(const nnp_gpu_atoms& atoms);
    void adopt(const nnp_gpu_atoms& atoms);
    void build(const nnp_gpu_atoms& atoms);
    void bring(const nnp_gpu_atoms& atoms);
    void evaluate_elements(const nnp_gpu_request& request);
    void change_elements(const nnp_gpu_request& request);
    void give(const nnp_gpu_request& request);
    void pad(Buffer& rows, const nnp_gpu_request& request);
    void follow_rows();
    Lattice lattice_of(const nnp_gpu_atoms& atoms) const;
    std::vector<double> positions_of(const nnp_gpu_atoms& atoms) const;
    template <class T>
    std::vector<T> read_there(uint64_t buffer, int64_t n) const;
};

}  // namespace nnp::gpu

#endif
