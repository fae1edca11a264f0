// What the last evaluation of a force in a Context said, for whoever wants to read it between steps.
#ifndef NNP_PLUGIN_RECORD_H
#define NNP_PLUGIN_RECORD_H

#include "potential_data.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace nnp_openmm
{

// A function of an atom outside its training range.
struct Extrapolation {
    int64_t atom, function;
    double excess;  // below the minimum: negative; above the maximum: positive
};

// One Context's last evaluation, in the potential's units (Å, eV). The kernel computes straight into it.
struct Record {
    int64_t evaluations = 0;
    int32_t code = 0;     // enum nnp_code of the last evaluation
    std::string message;  // its text, as the OpenMMException said it
    int64_t failure = 0;  // its number among all failures of the process, from 1; 0: it went well
    int64_t failed_particle = -1, failed_other = -1;  // whom it is about; -1: nobody
    double energy = 0;                                // without the global scale
    bool has_forces = false;
    bool has_stress = false;         // of a periodic system, where it comes with the forces
    double stress[6] = {};           // eV/Å^3, xx yy zz yz xz xy, without the global scale
    int64_t n_particles = 0;         // of the System
    std::vector<int64_t> particles;  // of the System, one for each atom of the potential
    std::vector<double> energies;    // [atoms]
    std::vector<double> forces;      // [atoms][3], without the global scale
    std::function<void()> fetch;     // on a device: brings energies and forces here; empty: they are here, or lost
    // Functions outside their training range, by atom, then function.
    std::vector<int64_t> extrapolating_particles;  // index in the System
    std::vector<int64_t> functions;
    std::vector<double> excess, relative;
    int64_t n_extrapolating = 0;  // atoms
    int64_t worst = -1;           // index into the lists above

    // Takes the atoms (numbers other than 0) from a System's particles.
    void take_particles(const std::vector<int32_t>& atomic_numbers);
    // found: by atom, then function; atomic_numbers: of the atoms.
    void set_extrapolations(const std::vector<Extrapolation>& found, const std::vector<int32_t>& atomic_numbers,
                            const Widths& widths);
    // What to say when more than `allowed` atoms extrapolate; empty when not. A negative number allows all.
    std::string complaint(int64_t allowed) const;
    void succeed();
    // How many failures there were in this process.
    static int64_t failures();
    // Notes a failure and throws it as an OpenMMException. An engine's error counts atoms, which become particles;
    // where: of a position that is not finite.
    [[noreturn]] void refuse(const nnp_error& error, const std::string& where = "");
    [[noreturn]] void fail(int error_code, const std::string& text, int64_t particle = -1, int64_t other = -1);
};

// The record of the Context that a force was last evaluated in. Shared by the force, its kernels and its readers.
class Latest
{
public:
    void set(const std::shared_ptr<Record>& record)
    {
        std::lock_guard<std::mutex> guard(mutex_);
        if (record_ != record)
            record_ = record;
    }
    std::shared_ptr<Record> get() const
    {
        std::lock_guard<std::mutex> guard(mutex_);
        return record_;
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<Record> record_;
};

}  // namespace nnp_openmm

#endif
