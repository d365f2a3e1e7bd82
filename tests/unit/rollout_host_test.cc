#include "rollout_host.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdio>

#include "rollout_answer.h"
#include "rollout_environment.h"
#include "rollout_patience.h"
#include "text.h"

namespace drydock {
namespace {

RolloutTarget target_on(const std::string& host) {
  RolloutTarget target;
  target.name = "eu-1";
  target.host = host;
  target.dir = "/srv/my app";
  return target;
}

RolloutPlan plan_of(const RolloutTarget& target) {
  RolloutPlan plan;
  plan.file = "/etc/rollouts/sample.yaml";
  plan.ssh.command = {"/usr/bin/ssh", "-F", "mine"};
  plan.targets = {target};
  return plan;
}

TEST(CommandOnAnotherHost, GoesThroughOneWordOfSsh) {
  RolloutTarget target = target_on("web-1");
  target.sudo = true;
  target.binary = "/opt/drydock/bin/drydock";
  const RolloutPlan plan = plan_of(target);
  const Hosts hosts(plan);
  const ChildCommand command = hosts.command(target, {"logs", "7", "--events"});
  EXPECT_EQ(command.directory, "/etc/rollouts") << "where -F mine is";
  ASSERT_GE(command.words.size(), 6u);
  EXPECT_EQ(command.words.front(), "/usr/bin/ssh");
  const std::vector<std::string> last(command.words.end() - 5, command.words.end());
  EXPECT_EQ(last, (std::vector<std::string>{"-F", "mine", "--", "web-1",
                                            "sudo -n -- /opt/drydock/bin/drydock -C "
                                            "'/srv/my app' logs 7 --events"}));
  for (const char* option : {"BatchMode=yes", "StrictHostKeyChecking=yes", "VerifyHostKeyDNS=no",
                             "ForwardAgent=no", "GSSAPIDelegateCredentials=no"}) {
    EXPECT_EQ(std::count(command.words.begin(), command.words.end(), option), 1) << option;
  }
}

TEST(CommandOnAnotherHost, AsAPersonTypesIt) {
  EXPECT_EQ(command_text(target_on(""), "status"), "drydock -C '/srv/my app' status");
  RolloutTarget target = target_on("web-1");
  EXPECT_EQ(command_text(target, "status"), "ssh web-1 'drydock -C '\\''/srv/my app'\\'' status'");
  target.dir = "/srv/app";
  target.sudo = true;
  EXPECT_EQ(command_text(target, "show 7"), "ssh web-1 sudo drydock -C /srv/app show 7");
  target.host = "ssh://deploy@web.example.org:2222";
  EXPECT_EQ(command_text(target, "status"),
            "ssh -p 2222 deploy@web.example.org sudo drydock -C /srv/app status");
  target.host = "ssh://[::1]:2222";
  EXPECT_EQ(command_text(target, "status"), "ssh -p 2222 ::1 sudo drydock -C /srv/app status");
}

// ssh joins its words by blanks for the login shell: every word has to arrive as it was.
RC_GTEST_PROP(CommandOnAnotherHost, AShellReadsWhatWasMeant, ()) {
  auto words = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::inRange('\x20', '\x7f')));
  for (char& c : words.emplace_back("/srv/it's $HOME `id` \"x\" #~*")) c = c == '!' ? '.' : c;
  RolloutTarget target = target_on("web-1");
  target.binary = "printf";
  target.dir = "%s\\n";
  const RolloutPlan plan = plan_of(target);
  std::string line = Hosts(plan).command(target, words).words.back();
  const std::string dash_c = " -C ";
  line.replace(line.find(dash_c), dash_c.size(), " ");  // of printf it would be an argument
  FILE* shell = ::popen(line.c_str(), "r");
  std::string printed;
  for (int c; (c = std::fgetc(shell)) != EOF;) printed += static_cast<char>(c);
  RC_ASSERT(::pclose(shell) == 0);
  std::string meant;
  for (const std::string& word : words) meant += word + "\n";
  RC_ASSERT(printed == meant);
}

