// Lines for a pipe, a file or a dumb terminal: nothing is ever drawn again.
#pragma once

#include <iosfwd>
#include <memory>

#include "view.h"

namespace drydock {

std::unique_ptr<EventSink> make_plain_view(std::ostream& out, const ViewStyle& style);

}  // namespace drydock
