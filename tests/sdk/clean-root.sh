#!/usr/bin/env bash
# clean-root.sh PREFIX HOME COMMAND...: runs the command where Drydock is installed and no source is: in a root that has
# this machine's /usr, read-only, PREFIX as its /usr/local, HOME as /home/author, and nothing else. No network.
# Needs root: exit code 77 without, and where this machine does not let us make one.
set -euo pipefail

if [[ $1 != --inside ]]; then
  repository=$(cd "$(dirname "$0")/../.." && pwd)
  [[ $EUID -eq 0 ]] || { echo "only root can make a root that has no source: not tried"; exit 77; }
  isolated=(unshare --mount --pid --net --fork --kill-child)
  "${isolated[@]}" true 2>/dev/null || { echo "this machine does not let us make namespaces"; exit 77; }
  root=$(mktemp -d)  # in the namespace a file system of its own is mounted over it
  trap 'rmdir "$root"' EXIT
  "${isolated[@]}" "$0" --inside "$repository" "$root" "$@"
  exit
fi

repository=$2 root=$3 prefix=$4 home=$5
shift 5
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir -p "$root"/{usr,etc,proc,dev,tmp,run,var/tmp,home/author}
chmod 1777 "$root/tmp" "$root/var/tmp"
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
mount --bind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
mount --bind "$prefix" "$root/usr/local"
mount -o remount,bind,ro "$root/usr/local"
mount --bind "$home" "$root/home/author"
mount -t proc proc "$root/proc"
for device in null zero full random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
cp -R /etc/alternatives "$root/etc/"  # c++ and cc lead through it
cp /etc/ld.so.conf "$root/etc/"
cp -R /etc/ld.so.conf.d "$root/etc/"
echo 'root:x:0:0:root:/home/author:/bin/bash' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"

inside=(chroot "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/author LANG=C.UTF-8 TZ=UTC TERM=dumb)
# The proof: the repository is not there, and of its files only what was installed.
"${inside[@]}" /bin/bash -euc '
  [ ! -e "$1" ]
  found=$(find / -path /proc -prune -o \( -name stage_host.cc -o -path "*/drydock/stage.h" \) -print 2>/dev/null)
  [ "$found" = /usr/local/include/drydock/stage.h ] || { echo "too much is here: $found"; exit 1; }
' proof "$repository"
exec "${inside[@]}" "$@"
