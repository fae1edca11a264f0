// Just enough of zip: finding the members that lie uncompressed in an archive in memory. Strict: every number is
// checked against what is there before anything is read by it.
#ifndef NNP_MODEL_ZIP_H
#define NNP_MODEL_ZIP_H

#include "bytes.h"

#include <string>
#include <vector>

namespace nnp
{

class Zip
{
public:
    // Reads the directory. The bytes must outlive it. Throws Error(NNP_BAD_FILE).
    explicit Zip(const Bytes& bytes);

    bool has(const std::string& name) const;
    size_t size() const { return members_.size(); }
    // The content of a member, whose checksum is right. Throws Error(NNP_BAD_FILE).
    Bytes content(const std::string& name) const;

private:
    struct Member {
        std::string name;
        uint32_t method, flags, crc, packed, unpacked, local;
    };

    Bytes bytes_;
    size_t directory_ = 0;  // where it begins; members lie before
    std::vector<Member> members_;

    const Member* find(const std::string& name) const;
    uint32_t number(size_t at, int n_bytes) const;
};

}  // namespace nnp

#endif
