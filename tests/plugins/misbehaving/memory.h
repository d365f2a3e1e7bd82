// What a step takes that never has enough: 1 GiB in pieces, none of which it touches, so that a
// limit which does not hold costs the machine nothing.
#pragma once

#include <cstddef>

constexpr std::size_t memory_piece = std::size_t{4} << 20;
constexpr int memory_pieces = 256;
