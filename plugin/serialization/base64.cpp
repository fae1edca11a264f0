#include "base64.h"

#include "openmm/OpenMMException.h"

#include <array>

namespace nnp_openmm
{
namespace
{

const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char PAD = '=';
constexpr int NOT_A_DIGIT = -1;

using Bytes = std::vector<uint8_t>;

std::string to_base64(const Bytes& bytes)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (size_t i = 0; i < bytes.size(); i += 3) {
        size_t n = std::min<size_t>(3, bytes.size() - i);
        uint32_t group = bytes[i] << 16 | (n > 1 ? bytes[i + 1] << 8 : 0) | (n > 2 ? bytes[i + 2] : 0);
        for (size_t c = 0; c < 4; ++c)
            text += c <= n ? ALPHABET[group >> (18 - 6 * c) & 63] : PAD;
    }
    return text;
}

std::array<int, 256> digit_table()
{
    std::array<int, 256> digits;
    digits.fill(NOT_A_DIGIT);
    for (int i = 0; i < 64; ++i)
        digits[static_cast<uint8_t>(ALPHABET[i])] = i;
    return digits;
}

// Beyond ASCII a byte is part of a character, and not text by itself.
std::string character(char c)
{
    bool readable = c >= ' ' && c <= '~';
    return readable ? std::string("the character '") + c + "'"
                    : "the byte " + std::to_string(static_cast<unsigned char>(c));
}

Bytes from_base64(const std::string& text, const char* what)
{
    static const std::array<int, 256> digits = digit_table();
    size_t end = text.find_last_not_of(PAD) + 1;
    Bytes bytes;
    bytes.reserve(text.size() / 4 * 3);
    uint32_t bits = 0;
    int n_bits = 0;
    for (size_t i = 0; i < end; ++i) {
        int digit = digits[static_cast<uint8_t>(text[i])];
        if (digit == NOT_A_DIGIT)
            throw OpenMM::OpenMMException("NNPForce: " + std::string(what) + " has " + character(text[i]) +
                                          " at position " + std::to_string(i) +
                                          ", which is not base64: the file is damaged");
        bits = bits << 6 | digit;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            bytes.push_back(bits >> n_bits & 255);
        }
    }
    return bytes;
}

}  // namespace

std::string encode(const std::vector<int32_t>& numbers)
{
    Bytes bytes;
    bytes.reserve(sizeof(int32_t) * numbers.size());
    for (int32_t number : numbers) {
        for (size_t b = 0; b < sizeof number; ++b)
            bytes.push_back(static_cast<uint32_t>(number) >> 8 * b & 255);
    }
    return to_base64(bytes);
}

std::string encode(const std::string& bytes)
{
    return to_base64(Bytes(bytes.begin(), bytes.end()));
}

std::vector<int32_t> decode_int32(const std::string& text, const char* what)
{
    Bytes bytes = from_base64(text, what);
    if (bytes.size() % sizeof(int32_t) != 0)
        throw OpenMM::OpenMMException("NNPForce: " + std::string(what) + " has " + std::to_string(bytes.size()) +
                                      " bytes, not a multiple of " + std::to_string(sizeof(int32_t)) +
                                      ": the file is damaged");
    std::vector<int32_t> numbers(bytes.size() / sizeof(int32_t));
    for (size_t i = 0; i < numbers.size(); ++i) {
        uint32_t bits = 0;
        for (size_t b = 0; b < sizeof bits; ++b)
            bits |= static_cast<uint32_t>(bytes[sizeof bits * i + b]) << 8 * b;
        numbers[i] = static_cast<int32_t>(bits);
    }
    return numbers;
}

std::string decode_bytes(const std::string& text, const char* what)
{
    Bytes bytes = from_base64(text, what);
    return {bytes.begin(), bytes.end()};
}

}  // namespace nnp_openmm