ChildEvent after_a_word(ChildEvent event) {
  event.spoke = true;
  return event;
}

ChildEvent ended(int code, const std::string& error, int signal = 0) {
  ChildEvent event;
  event.ended = true;
  event.code = code;
  event.signal = signal;
  event.error = error;
  return event;
}

std::string obstacle_on(const std::string& host, const ChildEvent& event, bool sudo = false) {
  RolloutTarget target = target_on(host);
  target.dir = "/srv/app";
  target.sudo = sudo;
  const auto obstacle = obstacle_to(target, event);
  if (!obstacle) return "";
  const char* kind = obstacle->kind == Obstacle::Kind::away   ? "away: "
                     : obstacle->kind == Obstacle::Kind::lost ? "lost: "
                                                              : "refused: ";
  return kind + obstacle->sentence;
}

TEST(Obstacles, OfALinkThatMayComeBack) {
  for (const char* said : {
           "ssh: connect to host web-1 port 22: Connection refused\r\n",
           "ssh: connect to host web-1 port 22: No route to host\r\n",
           "ssh: Could not resolve hostname web-1: Name or service not known\r\n",
           "kex_exchange_identification: Connection closed by remote host\r\n",
           "kex_exchange_identification: read: Connection reset by peer\r\n"
           "Connection reset by 10.0.0.1 port 22\r\n",
           "Connection timed out during banner exchange\r\n"
           "Connection to 10.0.0.1 port 22 timed out\r\n",
           "banner exchange: Connection to 10.0.0.1 port 22: invalid format\r\n",
           // Through a host in between.
           "stdio forwarding failed\r\n"
           "kex_exchange_identification: Connection closed by remote host\r\n"
           "Connection closed by UNKNOWN port 65535\r\n",
       }) {
    EXPECT_EQ(obstacle_on("web-1", ended(255, said)).find("away: web-1 is not reached ("), 0u)
        << said;
  }
  for (const char* said : {"", "client_loop: send disconnect: Broken pipe\r\n",
                           "Connection to 10.0.0.1 closed by remote host.\r\n",
                           // It may have been reset before a session, or in the middle of one.
                           "Connection reset by 10.0.0.1 port 22\r\n"}) {
    EXPECT_EQ(obstacle_on("web-1", ended(255, said)).find("lost: the link to web-1 was lost"), 0u)
        << said;
  }
  EXPECT_EQ(obstacle_on("web-1", ended(-1, "", 9)), "lost: the link to web-1 was lost");
  ChildEvent killed = ended(-1, "", 9);
  killed.timed_out = true;
  EXPECT_EQ(obstacle_on("web-1", after_a_word(killed)), "lost: web-1 does not answer");
  EXPECT_EQ(obstacle_on("", killed), "lost: this machine does not answer");
}

TEST(Obstacles, OfAHostThatDoesNotLetUsIn) {
  EXPECT_EQ(obstacle_on("ssh://me@web-1:2222",
                        ended(255,
                              "@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
                              "Offending ED25519 key in /home/me/.ssh/known_hosts:7\r\n"
                              "Host key verification failed.\r\n")),
            "refused: the host key of me@web-1:2222 is another one than in known_hosts "
            "(/home/me/.ssh/known_hosts:7); somebody may stand in between: ask who runs it, and "
            "only if its key was changed remove the old one with `ssh-keygen -R` and log in once "
            "by hand");
  EXPECT_EQ(obstacle_on("web-1", ended(255,
                                       "No ED25519 host key is known for web-1 and you have "
                                       "requested strict checking.\r\n"
                                       "Host key verification failed.\r\n")),
            "refused: the host key of web-1 is not known; log in once by hand and compare it, or "
            "add it to known_hosts");
  EXPECT_EQ(obstacle_on("web-1", ended(255, "me@web-1: Permission denied (publickey).\r\n")),
            "refused: web-1 refuses the login (me@web-1: Permission denied (publickey).); check "
            "the user, and that its key is in your ssh agent or named in ssh_config: `ssh web-1 "
            "drydock -C /srv/app status` has to work without a question");
}

