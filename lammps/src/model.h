// SPDX-License-Identifier: GPL-2.0-only
// A potential and its engine, as libnnp has them, which release themselves.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "library.h"

namespace nnp_lammps
{

// What libnnp says went wrong; what() is its message.
class Failure : public std::runtime_error
{
public:
    explicit Failure(const nnp_error& error) : std::runtime_error(error.text), error(error) {}
    nnp_error error;
};

class Model
{
public:
    // The bytes of a model file. Throws Failure, and std::runtime_error where libnnp is not found.
    explicit Model(const std::vector<char>& bytes);

    double cutoff() const { return library_->model_cutoff(handle_.get()); }
    int n_elements() const { return library_->model_n_elements(handle_.get()); }
    int atomic_number(int element) const { return library_->model_atomic_number(handle_.get(), element); }
    std::string function(int element, int function) const;
    int n_members() const { return library_->model_n_members(handle_.get()); }
    Model member(int number) const { return Model(library_->model_member(handle_.get(), number)); }
    const nnp_model* get() const { return handle_.get(); }

private:
    explicit Model(nnp_model* handle) : library_(&Library::get()), handle_(handle, library_->model_release) {}

    const Library* library_;
    std::unique_ptr<nnp_model, void (*)(nnp_model*)> handle_;
};

class Engine
{
public:
    // Throws Failure.
    Engine(const Model& model, bool float32, int threads);

    void compute(const nnp_domain& domain, const nnp_results& results);
    nnp_extrapolations extrapolations() const;
    double bytes() const;

private:
    const Library* library_;
    std::unique_ptr<nnp_engine, void (*)(nnp_engine*)> handle_;
};

// Chemical symbols by atomic number, from 1; null: no such element.
const char* chemical_symbol(int atomic_number);
// 0: no such symbol.
int atomic_number(const std::string& symbol);

}  // namespace nnp_lammps
