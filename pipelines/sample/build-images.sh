#!/usr/bin/env bash
# Builds the images of the sample application from Debian packages and pushes them to a registry.
#
#   build-images.sh 127.0.0.1:PORT
#   build-images.sh --base            only makes the root filesystem, where it is not there yet
#
# All images share one base: a root filesystem made by mmdebstrap, kept in the user's cache under a
# name that changes with the packages and how they are installed. Nothing is downloaded while it is there.
set -euo pipefail

registry=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/sample.sh"
packages=python3-flask,python3-flask-migrate,python3-psycopg2,python3-pymysql,gunicorn,postgresql-15,curl
cache=${XDG_CACHE_HOME:-$HOME/.cache}/drydock
export DOCKER_BUILDKIT=0

die() { printf 'build-images.sh: %s\n' "$*" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Debian 12's own packages, from where this machine gets its packages.
debian_sources() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [[ -r $file ]] || continue
    case $file in
      *.list) grep -hE '^deb .*\bbookworm' "$file" >"$work/sources.list" || continue ;;
      *.sources)
        awk -v RS= -v ORS='\n\n' '!/(^|\n)Enabled: *no/ && /(^|\n)Suites:[^\n]*bookworm/' "$file" \
          >"$work/sources.list"
        ;;
    esac
    [[ ! -s $work/sources.list ]] || { cat "$work/sources.list"; return 0; }
  done
}

# PostgreSQL's just-in-time compiler is a third of the size and of no use here.
make_root_filesystem() {
  local tar=$1
  debian_sources >"$work/sources"
  mmdebstrap --quiet --variant=minbase --include="$packages" \
    --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-exclude='/usr/share/man/*' \
    --dpkgopt=path-exclude='/usr/share/locale/*' \
    --dpkgopt=path-exclude='/usr/lib/*/libLLVM-*' --dpkgopt=path-exclude='/usr/lib/llvm-*' \
    --dpkgopt=path-exclude='/usr/lib/postgresql/15/lib/llvmjit*' \
    --dpkgopt=path-exclude='/usr/lib/postgresql/15/lib/bitcode/*' \
    --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
    --essential-hook='echo create_main_cluster=false >"$1/etc/postgresql-common/createcluster.conf"' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin' \
    bookworm "$tar" "$work/sources"
}

key=$({ declare -f make_root_filesystem; printf '%s\n' "$packages"; } | sha256sum | cut -c 1-12)
base=drydock-sample-base:$key
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [[ ! -s $cache/rootfs-$key.tar ]] &&
  { [[ $registry == --base ]] || ! docker image inspect "$base" >/dev/null 2>&1; }; then
  make_root_filesystem "$cache/rootfs-$key.partial.tar" ||
    die "mmdebstrap could not make the base image's root filesystem"
  mv "$cache/rootfs-$key.partial.tar" "$cache/rootfs-$key.tar"
fi
flock -u 9
[[ $registry != --base ]] || exit 0
docker image inspect "$base" >/dev/null 2>&1 ||
  docker import "$cache/rootfs-$key.tar" "$base" >/dev/null

# build_and_push NAME VERSION FOLDER
build_and_push() {
  local image=$registry/drydock-sample/$1:$2
  docker build --quiet --build-arg "BASE=$base" -t "$image" "$3" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; die "building $image failed"; }
  docker push --quiet "$image" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; die "pushing $image failed; the engine must reach this machine's 127.0.0.1"; }
}

build_and_push database 1 "$here/database"
for release in 1 2 3; do
  # The first release runs; the later ones exist in the registry alone, so that pulling is real.
  for name in api web; do
    release_of "$name" "$release" "$work/$name"
    build_and_push "$name" "$release" "$work/$name"
    [[ $release == 1 ]] || docker rmi "$registry/drydock-sample/$name:$release" >/dev/null
    rm -r "${work:?}/$name"
  done
done
