// Bytes and numbers as text: base64 (RFC 4648), of numbers the little-endian bytes.
#ifndef NNP_PLUGIN_BASE64_H
#define NNP_PLUGIN_BASE64_H

#include <cstdint>
#include <string>
#include <vector>

namespace nnp_openmm
{

std::string encode(const std::vector<int32_t>& numbers);
std::string encode(const std::string& bytes);

// Throw OpenMMException, naming `what`, for text that is not base64, or not of whole numbers.
std::vector<int32_t> decode_int32(const std::string& text, const char* what);
std::string decode_bytes(const std::string& text, const char* what);

}  // namespace nnp_openmm

#endif
