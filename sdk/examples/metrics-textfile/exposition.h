// The text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/), as
// far as a textfile of gauges needs it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

using Labels = std::map<std::string, std::string>;

// [a-zA-Z_:][a-zA-Z0-9_:]*, for metrics; labels may have no colon.
bool is_metric_name(std::string_view name);
bool is_label_name(std::string_view name);

// A value, with what the format cannot have as it is escaped: \, " and line ends.
std::string escaped(std::string_view value);

// One gauge with its HELP and TYPE. Values are written with as many digits as they need.
std::string gauge(const std::string& name, const std::string& help, const Labels& labels,
                  double value);

// The value of the first sample of a metric in a textfile; nullopt when there is none.
std::optional<double> sample_of(std::string_view textfile, std::string_view name);
