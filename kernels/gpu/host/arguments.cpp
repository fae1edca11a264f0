#include "arguments.h"

#include "error.h"
#include "nnp.h"
#include "texts.h"

#include <sstream>

namespace nnp::gpu
{
namespace
{

struct Known {
    const char* name;
    const char* type;
    bool buffer;
};

constexpr Known KNOWN[] = {
#define NNP_GPU_KNOWN(name) {#name, "int", false},
    NNP_GPU_NUMBERS(NNP_GPU_KNOWN)
#undef NNP_GPU_KNOWN
#define NNP_GPU_KNOWN(name, type) {#name, #type, true},
        NNP_GPU_BUFFERS(NNP_GPU_KNOWN)
#undef NNP_GPU_KNOWN
};

const char HEAD[] = "KERNEL void ";

// "GLOBAL const double* RESTRICT box" → {"box", "double", true}
struct Argument {
    std::string name, type;
    bool buffer;
};

Argument parse(std::string text)
{
    size_t star = text.find('*');
    if (star != std::string::npos)
        text[star] = ' ';
    std::istringstream words(text);
    std::string word, before;
    Argument found = {"", "", star != std::string::npos};
    while (words >> word) {
        if (word == "GLOBAL" || word == "const" || word == "RESTRICT")
            continue;
        found.type += (found.type.empty() || before.empty() ? "" : " ") + before;
        before = word;
    }
    found.name = before;
    return found;
}

Slot slot_of(const std::string& kernel, const Argument& argument)
{
    for (size_t s = 0; s < std::size(KNOWN); ++s) {
        const Known& known = KNOWN[s];
        if (argument.name == known.name && argument.type == known.type && argument.buffer == known.buffer)
            return static_cast<Slot>(s);
    }
    throw Error(NNP_INTERNAL, "kernel " + kernel + " takes '" + argument.type + (argument.buffer ? "* " : " ") +
                                  argument.name + "', which the host does not have (arguments.h)");
}

// name(...) or ELEMENT(name)(...), from `at` on; ends behind it.
std::pair<std::string, Prototype> read_prototype(const std::string& text, size_t& at)
{
    size_t open = text.find('(', at);
    std::string name = text.substr(at, open - at);
    if (name == "ELEMENT") {
        size_t close = text.find(')', open);
        name = text.substr(open + 1, close - open - 1);
        open = text.find('(', close);
    }
    size_t end = text.find(')', open);
    Prototype found;
    for (size_t begin = open + 1; begin <= end;) {
        size_t comma = std::min(text.find(',', begin), end);
        Argument argument = parse(text.substr(begin, comma - begin));
        found.slots.push_back(slot_of(name, argument));
        found.signature += argument.buffer ? 'b' : 'i';
        begin = comma + 1;
    }
    at = end;
    return {name, found};
}

}  // namespace

std::map<std::string, Prototype> read_prototypes(const std::string& text)
{
    std::map<std::string, Prototype> found;
    for (size_t at = text.find(HEAD); at != std::string::npos; at = text.find(HEAD, at)) {
        at += sizeof HEAD - 1;
        found.insert(read_prototype(text, at));
    }
    return found;
}

const std::map<std::string, Prototype>& prototypes()
{
    static const std::map<std::string, Prototype> all = [] {
        std::string text;
        for (const char* name : {"list.cc", "atom.cc", "tangent.cc", "finish.cc", "transfer.cc"})
            text += kernel_text(name);
        return read_prototypes(text);
    }();
    return all;
}

}  // namespace nnp::gpu
