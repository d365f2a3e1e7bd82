#include "utc_time.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace drydock {

std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return utc_time(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::string utc_time(std::int64_t total) {
  const std::time_t seconds = static_cast<std::time_t>(total / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[96];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(total % 1000));
  return text;
}

std::int64_t utc_milliseconds(const std::string& time) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, thousandth = 0;
  const int read = std::sscanf(time.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &year, &month, &day,
                               &hour, &minute, &second, &thousandth);
  if (read != 7 && (read != 6 || !time.ends_with('Z'))) {
    return 0;
  }
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  return static_cast<std::int64_t>(timegm(&parts)) * 1000 + thousandth;
}

}  // namespace drydock
