// The table of nnp/families.h over the members of Function.
#ifndef NNP_MODEL_FAMILIES_H
#define NNP_MODEL_FAMILIES_H

#include "model.h"

namespace nnp
{

struct IntegerParameter {
    const char* name;
    const char* meaning;
    int Function::* member;
};

struct RealParameter {
    const char* name;
    const char* unit;
    double Function::* member;
};

struct Family {
    int number;
    const char* name;
    int loop;  // enum nnp_loop
    std::vector<IntegerParameter> integers;
    std::vector<RealParameter> reals;

    bool has(double Function::* member) const;
    bool has(int Function::* member) const;
};

const std::vector<Family>& families();

// Null where there is none of this number.
const Family* find_family(int64_t number);

// One line for messages, as Python's `describe`: "radial Si eta=0.5 r_shift=0 r_cutoff=6".
std::string describe(const Function& function, const Model& model);

// "Si"; the number itself where it is not an element's.
std::string chemical_symbol(int atomic_number);

}  // namespace nnp

#endif
