// The C interface of the engine: nnp_gpu.h.
#include "engine.h"
#include "guard.h"
#include "handle.h"

struct nnp_gpu_engine {
    nnp::gpu::GpuEngine engine;
};

namespace
{

using nnp::guarded;

template <class... Pointers>
void require_all(const Pointers*... pointers)
{
    nnp::require((pointers && ...), "an argument is a null pointer");
}

}  // namespace

int nnp_gpu_engine_create(const nnp_model* model, const nnp_gpu_engine_options* options, const nnp_device* device,
                          nnp_gpu_engine** engine, nnp_error* error)
{
    return guarded(error, [&] {
        require_all(engine);
        *engine = nullptr;
        require_all(model, options, device);
        *engine = new nnp_gpu_engine{{model->model, *options, *device}};
    });
}

void nnp_gpu_engine_destroy(nnp_gpu_engine* engine)
{
    delete engine;
}

int nnp_gpu_engine_prepare(nnp_gpu_engine* engine, nnp_error* error)
{
    return guarded(error, [&] { engine->engine.prepare(); });
}

int nnp_gpu_engine_evaluate(nnp_gpu_engine* engine, const nnp_gpu_atoms* atoms, const nnp_gpu_request* request,
                            nnp_gpu_found* found, nnp_error* error)
{
    return guarded(error, [&] {
        require_all(engine, atoms, request, found);
        *found = engine->engine.evaluate(*atoms, *request);
    });
}

int nnp_gpu_engine_launch(nnp_gpu_engine* engine, const nnp_gpu_atoms* atoms, const nnp_gpu_request* request,
                          nnp_error* error)
{
    return guarded(error, [&] { engine->engine.launch(*atoms, *request); });
}

int nnp_gpu_engine_settle(nnp_gpu_engine* engine, const nnp_gpu_atoms* atoms, int32_t* stands, nnp_error* error)
{
    return guarded(error, [&] { *stands = engine->engine.settle(*atoms); });
}

int nnp_gpu_engine_read(nnp_gpu_engine* engine, double* energy, double* energies, double* forces, double* virial,
                        nnp_error* error)
{
    return guarded(error, [&] { engine->engine.read(energy, energies, forces, virial); });
}

int nnp_gpu_engine_extrapolations(nnp_gpu_engine* engine, int64_t* atoms, int64_t* functions, double* excess,
                                  double* relative, nnp_error* error)
{
    return guarded(error, [&] {
        size_t i = 0;
        for (const nnp::gpu::Extrapolation& found : engine->engine.extrapolations()) {
            atoms[i] = found.atom;
            functions[i] = found.function;
            excess[i] = found.excess;
            relative[i++] = found.relative;
        }
    });
}

void nnp_gpu_engine_forces(const nnp_gpu_engine* engine, uint64_t* buffer, double* scale)
{
    *buffer = engine->engine.list().forces.handle();
    *scale = engine->engine.list().scale();
}

int64_t nnp_gpu_engine_n_functions(const nnp_gpu_engine* engine)
{
    return engine->engine.n_functions();
}

int nnp_gpu_engine_give_functions(nnp_gpu_engine* engine, uint64_t flat, nnp_error* error)
{
    return guarded(error, [&] { engine->engine.give_functions(flat); });
}

int nnp_gpu_engine_give_gradient(nnp_gpu_engine* engine, uint64_t by_positions, int32_t single, uint64_t by_strain,
                                 nnp_error* error)
{
    return guarded(error, [&] { engine->engine.give_gradient(by_positions, single != 0, by_strain); });
}

void nnp_gpu_engine_statistics(const nnp_gpu_engine* engine, nnp_gpu_statistics* statistics)
{
    const nnp::gpu::GpuEngine& e = engine->engine;
    *statistics = {e.list().builds(), e.list().most(), e.programs().capacity(), e.programs().group_size(),
                   e.list().generation()};
}
