#include "zip.h"

#include "error.h"

#include <algorithm>
#include <array>

namespace nnp
{
namespace
{

// APPNOTE.TXT of PKWARE: signatures and fixed sizes of the end record, a directory entry and a local header.
constexpr uint32_t END_SIGNATURE = 0x06054b50, ENTRY_SIGNATURE = 0x02014b50, LOCAL_SIGNATURE = 0x04034b50;
constexpr size_t END_SIZE = 22, ENTRY_SIZE = 46, LOCAL_SIZE = 30;
constexpr uint32_t STORED = 0, ENCRYPTED = 1, ELSEWHERE = 0xffffffff;  // sizes of zip64 stand elsewhere

[[noreturn]] void damaged(const std::string& how)
{
    throw Error(NNP_BAD_FILE, "this is not a complete nnp model file: " + how);
}

std::array<uint32_t, 256> make_crc_table()
{
    std::array<uint32_t, 256> table{};
    for (uint32_t n = 0; n < 256; ++n) {
        uint32_t c = n;
        for (int bit = 0; bit < 8; ++bit)
            c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
        table[n] = c;
    }
    return table;
}

uint32_t crc_of(const Bytes& bytes)
{
    static const std::array<uint32_t, 256> table = make_crc_table();
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < bytes.size; ++i)
        crc = table[(crc ^ bytes.data[i]) & 255] ^ (crc >> 8);
    return ~crc;
}

}  // namespace

// Little-endian; the caller has checked that it is there.
uint32_t Zip::number(size_t at, int n_bytes) const
{
    uint32_t value = 0;
    for (int b = 0; b < n_bytes; ++b)
        value |= static_cast<uint32_t>(bytes_.data[at + b]) << 8 * b;
    return value;
}

Zip::Zip(const Bytes& bytes) : bytes_(bytes)
{
    if (bytes.size < END_SIZE || bytes.size >= ELSEWHERE)
        damaged("it has " + std::to_string(bytes.size) + " bytes");
    if (bytes.data[0] != 'P' || bytes.data[1] != 'K')
        damaged(
            "it does not begin as one; of potentials of n2p2, RuNNer, ænet and NEP the command "
            "'nnp convert POTENTIAL NAME.nnp' makes one");
    size_t end = bytes.size - END_SIZE;
    if (number(end, 4) != END_SIGNATURE)
        damaged("it does not end as a zip archive does");
    uint32_t disks = number(end + 4, 4), here = number(end + 8, 2), total = number(end + 10, 2);
    size_t size = number(end + 12, 4);
    directory_ = number(end + 16, 4);
    if (disks != 0 || here != total || directory_ + size != end)
        damaged("its directory has the wrong size");
    size_t at = directory_;
    for (uint32_t m = 0; m < total; ++m) {
        if (end - at < ENTRY_SIZE || number(at, 4) != ENTRY_SIGNATURE)
            damaged("its directory is cut off");
        size_t name = number(at + 28, 2), rest = number(at + 30, 2) + number(at + 32, 2);
        if (end - at - ENTRY_SIZE < name + rest)
            damaged("its directory is cut off");
        const auto* text = reinterpret_cast<const char*>(bytes_.data + at + ENTRY_SIZE);
        members_.push_back({std::string(text, name), number(at + 10, 2), number(at + 8, 2), number(at + 16, 4),
                            number(at + 20, 4), number(at + 24, 4), number(at + 42, 4)});
        at += ENTRY_SIZE + name + rest;
    }
    if (at != end)
        damaged("its directory holds more than its members");
    for (const Member& m : members_) {
        if (std::count_if(members_.begin(), members_.end(), [&](const Member& o) { return o.name == m.name; }) != 1)
            damaged("it holds " + m.name + " twice");
    }
}

const Zip::Member* Zip::find(const std::string& name) const
{
    auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; });
    return found == members_.end() ? nullptr : &*found;
}

bool Zip::has(const std::string& name) const
{
    return find(name) != nullptr;
}

Bytes Zip::content(const std::string& name) const
{
    const Member* m = find(name);
    if (!m)
        damaged("it lacks " + name);
    if (m->method != STORED || m->packed != m->unpacked || (m->flags & ENCRYPTED))
        damaged(name + " is compressed or encrypted");
    if (m->local > directory_ || directory_ - m->local < LOCAL_SIZE || number(m->local, 4) != LOCAL_SIGNATURE)
        damaged("the place of " + name + " is wrong");
    size_t head = LOCAL_SIZE + number(m->local + 26, 2) + number(m->local + 28, 2);
    if (directory_ - m->local < head || directory_ - m->local - head < m->packed)
        damaged(name + " is cut off");
    const auto* text = reinterpret_cast<const char*>(bytes_.data + m->local + LOCAL_SIZE);
    if (std::string(text, std::min<size_t>(number(m->local + 26, 2), head - LOCAL_SIZE)) != name)
        damaged("the place of " + name + " holds another member");
    Bytes content = {bytes_.data + m->local + head, m->packed};
    if (crc_of(content) != m->crc)
        damaged("the checksum of " + name + " is wrong");
    return content;
}

}  // namespace nnp
