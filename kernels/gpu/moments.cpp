#include "moments.h"

#include "host/layout.h"
#include "texts.h"
#include "writer.h"

#include <algorithm>

namespace nnp::gpu
{
namespace
{

// Slots in local memory at once, with their radial functions and harmonics: a warp's.
constexpr int64_t CHUNK = 32;

std::string number(int64_t value)
{
    return std::to_string(value);
}

std::string define_number(const char* name, int64_t value)
{
    return define(name, number(value));
}

int64_t over(int64_t n, int64_t by)
{
    return (n + by - 1) / by;
}

int64_t chunk_of(const nnp_gpu_options& o)
{
    return std::min<int64_t>(CHUNK, o.group_size);
}

// How a series is shared among threads (moments.cc).
struct Shares {
    int64_t tile, parts, at_once, at_once_back;

    Shares(const MomentSeries& s, int64_t group_size, int64_t chunk)
    {
        int64_t n = s.series.n_functions, rows = s.rows();
        int64_t most = std::min<int64_t>(n, MOST_AT_ONCE);
        for (tile = 1; tile < most && rows * over(n, tile) > group_size;)
            ++tile;
        parts = std::max<int64_t>(1, std::min(chunk, group_size / (rows * over(n, tile))));
        at_once_back = over(n, over(n, MOST_AT_ONCE));
        // one share of the threads has the harmonics, the others the radial functions
        int64_t others = std::max<int64_t>(1, group_size / chunk - 1);
        at_once = std::min(at_once_back, over(n, others));
    }
};

int64_t chunk_rows(const MomentSeries& s, const Shares& shares)
{
    int64_t n = s.series.n_functions;
    return std::max(n + s.rows(), over(n, shares.tile) * shares.tile);
}

// Whether a series sees less than all neighbours in local memory.
bool picks(const Model& model, const MomentSeries& s)
{
    return std::any_of(s.series.radii.begin(), s.series.radii.end(), [&](double r) { return r < model.cutoff; });
}

int64_t list_count(const Model& model, const Groups& groups)
{
    return std::count_if(groups.moments.series.begin(), groups.moments.series.end(),
                         [&](const MomentSeries& s) { return picks(model, s); });
}

int64_t largest_chunk(const Groups& groups, const nnp_gpu_options& o)
{
    int64_t most = 0;
    for (const MomentSeries& s : groups.moments.series)
        most = std::max(most, chunk_rows(s, Shares(s, o.group_size, chunk_of(o))));
    return most * (chunk_of(o) + 1);
}

const char* const SERIES_MACROS[] = {"GROUP", "FIRST_MOMENT",   "N_RADIAL", "N_TERMS", "ARGUMENT",  "CUTOFF_KIND",
                                     "L_MIN", "INNER_FRACTION", "L_MAX",    "RADII",   "SLOT",      "COEFFICIENTS",
                                     "COUNT", "TILE",           "PARTS",    "AT_ONCE", "FIRST_ROW", "AT_ONCE_BACK",
                                     "ROWS",  "ITEMS",          "IN_CHUNK"};

std::string write_series(const MomentSeries& s, const std::string& name, int64_t list, const nnp_gpu_options& o)
{
    Shares shares(s, o.group_size, chunk_of(o));
    std::string slot = "range[0] + (i)", count = "(diagonal ? range[N_ELEMENTS] - range[0] : 0)";
    if (list >= 0) {
        slot = "picked[" + number(list) + " * CAPACITY + (i)]";
        count = "n_picked[" + number(list) + "]";
    }
    return define("GROUP(name)", "name##" + name) + define_number("FIRST_MOMENT", s.first_moment) +
           define_number("N_RADIAL", s.series.n_functions) + define_number("N_TERMS", s.series.n_terms) +
           define_number("ARGUMENT", s.series.argument) + define_number("CUTOFF_KIND", s.series.cutoff) +
           define("INNER_FRACTION", literal(s.series.inner_fraction)) + define_number("L_MIN", s.l_min) +
           define_number("L_MAX", s.l_max) + define_number("RADII", s.radii_at) +
           define_number("COEFFICIENTS", s.coefficients_at) + define("COUNT", count) + define("SLOT(i)", slot) +
           define_number("TILE", shares.tile) + define_number("PARTS", shares.parts) +
           define_number("AT_ONCE", shares.at_once) + define_number("AT_ONCE_BACK", shares.at_once_back);
}

std::string name_of(size_t series, const std::string& suffix)
{
    return "_m" + std::to_string(series) + suffix;
}

// A function of the element that calls those of all its series.
std::string write_calls(const Groups& groups, const std::string& suffix, const std::string& head,
                        const std::string& name, const std::string& arguments)
{
    std::string text = head + "{\n";
    for (size_t s = 0; s < groups.moments.series.size(); ++s)
        text += "    " + name + name_of(s, suffix) + arguments + ";\n";
    return text + "}\n";
}

const char PICKED[] = "LOCAL_ARG const int* picked, LOCAL_ARG const int* n_picked,\n    GLOBAL const real* values";

std::string write_pick(const Model& model, const Groups& groups)
{
    std::string text =
        "DEVICE void ELEMENT(pick)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,\n"
        "    GLOBAL const real* values, LOCAL_ARG int* counts, LOCAL_ARG int* picked, LOCAL_ARG int* n_picked)\n"
        "{\n    int n;\n";
    int64_t list = 0;
    for (const MomentSeries& s : groups.moments.series) {
        if (!picks(model, s))
            continue;
        text += "    n = nnp_pick(range, diagonal, lane, values + " + number(s.radii_at) + ", counts, picked + " +
                number(list) + " * CAPACITY);\n    if (LOCAL_ID == 0)\n        n_picked[" + number(list) + "] = n;\n";
        ++list;
    }
    return text + "    SYNC_THREADS\n}\n";
}

std::string write_forward(const Groups& groups, const std::string& suffix)
{
    return write_calls(groups, suffix,
                       std::string("DEVICE void ELEMENT(moment_forward)(LOCAL_ARG const int* range, int diagonal, "
                                   "LOCAL_ARG const real* lane,\n    ") +
                           PICKED + ", LOCAL_ARG real* chunk, LOCAL_ARG mixed* scratch, LOCAL_ARG mixed* moments)\n",
                       "forward", "(range, diagonal, lane, picked, n_picked, values, chunk, scratch, moments)");
}

std::string write_backward(const Groups& groups, const std::string& suffix)
{
    return write_calls(groups, suffix,
                       std::string("DEVICE void ELEMENT(moment_backward)(LOCAL_ARG const int* range, int diagonal, "
                                   "LOCAL_ARG const real* lane,\n    ") +
                           PICKED +
                           ", LOCAL_ARG const real* by_moment, real scale, LOCAL_ARG nnp_word* pulled,\n"
                           "    LOCAL_ARG int* failed)\n",
                       "backward",
                       "(range, diagonal, lane, picked, n_picked, values, by_moment, scale, pulled, failed)");
}

std::string write_tangent_calls(const Groups& groups, const std::string& suffix)
{
    return write_calls(
        groups, suffix,
        std::string("DEVICE void ELEMENT(moment_tangent)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const "
                    "real* lane,\n    LOCAL_ARG const real* moved, ") +
            PICKED + ", LOCAL_ARG real* chunk, LOCAL_ARG mixed* scratch,\n    LOCAL_ARG mixed* changes)\n",
        "tangent", "(range, diagonal, lane, moved, picked, n_picked, values, chunk, scratch, changes)");
}

}  // namespace

bool has_moments(const Model& model)
{
    return std::any_of(model.elements.begin(), model.elements.end(),
                       [](const Element& element) { return !element.series.empty(); });
}

int most_l(const Model& model)
{
    int most = 0;
    for (const ElementPlan& plan : make_plan(model, Powers::in_slots)) {
        for (const MomentGroup& group : plan.moments)
            most = std::max(most, group.l_max);
    }
    return most;
}

std::string write_moments(const Model& model, const Groups& groups, const nnp_gpu_options& o, const std::string& suffix,
                          bool tangent)
{
    const MomentTables& tables = groups.moments;
    std::string text = define_number("N_MOMENTS", tables.n_moments);
    if (tables.series.empty())
        return text;
    int64_t list = 0;
    for (size_t s = 0; s < tables.series.size(); ++s) {
        bool picking = picks(model, tables.series[s]);
        text += write_series(tables.series[s], name_of(s, suffix), picking ? list++ : -1, o) +
                kernel_text("moments.cc") + kernel_text(tangent ? "moments_tangent.cc" : "moments_back.cc");
        for (const char* macro : SERIES_MACROS)
            text += std::string("#undef ") + macro + "\n";
    }
    text += define_number("N_POLYNOMIALS", static_cast<int64_t>(tables.functions.size())) +
            define_number("FIRST_POLYNOMIAL", first_polynomial(groups)) +
            define_number("FUNCTION_PAIRS", tables.function_pairs) + define_number("SLOPES", tables.slopes_at) +
            define_number("SLOPE_VALUES", tables.slope_values_at) + define_number("SLOPE_PAIRS", tables.slope_pairs) +
            define_number("N_LISTS", list) + define_number("CHUNK_SIZE", largest_chunk(groups, o)) +
            kernel_text("moment_functions.cc") + write_pick(model, groups) + write_forward(groups, suffix);
    if (tangent)
        return text + kernel_text("moment_changes.cc") + write_tangent_calls(groups, suffix);
    return text + write_backward(groups, suffix);
}

std::vector<const char*> moment_macros()
{
    return {"N_MOMENTS",    "N_POLYNOMIALS", "FIRST_POLYNOMIAL", "FUNCTION_PAIRS", "SLOPES",
            "SLOPE_VALUES", "SLOPE_PAIRS",   "N_LISTS",          "CHUNK_SIZE"};
}

int64_t moment_bytes(const Model& model, const Groups& groups, const nnp_gpu_options& o)
{
    const MomentTables& tables = groups.moments;
    if (tables.series.empty())
        return 0;
    int64_t real = real_bytes(o.precision), lists = list_count(model, groups);
    return (tables.n_moments + 1) * mixed_bytes(o.precision) + (tables.n_moments + largest_chunk(groups, o)) * real +
           (lists * (o.capacity + 1) + 2) * 4;
}

}  // namespace nnp::gpu
