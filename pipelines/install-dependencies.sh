#!/usr/bin/env bash
# Installs the Debian 12 packages that Drydock needs when they are missing, and says nothing when none is.
#
#   install-dependencies.sh               what the build needs
#   install-dependencies.sh --embedded    and what the embedded sample (no containers) needs
#   install-dependencies.sh --tests       and what the tests need
#   install-dependencies.sh --engine      and Docker, Compose >= 2.24, a registry, mmdebstrap
#
# No service that a package brings is left running or enabled: whoever needs a server starts its own.
set -euo pipefail

build=(g++ cmake ninja-build pkg-config libboost-dev libboost-filesystem-dev
  libboost-program-options-dev libyaml-cpp-dev libarchive-dev libsoci-dev libsqlite3-dev libspdlog-dev
  nlohmann-json3-dev libvalijson-dev libcurl4-openssl-dev nettle-dev libexpected-dev libgtest-dev
  librapidcheck-dev libbenchmark-dev)
embedded=(python3-flask python3-flask-migrate gunicorn sqlite3 curl)
tests=(postgresql-15 mariadb-server redis-server clang python3-alembic python3-psycopg2 util-linux iproute2
  openssl openssh-server openssh-client xz-utils zstd)
engine=(mmdebstrap docker-registry curl)
compose_minimum=2.24

say() { printf '%s\n' "$*" >&2; }
die() { say "install-dependencies.sh: $*"; exit 1; }

wanted=("${build[@]}")
want_engine=
for argument in "$@"; do
  case $argument in
    --embedded) wanted+=("${embedded[@]}") ;;
    --tests) wanted+=("${embedded[@]}" "${tests[@]}") ;;
    --engine) want_engine=yes ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) die "unknown option '$argument'; known are --embedded, --tests and --engine" ;;
  esac
done

# A Docker that is already there is used as it is, whoever packaged it.
if [[ $want_engine ]]; then
  wanted+=("${engine[@]}")
  if ! command -v dockerd >/dev/null && ! docker info >/dev/null 2>&1; then
    wanted+=(docker.io iptables)
  fi
  # mmdebstrap needs these to make a root filesystem without being root.
  [[ $EUID -eq 0 ]] || wanted+=(uidmap)
fi

missing_packages() {
  local installed
  # dpkg-query fails when a package is unknown to it, which is an answer here.
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  printf '%s\n' "$@" | sort -u |
    grep -vxF -f <(sed -n 's/ installed$//p' <<<"$installed") || true
}

compose_is_missing() {
  local version
  version=$(docker compose version --short 2>/dev/null) || return 0
  [[ $(printf '%s\n' "$compose_minimum" "${version#v}" | sort -V | head -n 1) != "$compose_minimum" ]]
}

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
  die "this script installs Debian packages and found no apt-get; install the equivalents of: ${wanted[*]}"
mapfile -t missing < <(missing_packages "${wanted[@]}")
need_compose=
if [[ $want_engine ]] && compose_is_missing; then need_compose=yes; fi
[[ ${#missing[@]} -gt 0 || $need_compose ]] || exit 0

root=()
if [[ $EUID -ne 0 ]]; then
  sudo -n true 2>/dev/null ||
    die "installing needs root (or sudo without a password); missing: ${missing[*]}${need_compose:+ docker-compose (>= $compose_minimum)}"
  root=(sudo -n)
fi

# Everything that apt and dpkg print goes here, and is shown only when they fail.
work=$(mktemp -d)
policy=/usr/sbin/policy-rc.d
made_policy=
clean_up() {
  [[ ! $made_policy ]] || "${root[@]}" rm -f "$policy"
  rm -rf "$work"
}
trap clean_up EXIT

quietly() {
  if ! "$@" >"$work/log" 2>&1; then
    tail -n 25 "$work/log" >&2
    die "this command failed: $*"
  fi
}
apt() {
  quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root "$@"
}

# Debian's own switch that keeps packages from starting their services while they are installed.
if [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' >"$work/policy"
  "${root[@]}" install -m 755 "$work/policy" "$policy"
  made_policy=yes
fi

# The machine's own Debian entry, for another suite: works for mirrors, proxies and own keyrings.
# Both forms exist: stanzas in *.sources, and lines in sources.list.
debian_entry_for() {
  local suite=$1 file line
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -r $file ]] || continue
    awk -v suite="$suite" -v RS= -F '\n' '
      /(^|\n)Enabled: *no/ { next }
      /(^|\n)Types:[^\n]*deb( |\n|$)/ && /(^|\n)Suites:([^\n]* )?bookworm( |\n|$)/ {
        sub(/(^|\n)Types:[^\n]*/, "\nTypes: deb")
        sub(/\nSuites:[^\n]*/, "\nSuites: " suite)
        sub(/\nComponents:[^\n]*/, "\nComponents: main")
        sub(/^\n/, "")
        print
        exit
      }' "$file" >"$work/entry.sources"
    [[ ! -s $work/entry.sources ]] || { printf '%s\n' "$work/entry.sources"; return 0; }
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -r $file ]] || continue
    line=$(sed -nE "s/^(deb +(\[[^]]*\] +)?[^ ]+) +bookworm +.*/\1 $suite main/p" "$file" | head -n 1)
    [[ $line ]] || continue
    printf '%s\n' "$line" >"$work/entry.list"
    printf '%s\n' "$work/entry.list"
    return 0
  done
  return 1
}

# Compose >= 2.24 is in Debian 13 and depends on Debian 12's libc only. Exactly that one package is
# fetched through lists of its own, so apt's configuration of this machine stays as it is.
install_compose() {
  local entry
  . /etc/os-release
  [[ ${VERSION_CODENAME:-} == bookworm ]] ||
    die "Docker Compose >= $compose_minimum is needed, and only on Debian 12 does this script know where to get it; install it and run this again"
  entry=$(debian_entry_for trixie) ||
    die "no apt entry of this machine names the suite bookworm, so Docker Compose >= $compose_minimum cannot be fetched; install it and run this again"
  mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial"
  cp "$entry" "$work/sources/"
  local from=(-o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$work/sources"
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
  apt "${from[@]}" update
  (cd "$work/cache" && apt "${from[@]}" download docker-compose)
  apt install --no-install-recommends "$work"/cache/docker-compose_*.deb
  compose_is_missing && die "Debian's docker-compose was installed, and 'docker compose version' still does not answer $compose_minimum or newer"
  return 0
}

# What came with a package just installed must not start at the next boot either.
disable_new_services() {
  local package unit
  [[ -d /run/systemd/system ]] || return 0
  for package in "$@"; do
    case $package in
      docker.io) units=(docker.socket docker.service containerd.service) ;;
      docker-registry) units=(docker-registry.service) ;;
      postgresql-15) units=(postgresql.service) ;;
      mariadb-server) units=(mariadb.service) ;;
      redis-server) units=(redis-server.service) ;;
      openssh-server) units=(ssh.service ssh.socket) ;;
      *) continue ;;
    esac
    for unit in "${units[@]}"; do
      "${root[@]}" systemctl disable --quiet "$unit" >/dev/null 2>&1 || true
    done
  done
}

apt update
if [[ ${#missing[@]} -gt 0 ]]; then
  say "Installing ${#missing[@]} Debian package(s): ${missing[*]}"
  apt install --no-install-recommends "${missing[@]}"
  disable_new_services "${missing[@]}"
fi
if [[ $need_compose ]]; then
  say "Installing Docker Compose from Debian 13 (one package)"
  install_compose
fi
