// Structs of the plugin boundary as another version of stage.h knows them. They grow only at the
// end, so a plugin that was built for an earlier minor version hands over shorter ones: what they
// lack is zero here, and nothing is written beyond their size.
#pragma once

#include <drydock/stage.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace drydock {

// The size of each struct in ABI 1.0: less than that is no struct of ours.
template <class Struct>
inline constexpr std::size_t smallest = 0;
#define DRYDOCK_SMALLEST(Struct, last_member)     \
  template <>                                     \
  inline constexpr std::size_t smallest<Struct> = \
      offsetof(Struct, last_member) + sizeof(Struct::last_member)
DRYDOCK_SMALLEST(drydock_plugin, stage_count);
DRYDOCK_SMALLEST(drydock_stage, settle);
DRYDOCK_SMALLEST(drydock_value, size);
DRYDOCK_SMALLEST(drydock_change, rollback_loses);
DRYDOCK_SMALLEST(drydock_process, user);
DRYDOCK_SMALLEST(drydock_exit, stopped);
#undef DRYDOCK_SMALLEST

template <class Struct>
bool is_whole(const Struct* theirs) {
  return theirs != nullptr && theirs->struct_size >= smallest<Struct>;
}

// What a plugin handed over, as this host knows it.
template <class Struct>
Struct own_copy(const Struct* theirs) {
  Struct ours{};
  std::memcpy(&ours, theirs, std::min<std::size_t>(theirs->struct_size, sizeof ours));
  return ours;
}

// Fills in what a plugin wants to know, as far as its struct reaches.
template <class Struct>
void hand_over(Struct ours, Struct* theirs) {
  ours.struct_size = theirs->struct_size;
  std::memcpy(theirs, &ours, std::min<std::size_t>(theirs->struct_size, sizeof ours));
}

}  // namespace drydock
