// The C interface of engines.
#include "engine.h"
#include "guard.h"
#include "handle.h"

struct nnp_engine {
    nnp::Engine engine;
};

namespace
{

using nnp::require;

template <class Work>
int with(nnp_engine* engine, nnp_error* error, Work work)
{
    return nnp::guarded(error, [&] {
        require(engine != nullptr, "engine is a null pointer");
        work(engine->engine);
    });
}

}  // namespace

int nnp_engine_create(const nnp_model* model, const nnp_options* options, nnp_engine** engine, nnp_error* error)
{
    return nnp::guarded(error, [&] {
        require(engine != nullptr, "engine is a null pointer");
        *engine = nullptr;
        require(model != nullptr, "model is a null pointer");
        const nnp_options defaults = {NNP_FLOAT64, 0, -1, 0, NNP_WIDE_AUTOMATIC};
        *engine = new nnp_engine{nnp::Engine(model->model, options ? *options : defaults)};
    });
}

void nnp_engine_destroy(nnp_engine* engine)
{
    delete engine;
}

const char* nnp_engine_target(const nnp_engine* engine)
{
    return engine ? engine->engine.kernel().target : "";
}

int nnp_engine_threads(const nnp_engine* engine)
{
    return engine ? engine->engine.threads() : 0;
}

int nnp_engine_compute(nnp_engine* engine, const nnp_structure* structure, const nnp_results* results, nnp_error* error)
{
    return with(engine, error, [&](nnp::Engine& e) {
        require(structure && results, "structure or results is a null pointer");
        e.compute(*structure, *results);
    });
}

int nnp_engine_compute_domain(nnp_engine* engine, const nnp_domain* domain, const nnp_results* results,
                              nnp_error* error)
{
    return with(engine, error, [&](nnp::Engine& e) {
        require(domain && results, "domain or results is a null pointer");
        e.compute(*domain, *results);
    });
}

int nnp_engine_extrapolations(const nnp_engine* engine, nnp_extrapolations* extrapolations)
{
    if (!engine || !extrapolations)
        return NNP_BAD_ARGUMENT;
    *extrapolations = engine->engine.extrapolations();
    return NNP_OK;
}

int nnp_engine_descriptor_size(nnp_engine* engine, const nnp_structure* structure, int64_t* size, nnp_error* error)
{
    return with(engine, error, [&](nnp::Engine& e) {
        require(structure && size, "structure or size is a null pointer");
        *size = e.descriptor_size(*structure);
    });
}

int nnp_engine_descriptor_vjp(nnp_engine* engine, const nnp_structure* structure, const double* dl_dg, double* dl_dr,
                              double* dl_dstrain, nnp_error* error)
{
    return with(engine, error, [&](nnp::Engine& e) {
        require(structure && dl_dg && dl_dr, "structure, dl_dg or dl_dr is a null pointer");
        e.pull_back(*structure, dl_dg, dl_dr, dl_dstrain);
    });
}

int nnp_engine_descriptor_jvp(nnp_engine* engine, const nnp_structure* structure, const double* dr,
                              const double* dstrain, double* dg, nnp_error* error)
{
    return with(engine, error, [&](nnp::Engine& e) {
        require(structure && dg, "structure or dg is a null pointer");
        e.push_forward(*structure, dr, dstrain, dg);
    });
}

int nnp_engine_cost(nnp_engine* engine, int32_t element, const nnp_structure* structure, nnp_cost* cost,
                    nnp_error* error)
{
    return with(engine, error, [&](nnp::Engine& e) {
        require(cost != nullptr, "cost is a null pointer");
        *cost = e.cost(element, structure);
    });
}

int nnp_engine_statistics(const nnp_engine* engine, nnp_statistics* statistics)
{
    if (!engine || !statistics)
        return NNP_BAD_ARGUMENT;
    *statistics = engine->engine.statistics();
    return NNP_OK;
}
