#include "http_request.h"

#include <curl/curl.h>

#include <memory>

#include "http_url.h"

namespace drydock {
namespace {

struct CleanUp {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct CleanUpMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t keep_body(char* data, size_t, size_t size, void* user) {
  auto& body = *static_cast<std::string*>(user);
  body.append(data, std::min(size, largest_reply - body.size()));
  return size;
}

// One line of the answer's head. Another status line begins another head (100 Continue, a proxy's).
size_t keep_header(char* data, size_t, size_t size, void* user) {
  auto& headers = *static_cast<std::multimap<std::string, std::string>*>(user);
  const std::string_view line(data, size);
  if (line.substr(0, 5) == "HTTP/") headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  std::string_view value = line.substr(colon + 1);
  constexpr auto space = " \t\r\n";
  value.remove_prefix(std::min(value.find_first_not_of(space), value.size()));
  value = value.substr(0, value.find_last_not_of(space) + 1);
  headers.emplace(std::move(name), value);
  return size;
}

// Removes the transfer before its handle is cleaned up.
struct Transfer {
  Transfer(CURLM* of, CURL* easy) : multi(of), handle(easy) {
    curl_multi_add_handle(multi, handle);
  }
  ~Transfer() { curl_multi_remove_handle(multi, handle); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  CURLM* multi;
  CURL* handle;
};

// Until the transfer has ended; cancel_fd wakes it at once.
CURLcode perform(const Call& call, CURLM* multi, CURL* easy) {
  const Transfer transfer(multi, easy);
  curl_waitfd cancel{call.cancel_fd(), CURL_WAIT_POLLIN, 0};
  for (int running = 1; running > 0;) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running > 0) curl_multi_poll(multi, &cancel, 1, 1000, nullptr);
    call.throw_if_cancelled();
  }
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi, &left);
  return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
}

}  // namespace

HttpReply send(const Call& call, const HttpRequest& request) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURLM, CleanUpMulti> multi(curl_multi_init());
  const std::unique_ptr<CURL, CleanUp> easy(curl_easy_init());
  if (initialised != CURLE_OK || !multi || !easy) throw Failed("libcurl cannot be initialised");

  std::unique_ptr<curl_slist, FreeList> headers;
  const auto add_header = [&headers](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(headers.release());
    headers.reset(longer);
  };
  if (!request.body.empty()) add_header("Content-Type: application/json");
  for (const std::string& line : request.headers) add_header(line);

  HttpReply reply;
  char error[CURL_ERROR_SIZE] = "";
  const auto set = [&easy](CURLoption option, auto value) {
    if (curl_easy_setopt(easy.get(), option, value) != CURLE_OK) {
      throw Failed("libcurl refuses its option " + std::to_string(option));
    }
  };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "drydock");
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(request.timeout.count())));
  set(CURLOPT_WRITEFUNCTION, &keep_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&reply.body));
  set(CURLOPT_HEADERFUNCTION, &keep_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&reply.headers));
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(error));
  if (!request.verify) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!request.client_certificate.empty()) {
    set(CURLOPT_SSLCERT, request.client_certificate.c_str());
    set(CURLOPT_SSLKEY,
        (request.client_key.empty() ? request.client_certificate : request.client_key).c_str());
  }
  if (!request.ca_file.empty()) set(CURLOPT_CAINFO, request.ca_file.c_str());
  if (is_loopback(request.url)) set(CURLOPT_PROXY, "");
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
  }

  const CURLcode code = perform(call, multi.get(), easy.get());
  if (code != CURLE_OK) {
    reply.error = *error != '\0' ? error : curl_easy_strerror(code);
    return reply;
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

std::vector<std::string> header_options(const Call& call) {
  std::vector<std::string> lines;
  const auto add = [&lines](const std::string& name, const std::string& value) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) {
      throw BadOptions("the header " + name.substr(0, name.find_first_of("\r\n")) +
                       " contains a line break, which no header may");
    }
    lines.push_back(name + ": " + value);
  };
  for (const std::string& name : call.keys("/headers")) {
    add(name, call.text(Call::member("/headers", name)));
  }
  for (const std::string& name : call.keys("/secret_headers")) {
    add(name, call.secret(Call::member("/secret_headers", name)).value_or(""));
  }
  return lines;
}

}  // namespace drydock
