// The C interface: every call catches what is thrown and turns it into a message.
#include "nnp_openmm.h"

#include "force.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

struct nnp_openmm_monitor {
    std::shared_ptr<nnp_openmm::Latest> latest;
    std::shared_ptr<nnp_openmm::Record> fixed, read;
};

namespace
{

using nnp_openmm::NNPForce;
using nnp_openmm::Record;

const NNPForce* as_force(const void* force)
{
    return dynamic_cast<const NNPForce*>(static_cast<const OpenMM::Force*>(force));
}

const NNPForce& require_force(const void* force)
{
    const NNPForce* found = force ? as_force(force) : nullptr;
    if (!found)
        throw std::invalid_argument("this is not an NNPForce: make one with nnp.openmm.create_force");
    return *found;
}

OpenMM::Context& require_context(void* context)
{
    if (!context)
        throw std::invalid_argument("the context is a null pointer");
    return *static_cast<OpenMM::Context*>(context);
}

template <class Work>
int guarded(char* message, size_t size, Work work)
{
    std::string sentence = "unknown error";
    try {
        work();
        return 0;
    } catch (const std::exception& error) {
        sentence = error.what();
    } catch (...) {
    }
    if (message && size > 0) {
        size_t n = std::min(sentence.size(), size - 1);
        std::memcpy(message, sentence.data(), n);
        message[n] = '\0';
    }
    return 1;
}

void fill(const Record& r, nnp_openmm_reading& out)
{
    out.evaluations = r.evaluations;
    out.code = r.code;
    out.message = r.message.c_str();
    out.failure = r.failure;
    out.failed_particle = r.failed_particle;
    out.failed_other = r.failed_other;
    out.energy = r.energy;
    out.n_particles = r.n_particles;
    out.n_atoms = static_cast<int64_t>(r.particles.size());
    out.particles = r.particles.data();
    out.energies = r.energies.empty() ? nullptr : r.energies.data();
    out.forces = r.has_forces && !r.forces.empty() ? r.forces.data() : nullptr;
    out.n_extrapolating = r.n_extrapolating;
    out.n_extrapolations = static_cast<int64_t>(r.functions.size());
    out.extrapolating_particles = r.extrapolating_particles.data();
    out.functions = r.functions.data();
    out.excess = r.excess.data();
    out.relative = r.relative.data();
    out.worst = r.worst;
    out.stress = r.has_stress ? r.stress : nullptr;
}

}  // namespace

int nnp_openmm_abi_version(void)
{
    return NNP_OPENMM_ABI_VERSION;
}

int nnp_openmm_is_force(const void* force)
{
    return force && as_force(force) ? 1 : 0;
}

int nnp_openmm_set_potential(void* force, const void* potential, size_t n_bytes, char* message, size_t size)
{
    return guarded(message, size, [&] {
        require_force(force);
        if (!potential)
            throw std::invalid_argument("the potential is a null pointer");
        nnp_openmm::PotentialData data = {std::string(static_cast<const char*>(potential), n_bytes)};
        dynamic_cast<NNPForce&>(*static_cast<OpenMM::Force*>(force)).set_potential(std::move(data));
    });
}

int nnp_openmm_update_context(const void* force, void* context, char* message, size_t size)
{
    return guarded(message, size, [&] { require_force(force).update_parameters_in_context(require_context(context)); });
}

int64_t nnp_openmm_failures(void)
{
    return Record::failures();
}

nnp_openmm_monitor* nnp_openmm_monitor_create(const void* force, void* context, char* message, size_t size)
{
    nnp_openmm_monitor* monitor = nullptr;
    guarded(message, size, [&] {
        const NNPForce& found = require_force(force);
        auto made = std::make_unique<nnp_openmm_monitor>();
        made->latest = found.latest();
        if (context)
            made->fixed = found.record_in_context(require_context(context));
        monitor = made.release();
    });
    return monitor;
}

void nnp_openmm_monitor_destroy(nnp_openmm_monitor* monitor)
{
    delete monitor;
}

void nnp_openmm_monitor_read(nnp_openmm_monitor* monitor, nnp_openmm_reading* reading)
{
    if (!monitor || !reading)
        return;
    *reading = {};
    reading->message = "";
    reading->worst = reading->failed_particle = reading->failed_other = -1;
    monitor->read = monitor->fixed ? monitor->fixed : monitor->latest->get();
    if (monitor->read)
        fill(*monitor->read, *reading);
}

int nnp_openmm_monitor_fetch(nnp_openmm_monitor* monitor, nnp_openmm_reading* reading, char* message, size_t size)
{
    return guarded(message, size, [&] {
        nnp_openmm_monitor_read(monitor, reading);
        if (!monitor || !monitor->read || !monitor->read->fetch)
            return;
        monitor->read->fetch();
        fill(*monitor->read, *reading);
    });
}
