#include "wide.h"

#include "nnp/harmonics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nnp
{
namespace
{

bool is_weighted(const Function& f)
{
    return f.neighbor_1 == ANY_ELEMENT;
}

bool same_group(const Function& a, const Function& b)
{
    auto key = [](const Function& f) {
        return std::make_tuple(f.cutoff, f.r_cutoff, f.inner_fraction, is_weighted(f));
    };
    return key(a) == key(b);
}

// Fills one group. Radial functions stand by neighbour element, so that each sees those of its own only.
class WideBuilder
{
public:
    WideBuilder(const Model& model, const Function& first)
        : model_(model), n_elements_(static_cast<int>(model.elements.size())), weighted_(is_weighted(first))
    {
        group_.series.cutoff = first.cutoff;
        group_.series.inner_fraction = first.inner_fraction;
        group_.series.n_terms = 1;
        radius_ = first.r_cutoff;
        columns_.resize(weighted_ ? 1 : n_elements_);
    }

    void add_columns(const Function& f)
    {
        add_column(weighted_ ? 0 : f.neighbor_1, f);
        add_column(weighted_ ? 0 : f.neighbor_2, f);
    }

    // After all columns: where each element's radial functions stand.
    void place_columns()
    {
        int n = 0;
        for (const std::vector<Gaussian>& columns : columns_) {
            starts_.push_back(n);
            group_.gaussians.insert(group_.gaussians.end(), columns.begin(), columns.end());
            n += static_cast<int>(columns.size());
        }
        starts_.push_back(n);
        RadialSeries& s = group_.series;
        s.n_functions = n;
        s.coefficients.assign(static_cast<size_t>(n_elements_) * n, 0);
        for (int e = 0; e < n_elements_; ++e) {
            const int block = weighted_ ? 0 : e;
            FunctionRange seen = {starts_[block], starts_[block + 1]};
            s.radii.push_back(seen.begin < seen.end ? radius_ : 0);
            double weight = weighted_ ? model_.elements[e].atomic_number : 1;
            std::fill(s.coefficients.begin() + e * n + seen.begin, s.coefficients.begin() + e * n + seen.end, weight);
            group_.seen.push_back(seen);
        }
    }

    void add_member(const Function& f, int index)
    {
        const int n_1 = number(weighted_ ? 0 : f.neighbor_1, f), n_2 = number(weighted_ ? 0 : f.neighbor_2, f);
        const double share = n_1 == n_2 ? 0.5 : 1;
        const std::vector<double> c = power_in_legendre(f.lambda, static_cast<int>(f.zeta));
        for (int l = 0; l < static_cast<int>(c.size()); ++l) {
            if (c[l] != 0)
                group_.pairs.push_back({n_1, n_2, l, share * c[l] * legendre_weight(l), index});
            need_degree(group_, l);
        }
        const double itself = std::accumulate(c.begin(), c.end(), 0.0);
        if (n_1 == n_2)
            group_.squares.push_back({n_1, -share * itself, index});
        group_.indices.push_back(index);
    }

    // Members that share a product stand beside each other.
    MomentGroup build()
    {
        std::stable_sort(group_.squares.begin(), group_.squares.end(),
                         [](const MomentSquare& a, const MomentSquare& b) { return a.n < b.n; });
        finish_group(group_);
        return group_;
    }

private:
    const Model& model_;
    int n_elements_;
    bool weighted_;
    double radius_ = 0;
    MomentGroup group_;
    std::vector<std::vector<Gaussian>> columns_;  // [element] distinct radial functions
    std::vector<int> starts_;

    static std::vector<Gaussian>::const_iterator find(const std::vector<Gaussian>& columns, const Function& f)
    {
        return std::find_if(columns.begin(), columns.end(),
                            [&](const Gaussian& g) { return g.eta == f.eta && g.shift == f.r_shift; });
    }

    void add_column(int block, const Function& f)
    {
        std::vector<Gaussian>& columns = columns_[block];
        if (find(columns, f) == columns.end())
            columns.push_back({f.eta, f.r_shift});
    }

    int number(int block, const Function& f) const
    {
        return starts_[block] + static_cast<int>(find(columns_[block], f) - columns_[block].begin());
    }
};

}  // namespace

bool has_moments(const Function& f)
{
    return f.family == NNP_ANGULAR && !f.narrow && f.zeta >= 1 && f.zeta <= NNP_MOST_L &&
           f.zeta == std::floor(f.zeta) && std::fabs(f.lambda) <= 1;
}

std::vector<MomentGroup> wide_groups(const Model& model, const Element& element, const std::vector<int>& functions)
{
    std::vector<MomentGroup> groups;
    std::vector<int> left = functions;
    while (!left.empty()) {
        const Function& first = element.functions[left[0]];
        auto rest = std::stable_partition(left.begin(), left.end(),
                                          [&](int i) { return same_group(first, element.functions[i]); });
        WideBuilder builder(model, first);
        for (auto i = left.begin(); i != rest; ++i)
            builder.add_columns(element.functions[*i]);
        builder.place_columns();
        for (auto i = left.begin(); i != rest; ++i)
            builder.add_member(element.functions[*i], *i);
        groups.push_back(builder.build());
        left.erase(left.begin(), rest);
    }
    return groups;
}

std::vector<double> power_in_legendre(double lambda, int zeta)
{
    std::vector<double> c = {2};
    for (int power = 0; power < zeta; ++power)
        c = times_linear(c, 0.5, 0.5 * lambda);
    return c;
}

}  // namespace nnp
