// The C interface: every call catches what the engine throws and turns it into a code and a sentence.
#include "engine.h"
#include "error.h"

#include <cstring>
#include <new>

struct nnp_engine {
    nnp::Engine engine;
    std::string message;
};

namespace
{

// The code and sentence of the exception being handled.
int describe_failure(std::string& message)
{
    try {
        throw;
    } catch (const nnp::Error& error) {
        message = error.what();
        return error.code;
    } catch (const std::bad_alloc&) {
        message = "out of memory";
        return NNP_NO_MEMORY;
    } catch (const std::exception& error) {
        message = std::string("internal error: ") + error.what();
        return NNP_INTERNAL;
    } catch (...) {
        message = "internal error";
        return NNP_INTERNAL;
    }
}

template <class Work>
int guarded(nnp_engine* engine, Work work)
{
    if (!engine)
        return NNP_BAD_ARGUMENT;
    try {
        engine->message.clear();
        work(engine->engine);
        return NNP_OK;
    } catch (...) {
        return describe_failure(engine->message);
    }
}

void require(bool present, const char* sentence)
{
    if (!present)
        throw nnp::Error(NNP_BAD_ARGUMENT, sentence);
}

void copy_message(const std::string& from, char* to, size_t size)
{
    if (!to || size == 0)
        return;
    size_t n = std::min(from.size(), size - 1);
    std::memcpy(to, from.data(), n);
    to[n] = '\0';
}

}  // namespace

int nnp_abi_version(void)
{
    return NNP_ABI_VERSION;
}

int nnp_engine_create(const nnp_potential_arrays* potential, const nnp_options* options, nnp_engine** engine,
                      char* message, size_t message_size)
{
    std::string sentence;
    int code = NNP_OK;
    try {
        require(engine != nullptr, "engine is a null pointer");
        *engine = nullptr;
        require(potential && options && potential->integers && potential->reals, "an argument is a null pointer");
        *engine = new nnp_engine{nnp::Engine(*potential, *options), {}};
    } catch (...) {
        code = describe_failure(sentence);
    }
    copy_message(sentence, message, message_size);
    return code;
}

void nnp_engine_destroy(nnp_engine* engine)
{
    delete engine;
}

const char* nnp_engine_message(const nnp_engine* engine)
{
    return engine ? engine->message.c_str() : "the engine is a null pointer";
}

const char* nnp_engine_target(const nnp_engine* engine)
{
    return engine ? engine->engine.kernel().target : "";
}

int nnp_engine_threads(const nnp_engine* engine)
{
    return engine ? engine->engine.threads() : 0;
}

int nnp_engine_compute(nnp_engine* engine, const nnp_structure* structure, const nnp_results* results)
{
    return guarded(engine, [&](nnp::Engine& e) {
        require(structure && results, "structure or results is a null pointer");
        e.compute(*structure, *results);
    });
}

int nnp_engine_extrapolations(const nnp_engine* engine, nnp_extrapolations* extrapolations)
{
    if (!engine || !extrapolations)
        return NNP_BAD_ARGUMENT;
    *extrapolations = engine->engine.extrapolations();
    return NNP_OK;
}

int64_t nnp_engine_descriptor_size(nnp_engine* engine, const nnp_structure* structure)
{
    int64_t size = -1;
    guarded(engine, [&](nnp::Engine& e) {
        require(structure != nullptr, "structure is a null pointer");
        size = e.descriptor_size(*structure);
    });
    return size;
}

int nnp_engine_descriptor_vjp(nnp_engine* engine, const nnp_structure* structure, const double* dl_dg, double* dl_dr,
                              double* dl_dstrain)
{
    return guarded(engine, [&](nnp::Engine& e) {
        require(structure && dl_dg && dl_dr, "structure, dl_dg or dl_dr is a null pointer");
        e.pull_back(*structure, dl_dg, dl_dr, dl_dstrain);
    });
}

int nnp_engine_descriptor_jvp(nnp_engine* engine, const nnp_structure* structure, const double* dr,
                              const double* dstrain, double* dg)
{
    return guarded(engine, [&](nnp::Engine& e) {
        require(structure && dg, "structure or dg is a null pointer");
        e.push_forward(*structure, dr, dstrain, dg);
    });
}

int nnp_engine_statistics(const nnp_engine* engine, nnp_statistics* statistics)
{
    if (!engine || !statistics)
        return NNP_BAD_ARGUMENT;
    *statistics = engine->engine.statistics();
    return NNP_OK;
}