TEST(Obstacles, OfAnAlgorithmOrAConfiguration) {
  EXPECT_EQ(
      obstacle_on("web-1",
                  ended(255,
                        "Unable to negotiate with 10.0.0.1 port 22: no matching host key type "
                        "found. Their offer: ssh-rsa\r\n"))
          .find("refused: ssh here and on web-1 have nothing in common (Unable to negotiate"),
      0u);
  for (const char* said : {"/home/me/.ssh/config: line 3: Bad configuration option: hots\r\n"
                           "/home/me/.ssh/config: terminating, 1 bad configuration options\r\n",
                           "Bad owner or permissions on /home/me/.ssh/config\r\n",
                           "Can't open user config file mine: No such file or directory\r\n"}) {
    EXPECT_EQ(
        obstacle_on("web-1", ended(255, said)).find("refused: ssh does not start for web-1 ("), 0u)
        << said;
  }
  for (const char* said : {"me@jump: Permission denied (publickey).\r\n",
                           "Received disconnect from 10.0.0.9 port 22:2: Too many authentication "
                           "failures\r\nDisconnected from 10.0.0.9 port 22\r\n"}) {
    EXPECT_EQ(obstacle_on("web-1", ended(255, said)).find("refused: web-1 refuses the login ("),
              0u);
    const std::string at_last =
        "kex_exchange_identification: Connection closed by remote host\r\n"
        "Connection closed by UNKNOWN port 65535\r\n";
    EXPECT_EQ(
        obstacle_on("web-1", ended(255, said + at_last)).find("refused: web-1 refuses the login ("),
        0u);
  }
}

// A login script, or the command that a signal ended, writes on the same stream as ssh.
TEST(Obstacles, OfWhatIsSaidThere) {
  for (const char* said : {
           "bash: /var/log/logins: Permission denied\n",
           "root@db: Permission denied (is it mounted?).\n",
           "me@web-1: Permission denied (publickey).\nkilled\n",
           "fatal: Host key verification failed.\n",
           "git@example.org: Permission denied (publickey).\n"
           "fatal: Could not read from remote repository.\n",
           "curl: kex_exchange_identification: read: Connection reset by peer\n",
           "ssh: connect to host git port 22: Connection refused\nkilled\n",
           "Connection closed by 10.0.0.1 port 22, trying again\n",
           "supervisord: terminating, 2 bad configuration options found\n",
       }) {
    EXPECT_EQ(obstacle_on("web-1", ended(255, said)).find("lost: the link to web-1 was lost"), 0u)
        << said;
  }
}

// What ssh would print of a login that is refused, once somebody was let in: it is not ssh's.
TEST(Obstacles, OfAHostThatHasSpoken) {
  for (const char* said :
       {"me@web-1: Permission denied (publickey).\r\n", "Host key verification failed.\r\n",
        "ssh: connect to host web-1 port 22: Connection refused\r\n"}) {
    EXPECT_EQ(obstacle_on("web-1", after_a_word(ended(255, said)))
                  .find("lost: the link to web-1 was lost"),
              0u)
        << said;
    EXPECT_EQ(
        obstacle_on("web-1", ended(255, "drydock: waiting for the lock\n" + std::string(said)))
            .find("lost: "),
        0u);
    EXPECT_EQ(obstacle_on("web-1", ended(1, said)), "") << "ssh itself ends with 255";
  }
}

