#include "source.h"

#include "calls.h"
#include "error.h"
#include "host/layout.h"
#include "moments.h"
#include "repulsion.h"
#include "texts.h"
#include "writer.h"

#include <algorithm>

namespace nnp::gpu
{
namespace
{

std::string text_of(const char* name)
{
    const char* text = kernel_text(name);
    if (!text)
        throw Error(NNP_INTERNAL, std::string("the kernel text ") + name + " was not built in");
    return std::string("// ---- ") + name + "\n" + text;
}

// A header of include/nnp without its #include lines: the program brings everything itself.
std::string header_of(const char* name)
{
    std::string text = text_of(name), out;
    for (size_t begin = 0; begin < text.size();) {
        size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
        std::string line = text.substr(begin, end - begin);
        if (line.rfind("#include", 0) != 0)
            out += line;
        begin = end;
    }
    return out;
}

std::string head(const nnp_gpu_options& o)
{
    std::string text;
    if (o.dialect != NNP_GPU_OPENMM) {
        if (o.precision == NNP_GPU_DOUBLE)
            text += "#define USE_DOUBLE_PRECISION 1\n";
        if (o.precision == NNP_GPU_MIXED)
            text += "#define USE_MIXED_PRECISION 1\n";
        text += text_of(o.dialect == NNP_GPU_CUDA ? "dialect_cuda.inc" : "dialect_opencl.inc");
        text += text_of("precision.inc");
    }
    text += text_of("formulas.inc");
    for (const char* name : {"real.h", "core.h", "cutoff.h", "radial.h", "angular.h", "activation.h"})
        text += header_of(name);
    return text;
}

// Pairs of neighbours in local memory at once: all of an atom in liquids and solids, parts where there are more.
int64_t pair_count(const nnp_gpu_options& o, int64_t blocks)
{
    return blocks == 0 ? 1 : std::min<int64_t>(int64_t{o.capacity} * o.capacity / 6 + 1, 4096);
}

struct Counts {
    int64_t blocks, contributions;
};

// Most blocks of pairs of an element, and most that is added to the gradient of one neighbour: from each other one, in
// every group; by every series of moments and every repulsion.
Counts counts_of(const Model& model, int64_t capacity)
{
    std::vector<ElementPlan> plan = make_plan(model, Powers::in_slots);
    Counts most = {0, 1};
    for (size_t e = 0; e < plan.size(); ++e) {
        Groups groups = make_groups(plan[e]);
        most.blocks = std::max(most.blocks, block_count(groups));
        int64_t angular = static_cast<int64_t>(groups.angular.size()) * capacity;
        auto single = static_cast<int64_t>(groups.radial.size() + groups.moments.series.size() +
                                           model.elements[e].repulsions.size());
        most.contributions = std::max(most.contributions, angular + single);
    }
    return most;
}

// How many bits a contribution may have so that their sum fits.
int64_t pull_bits(int64_t contributions, bool is_double)
{
    int64_t bits = is_double ? 62 : 30;
    for (; contributions > 1; contributions = (contributions + 1) / 2)
        --bits;
    return std::min<int64_t>(bits, is_double ? 52 : 23);
}

// Work-groups that have to fit on a multiprocessor of 65536 registers (dialect_cuda.inc).
int64_t resident(const Model& model, const nnp_gpu_options& o, int64_t blocks)
{
    bool light = has_moments(model) && blocks == 0 && most_l(model) <= 4 && o.precision != NNP_GPU_DOUBLE;
    return light ? std::max<int64_t>(1, 65536 / 128 / o.group_size) : 1;
}

std::string constants(const Model& model, const nnp_gpu_options& o)
{
    Counts counts = counts_of(model, o.capacity);
    std::string numbers;
    for (const Element& element : model.elements)
        numbers += (numbers.empty() ? "" : ", ") + std::to_string(element.atomic_number);
    return define("N_ELEMENTS", std::to_string(model.elements.size())) + define("ANY_ELEMENT", "(-1)") +
           define("ATOMIC_NUMBERS", "{" + numbers + "}") + define("GROUP_SIZE", std::to_string(o.group_size)) +
           define("CAPACITY", std::to_string(o.capacity)) +
           define("PAIRS", std::to_string(pair_count(o, counts.blocks))) +
           define("N_BLOCKS", std::to_string(counts.blocks)) +
           define("RESIDENT", std::to_string(resident(model, o, counts.blocks))) +
           define("CHUNK", "(GROUP_SIZE < 32 ? GROUP_SIZE : 32)") +
           define("PULL_BITS", std::to_string(pull_bits(counts.contributions, o.precision == NNP_GPU_DOUBLE))) +
           define("REAL_BYTES", std::to_string(real_bytes(o.precision))) +
           define("MIXED_BYTES", std::to_string(mixed_bytes(o.precision))) +
           define("POINT_BYTES", std::to_string(point_bytes(o.precision))) +
           define("CUTOFF2", to_text(model.cutoff * model.cutoff)) +
           define("MOST_FUNCTIONS", std::to_string(most_functions(model))) + define("TWIST", to_text(model.twist)) +
           define("EXTRAPOLATION_TOLERANCE", o.precision == NNP_GPU_DOUBLE ? "1e-9" : "1e-5");
}

std::string undefine(const std::vector<const char*>& names)
{
    std::string text;
    for (const char* name : names)
        text += std::string("#undef ") + name + "\n";
    return text;
}

std::string group_head(const std::string& name, size_t first)
{
    return define("GROUP(name)", "name##" + name) + define("FIRST_MEMBER", std::to_string(first));
}

// Texts of all groups of one element, radial ones and angular ones.
std::string write_groups(const Groups& groups, const std::string& suffix, std::string (*radial)(const RadialGroup&),
                         std::string (*angular)(const AngularGroup&))
{
    std::string text;
    size_t first = 0;
    for (size_t g = 0; g < groups.radial.size(); ++g) {
        text += group_head("_r" + std::to_string(g) + suffix, first) + radial(groups.radial[g]) +
                undefine({"GROUP", "FIRST_MEMBER", "N_MEMBERS", "NEIGHBOR_1"});
        first += groups.radial[g].members.size();
    }
    for (size_t g = 0; g < groups.angular.size(); ++g) {
        text += group_head("_a" + std::to_string(g) + suffix, first) + angular(groups.angular[g]) +
                undefine({"GROUP", "FIRST_MEMBER", "N_MEMBERS", "NEIGHBOR_1", "NEIGHBOR_2", "NARROW", "RADIUS",
                          "R_SHIFT", "SHIFTED", "MEAN"});
        first += groups.angular[g].members.size();
    }
    return text;
}

std::string radial_sums(const RadialGroup& g)
{
    return write_radial(g) + text_of("radial.cc");
}

std::string angular_sums(const AngularGroup& g)
{
    return write_angular(g) + text_of("angular.cc") + write_sums(g) + text_of("angular_sum.cc") +
           text_of("angular_back.cc");
}

std::string radial_changes(const RadialGroup& g)
{
    return write_radial(g) + text_of("radial_tangent.cc");
}

std::string angular_changes(const AngularGroup& g)
{
    return write_angular(g) + text_of("angular.cc") + write_changes(g) + text_of("angular_tangent.cc");
}

std::string repulsions(const Element& element, const std::string& suffix)
{
    std::string text = define("N_REPULSIONS", std::to_string(element.repulsions.size()));
    for (size_t p = 0; p < element.repulsions.size(); ++p)
        text += define("GROUP(name)", "name##_z" + std::to_string(p) + suffix) +
                write_repulsion(element.repulsions[p]) + text_of("repulsion.cc") + undefine({"GROUP", "NEIGHBOR_1"});
    return text;
}

std::string element_head(const Element& element, const std::string& suffix)
{
    return define("ELEMENT(name)", "name##" + suffix) + define("N_FUNCTIONS", std::to_string(element.functions.size()));
}

// What all programs begin with.
std::string common(const Model& model, const nnp_gpu_options& options)
{
    std::string text = head(options) + (has_repulsion(model) ? header_of("zbl.h") : "");
    if (has_moments(model))
        text += header_of("chebyshev.h") + header_of("harmonics.h");
    return text + constants(model, options) + text_of("layout.inc") + text_of("displacement.cc");
}

// What those begin with that visit an atom's neighbours.
std::string visiting(const Model& model, const nnp_gpu_options& options)
{
    std::string text = common(model, options) + text_of("stage.cc") + text_of("triples.cc") + text_of("tiles.cc");
    return has_moments(model) ? text + text_of("moment_polynomials.cc") : text;
}

}  // namespace

std::string suffix_of(size_t element)
{
    return "_e" + std::to_string(element);
}

size_t most_functions(const Model& model)
{
    size_t most = 1;
    for (const Element& element : model.elements)
        most = std::max(most, element.functions.size());
    return most;
}

void check_options(const nnp_gpu_options& o)
{
    auto refuse = [](const char* name, int32_t value, const char* allowed) {
        throw Error(NNP_BAD_ARGUMENT, std::string(name) + " is " + std::to_string(value) + ": allowed are " + allowed);
    };
    if (o.precision < NNP_GPU_SINGLE || o.precision > NNP_GPU_DOUBLE)
        refuse("precision", o.precision, "0 (single), 1 (mixed) and 2 (double)");
    if (o.dialect < NNP_GPU_CUDA || o.dialect > NNP_GPU_OPENMM)
        refuse("dialect", o.dialect, "0 (CUDA), 1 (OpenCL) and 2 (OpenMM)");
    if (o.group_size < 8 || o.group_size > 1024 || (o.group_size & (o.group_size - 1)) != 0)
        refuse("group_size", o.group_size, "the powers of two from 8 to 1024");
    if (o.capacity < 2 || o.capacity % 2 != 0)
        refuse("capacity", o.capacity, "even numbers from 2");
}

std::string write_list_program(const Model& model, const nnp_gpu_options& options)
{
    std::string text = common(model, options) + text_of("list.cc") + text_of("finish.cc");
    return options.dialect == NNP_GPU_OPENMM ? text : text + text_of("transfer.cc");
}

std::string write_program(const Model& model, const nnp_gpu_options& options)
{
    std::vector<ElementPlan> plan = make_plan(model, Powers::in_slots);
    std::string text = visiting(model, options) + text_of("pull.cc") + text_of("push.cc") + text_of("network.cc");
    for (size_t e = 0; e < model.elements.size(); ++e) {
        const Element& element = model.elements[e];
        std::string suffix = suffix_of(e);
        Groups groups = make_groups(plan[e]);
        text += write_groups(groups, suffix, radial_sums, angular_sums) + element_head(element, suffix) +
                define("N_NODES", std::to_string(node_count(element))) +
                define("ENERGY_SCALE", "(" + to_text(model.energy_scale) + ")") +
                define("ENERGY_OFFSET", "(" + to_text(element.energy_offset) + ")") +
                write_element(element, groups, suffix) + repulsions(element, suffix) +
                write_repulsion_calls(element, suffix) + write_moments(model, groups, options, suffix, false) +
                text_of("atom.cc") + undefine(moment_macros()) +
                undefine({"ELEMENT", "N_FUNCTIONS", "N_NODES", "N_REPULSIONS", "ENERGY_SCALE", "ENERGY_OFFSET"});
    }
    return text;
}

std::string write_tangent_program(const Model& model, const nnp_gpu_options& options)
{
    std::vector<ElementPlan> plan = make_plan(model, Powers::in_slots);
    std::string text = visiting(model, options);
    for (size_t e = 0; e < model.elements.size(); ++e) {
        std::string suffix = suffix_of(e);
        Groups groups = make_groups(plan[e]);
        text += write_groups(groups, suffix, radial_changes, angular_changes) +
                element_head(model.elements[e], suffix) + write_tangent(groups, suffix) +
                write_moments(model, groups, options, suffix, true) + text_of("tangent.cc") +
                undefine(moment_macros()) + undefine({"ELEMENT", "N_FUNCTIONS"});
    }
    return text;
}

// What the LOCAL arrays of atom.cc add up to.
int64_t local_bytes(const Model& model, const nnp_gpu_options& o)
{
    int64_t real = real_bytes(o.precision), mixed = mixed_bytes(o.precision), most = 0;
    std::vector<ElementPlan> plan = make_plan(model, Powers::in_slots);
    for (size_t e = 0; e < plan.size(); ++e) {
        const Element& element = model.elements[e];
        int64_t functions = static_cast<int64_t>(element.functions.size()) + 1;
        most = std::max(most, functions * (mixed + 2 * real) + (node_count(element) + 1) * mixed +
                                  moment_bytes(model, make_groups(plan[e]), o));
    }
    int64_t slots = int64_t{o.capacity} * (13 * real + 4);
    int64_t threads = int64_t{o.group_size} * (8 * mixed + 5 + 3 * 8);
    int64_t blocks = counts_of(model, o.capacity).blocks;
    int64_t pairs = pair_count(o, blocks) * (o.capacity <= 256 ? 2 : 4);
    return most + slots + threads + pairs + (blocks + 1) * 9 * 4 +
           8 * (static_cast<int64_t>(model.elements.size()) + 1) + 64;
}

}  // namespace nnp::gpu
