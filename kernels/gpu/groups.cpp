#include "groups.h"

#include <algorithm>

namespace nnp::gpu
{
namespace
{

// The same group once per MOST_MEMBERS members.
template <class Group>
void append_cut(std::vector<Group>& groups, const Group& whole)
{
    for (size_t first = 0; first < whole.members.size(); first += MOST_MEMBERS) {
        size_t last = std::min(whole.members.size(), first + MOST_MEMBERS);
        Group part = whole;
        part.members.assign(whole.members.begin() + first, whole.members.begin() + last);
        groups.push_back(part);
    }
}

}  // namespace

Groups make_groups(const ElementPlan& plan)
{
    Groups groups;
    for (const RadialGroup& group : plan.radial)
        append_cut(groups.radial, group);
    for (const AngularGroup& group : plan.angular)
        append_cut(groups.angular, group);
    groups.moments = moment_tables(plan.moments);
    return groups;
}

int64_t first_polynomial(const Groups& groups)
{
    size_t count = 0;
    for (const RadialGroup& group : groups.radial)
        count += group.members.size();
    for (const AngularGroup& group : groups.angular)
        count += group.members.size();
    return static_cast<int64_t>(count);
}

std::vector<int> order_of(const Groups& groups)
{
    std::vector<int> order;
    for (const RadialGroup& group : groups.radial) {
        for (const RadialMember& member : group.members)
            order.push_back(member.index);
    }
    for (const AngularGroup& group : groups.angular) {
        for (const AngularMember& member : group.members)
            order.push_back(member.index);
    }
    order.insert(order.end(), groups.moments.functions.begin(), groups.moments.functions.end());
    return order;
}

Coefficients coefficients_of(const Groups& groups)
{
    Coefficients c;
    for (const RadialGroup& group : groups.radial) {
        c.value.insert(c.value.end(), group.members.size(), 1);
        c.slope.insert(c.slope.end(), group.members.size(), 0);
    }
    for (const AngularGroup& group : groups.angular) {
        for (const AngularMember& member : group.members) {
            c.value.push_back(member.value_coefficient);
            c.slope.push_back(member.slope_coefficient);
        }
    }
    c.value.insert(c.value.end(), groups.moments.functions.size(), 1);  // it stands in the polynomials
    c.slope.insert(c.slope.end(), groups.moments.functions.size(), 0);
    return c;
}

std::vector<double> parameters_of(const Element& element, const Groups& groups)
{
    std::vector<int> order = order_of(groups);
    Coefficients coefficients = coefficients_of(groups);
    std::vector<double> out;
    for (double Function::* field : {&Function::factor, &Function::offset, &Function::minimum, &Function::maximum}) {
        for (int f : order)
            out.push_back(element.functions[f].*field);
    }
    out.insert(out.end(), coefficients.value.begin(), coefficients.value.end());
    out.insert(out.end(), coefficients.slope.begin(), coefficients.slope.end());
    for (size_t l = 0; l < element.layers.size(); ++l) {
        const Layer& layer = element.layers[l];
        for (int i = 0; i < layer.n_in; ++i) {
            auto row = layer.weights.begin() + static_cast<int64_t>(l == 0 ? order[i] : i) * layer.n_out;
            out.insert(out.end(), row, row + layer.n_out);
        }
        out.insert(out.end(), layer.biases.begin(), layer.biases.end());
    }
    return out;
}

}  // namespace nnp::gpu
