// The flat arrays of nnp.h block by block; nothing is read beyond an end.
#ifndef NNP_MODEL_ARRAYS_H
#define NNP_MODEL_ARRAYS_H

#include "nnp.h"

#include <string>
#include <vector>

namespace nnp
{

// One block: takes numbers off its two ends one after the other. Throws Error(NNP_BAD_MODEL).
class Block
{
public:
    Block(int64_t tag, const int64_t* integers, int64_t n_integers, const double* reals, int64_t n_reals)
        : tag_(tag),
          integers_(integers),
          last_integer_(integers + n_integers),
          reals_(reals),
          last_real_(reals + n_reals)
    {
    }

    int64_t tag() const { return tag_; }
    int64_t integer(const char* what, int64_t lowest, int64_t highest);
    double real(const char* what);
    std::vector<double> numbers(const char* what, int64_t count);
    int64_t integers_left() const { return last_integer_ - integers_; }
    const int64_t* next_integers() const { return integers_; }
    const double* next_reals() const { return reals_; }
    void finish() const;  // nothing may be left

private:
    int64_t tag_;
    const int64_t *integers_, *last_integer_;
    const double *reals_, *last_real_;
};

class Blocks
{
public:
    // Reads the head. The arrays must outlive it.
    Blocks(const std::vector<int64_t>& integers, const std::vector<double>& reals);

    bool more() const { return left_ > 0; }
    Block next();
    void finish() const;

private:
    const std::vector<int64_t>& integers_;
    const std::vector<double>& reals_;
    int64_t left_ = 0;
    int64_t next_integer_ = 0, next_real_ = 0;

    int64_t head(const char* what, int64_t lowest, int64_t highest);
};

}  // namespace nnp

#endif
