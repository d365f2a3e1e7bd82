#include "registry_refusal.h"

#include <initializer_list>

#include "image_reference.h"

namespace drydock::pull {
namespace {

struct Refusal {
  std::initializer_list<const char*> signs;  // any of them, in what docker says
  const char* answer;                        // $R the registry, $S the status
  const char* remedy;
};

// The first that fits. What is more particular comes first: "denied" is in many a message.
const Refusal refusals[] = {
    {{"no space left on device"},
     "the engine has no room for it",
     "free disk space where the engine keeps its data (`docker system df` shows what takes it) and "
     "repeat"},
    {{"toomanyrequests", "HTTP 429", "429 Too Many"},
     "$R gives no more for now (429, too many requests)",
     "log in with `docker login`, which has a higher limit, or wait and repeat; the stage's "
     "`retry:` can do the waiting"},
    {{"unexpected HTTP status: "},
     "$R answered $S",
     "the fault is the registry's: repeat when it works again"},
    {{"no basic auth credentials", "unauthorized", "authentication required",
      "incorrect username or password"},
     "$R wants to know who asks",
     "log in with `docker login` as the user who runs Drydock; DOCKER_CONFIG or HOME must lead to "
     "that login"},
    {{"no matching manifest"},
     "$R has it, but not for this engine's platform",
     "take a release that is built for it, or set `platform:` of the service where an emulator is "
     "installed"},
    {{"denied", "forbidden", "403 Forbidden"},
     "$R denies it: it does not exist there, or this login may not read it",
     "check the name, and log in with `docker login` as the user who runs Drydock"},
    {{"manifest unknown", "manifest for ", "name unknown", "repository name not known"},
     "$R does not have it",
     "does that release exist, and is its name right?"},
    {{"unknown blob", "blob unknown"},
     "$R has the list of its parts, but not all of the parts",
     "push the image again"},
    {{"verification failed", "filesystem layer verification", "unexpected digest", "did not match",
      "does not match"},
     "what $R sent is not what its digest promises",
     "the registry or something between is damaged or lying: repeat, and push the image again if "
     "it stays so"},
    {{"unexpected EOF", "expected HTTP 206", "connection reset", "broken pipe", "short read",
      "unexpected size"},
     "$R broke off in the middle",
     "repeat; parts that are complete are kept"},
    {{"error unmarshalling", "error parsing", "looking for beginning of value",
      "unsupported manifest", "mediaType"},
     "what answers as $R does not speak as a registry",
     "is its name right? Sign-in pages of networks and proxies answer like that"},
    {{"HTTP response to HTTPS client"},
     "$R has no TLS, which the engine demands",
     "give it a certificate, or list it under `insecure-registries` of the engine"},
    {{"x509:", "certificate"},
     "the engine does not trust the certificate of $R",
     "put its authority's certificate into /etc/docker/certs.d, or correct the engine's clock if "
     "that is wrong"},
    {{"connection refused"},
     "nothing answers at $R (connection refused)",
     "start it, or correct its address"},
    {{"no such host", "network is unreachable", "no route to host", "server misbehaving",
      "lookup "},
     "the engine finds no way to $R",
     "check the registry's name and the engine's network; a host without one can `load:` images "
     "from archives"},
    {{"Client.Timeout", "i/o timeout", "context deadline exceeded", "TLS handshake timeout",
      "timeout awaiting"},
     "$R does not answer in time",
     "check whether it is overloaded or a firewall holds it off, and repeat"},
    {{"invalid reference format"},
     "that is no name of an image",
     "correct it in the compose files or .env"},
};

// The last line, and without what is only the engine's way to begin.
std::string last_words(const std::string& said) {
  std::size_t end = said.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) return "";
  const std::size_t line = said.rfind('\n', end);
  const std::size_t begin = line == std::string::npos ? 0 : line + 1;
  std::string words = said.substr(begin, end + 1 - begin);
  const std::string prefix = "Error response from daemon: ";
  if (words.compare(0, prefix.size(), prefix) == 0) words.erase(0, prefix.size());
  return words.size() > 300 ? words.substr(0, 300) + " ..." : words;
}

void put(std::string& text, const std::string& mark, const std::string& value) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + value.size())) {
    text.replace(at, mark.size(), value);
  }
}

std::string status_in(const std::string& words) {
  const std::string sign = "unexpected HTTP status: ";
  const std::size_t at = words.find(sign);
  return at == std::string::npos ? "an error" : words.substr(at + sign.size());
}

}  // namespace

std::string registry_refusal(const std::string& reference, const std::string& said) {
  const std::string words = last_words(said);
  for (const Refusal& one : refusals) {
    for (const char* sign : one.signs) {
      if (said.find(sign) == std::string::npos) continue;
      const std::string host = registry_of(reference);
      std::string text = one.answer;
      put(text, "$S", status_in(words));
      put(text, "$R", host == "docker.io" ? "Docker Hub" : "the registry " + host);
      return text + "; " + one.remedy + (words.empty() ? "" : " (docker: " + words + ")");
    }
  }
  return words.empty() ? "docker gave no reason" : "docker says: " + words;
}

}  // namespace drydock::pull
