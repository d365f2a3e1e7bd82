// A TLS server on the loopback with a certificate of its own, for tests: `openssl s_server`.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;

class TlsServer {
 public:
  // Asks for the client's certificate when it `wants_certificate`, and accepts only its own.
  explicit TlsServer(bool wants_certificate) {
    char made[] = "/tmp/tls-test.XXXXXX";
    if (::mkdtemp(made) == nullptr) throw std::runtime_error("no folder for a certificate");
    folder_ = made;
    int status = 0;
    const pid_t maker =
        start({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-keyout", key(), "-out", certificate(), "-days", "1", "-subj",
               "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"},
              -1);
    if (::waitpid(maker, &status, 0) != maker || status != 0) {
      throw std::runtime_error("openssl makes no certificate");
    }
    std::vector<std::string> serve = {"openssl", "s_server",    "-accept", "127.0.0.1:0", "-www",
                                      "-cert",   certificate(), "-key",    key()};
    if (wants_certificate) {
      serve.insert(serve.end(), {"-Verify", "1", "-CAfile", certificate(), "-verify_return_error"});
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    server_ = start(serve, ends[1]);
    ::close(ends[1]);
    said_ = ::fdopen(ends[0], "r");
    char line[256];
    while (port_ == 0 && std::fgets(line, sizeof line, said_) != nullptr) {
      std::sscanf(line, "ACCEPT 127.0.0.1:%d", &port_);
    }
    if (port_ == 0) throw std::runtime_error("openssl s_server does not listen");
  }
  ~TlsServer() {
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
    std::fclose(said_);
    std::filesystem::remove_all(folder_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  static bool possible() { return std::system("openssl version >/dev/null 2>&1") == 0; }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }
  std::string certificate() const { return folder_ + "/certificate.pem"; }
  std::string key() const { return folder_ + "/key.pem"; }

 private:
  // output: a descriptor, or -1 for nowhere.
  static pid_t start(std::vector<std::string> words, int output) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (output < 0) {
      ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    } else {
      ::posix_spawn_file_actions_adddup2(&actions, output, 1);
    }
    pid_t pid = -1;
    const int refused =
        ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (refused != 0) throw std::runtime_error("openssl cannot be started");
    return pid;
  }

  std::string folder_;
  pid_t server_ = -1;
  std::FILE* said_ = nullptr;
  int port_ = 0;
};
