#include "file.h"

#include "error.h"
#include "zip.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace nnp
{
namespace
{

// io/model.py writes these names.
constexpr char ARRAYS[] = "arrays.bin", HEADER[] = "header.json";
constexpr size_t MOST_BYTES = size_t{1} << 31;

std::string member_name(size_t number)
{
    return "member_" + std::to_string(number) + ".nnp";
}

std::shared_ptr<Model> read_archive(const Bytes& bytes, bool member)
{
    Zip zip(bytes);
    if (!zip.has(HEADER))
        throw Error(NNP_BAD_FILE, "this is not a complete nnp model file: it lacks " + std::string(HEADER));
    if (!zip.has(ARRAYS))
        throw Error(NNP_BAD_FILE,
                    "this model file is of version 1, which only Python reads: load it there and save it again");
    std::shared_ptr<Model> model = read_arrays(zip.content(ARRAYS));
    size_t n = 0;
    while (zip.has(member_name(n)))
        ++n;
    if (n > 0 && (member || n + 2 != zip.size()))
        throw Error(NNP_BAD_FILE, member ? "a member of a committee is a committee: they do not nest"
                                         : "a committee's file holds more than its members");
    for (size_t m = 0; m < n; ++m)
        model->members.push_back(read_archive(zip.content(member_name(m)), true));
    return model;
}

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::shared_ptr<const Model> read_bytes(const Bytes& bytes)
{
    return are_arrays(bytes) ? read_arrays(bytes) : read_archive(bytes, false);
}

std::shared_ptr<const Model> read_file(const char* path)
{
    struct stat about = {};
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))  // a pipe or a device may never end
        throw Error(NNP_BAD_FILE, std::string("cannot read ") + path + ": it is not a file");
    std::unique_ptr<std::FILE, Close> file(std::fopen(path, "rb"));
    if (!file)
        throw Error(NNP_BAD_FILE, std::string("cannot open ") + path + ": " + std::strerror(errno));
    std::vector<unsigned char> content;
    unsigned char part[1 << 16];
    size_t n;
    while ((n = std::fread(part, 1, sizeof part, file.get())) > 0) {
        if (content.size() + n > MOST_BYTES)
            throw Error(NNP_BAD_FILE, std::string(path) + " is larger than 2 GiB: no model file");
        content.insert(content.end(), part, part + n);
    }
    if (std::ferror(file.get()))
        throw Error(NNP_BAD_FILE, std::string("cannot read ") + path + ": " + std::strerror(errno));
    try {
        return read_bytes({content.data(), content.size()});
    } catch (const Error& error) {
        throw Error(error.code, std::string(path) + ": " + error.what(), error.about);
    }
}

}  // namespace nnp
