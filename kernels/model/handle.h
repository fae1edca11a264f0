// What an nnp_model points to: a reference to a model that engines share.
#ifndef NNP_MODEL_HANDLE_H
#define NNP_MODEL_HANDLE_H

#include "model.h"

#include <memory>

struct nnp_model {
    std::shared_ptr<const nnp::Model> model;
};

#endif