TEST(Obstacles, BeforeDrydockItself) {
  EXPECT_EQ(obstacle_on("web-1", ended(1, "sudo: a password is required\n"), true),
            "refused: sudo asks for a password on web-1 (sudo: a password is required); let this "
            "user run drydock there without one (NOPASSWD in sudoers), or leave 'sudo:' out");
  EXPECT_EQ(obstacle_on("", ended(1, "sudo: a password is required\n"), true)
                .find("refused: sudo asks for a password on this machine"),
            0u);
  EXPECT_EQ(obstacle_on("web-1", ended(127, "bash: line 1: drydock: command not found\n")),
            "refused: there is no `drydock` on web-1 (bash: line 1: drydock: command not found); "
            "install Drydock there where a login without a terminal finds it, or name its file "
            "with 'binary:'");
  EXPECT_EQ(obstacle_on("web-1", ended(1, "sudo: drydock: command not found\n"), true)
                .find("refused: there is no `drydock` on web-1 ("),
            0u);
}

TEST(Obstacles, NotWhereDrydockHasAnswered) {
  EXPECT_EQ(obstacle_on("web-1", ended(0, "")), "");
  EXPECT_EQ(obstacle_on("web-1", ended(2, "drydock: no such folder\n")), "");
  EXPECT_EQ(obstacle_on("web-1", after_a_word(ended(1, "sudo: unable to resolve host\n")), true),
            "");
  EXPECT_EQ(obstacle_on("", ended(255, "")), "") << "no ssh stands in between";
}

TEST(Answers, AreFoundBehindWhatALoginPrints) {
  EXPECT_EQ(answer_in("{\n  \"run\": 7\n}\n")["run"], 7);
  EXPECT_EQ(answer_in("Welcome to {web-1}\n{\nit is late\n{\n  \"run\": 7\n}\n")["run"], 7);
  for (const char* none : {"", "Welcome\n", "Welcome\n{\n  \"run\": 7\n", "{\n{\n{"}) {
    EXPECT_TRUE(answer_in(none).is_null()) << none;
  }
  ChildEvent ended;
  ended.code = 0;
  EXPECT_EQ(reason_of("Welcome\nto web-1\n", ended), "it printed 'Welcome' instead of an answer");
  EXPECT_EQ(reason_of("", ended), "it ended with exit code 0");
}

TEST(PatienceTest, OfCommandsThatDie) {
  Patience patience;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(patience.died()) << i;
  EXPECT_FALSE(patience.died());
  patience.heard();
  EXPECT_TRUE(patience.died());
}

// However long it is away: tried again soon at first, never more often than twice a second, at the
// very end once more, and not after that.
RC_GTEST_PROP(PatienceTest, OfALinkThatIsAway, ()) {
  const auto longest = *rc::gen::inRange<Instant>(0, 4'000'000);
  const auto a_try_takes = *rc::gen::inRange<Instant>(0, 20'000);
  Patience patience;
  const Instant begun = 1'000;
  Instant now = begun;
  Instant last_pause = 0;
  for (;;) {
    const auto again = patience.lost(now, std::chrono::milliseconds(longest));
    if (!again) break;
    RC_ASSERT(patience.is_away());
    RC_ASSERT(*again <= begun + longest);
    const Instant pause = *again - now;
    RC_ASSERT(pause <= 30'000);
    RC_ASSERT(pause >= std::min<Instant>(last_pause, begun + longest - now));
    RC_ASSERT(pause > 0);
    last_pause = std::min<Instant>(pause, 500);
    now = *again + a_try_takes;
  }
  RC_ASSERT(now >= begun + longest);
}

TEST(RetriesTest, InTheirOrder) {
  Retries retries;
  EXPECT_FALSE(retries.next());
  retries.at(30, 3);
  retries.at(10, 1);
  retries.at(20, 2);
  EXPECT_EQ(retries.next(), 10);
  EXPECT_EQ(retries.due(9), std::vector<std::size_t>{});
  EXPECT_EQ(retries.due(20), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(retries.next(), 30);
}

}  // namespace
}  // namespace drydock
