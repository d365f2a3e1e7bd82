# What the images of the sample application and its embedded form have in common. Sourced by bash.

sample_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../sample" && pwd)

# release_of api|web RELEASE DIR: the program of one release. A release knows the migrations up to its
# own; the scripts carry the number of the release that brought them (v2_0003_labels.py).
release_of() {
  local name=$1 release=$2 dir=$3 script
  mkdir -p "$dir"
  cp -r "$sample_dir/$name/." "$dir/"
  printf '%s\n' "$release" >"$dir/VERSION"
  for script in "$dir"/migrations/versions/*.py; do
    if [[ $script =~ /v([0-9]+)_[^/]*$ ]] && ((BASH_REMATCH[1] > release)); then rm "$script"; fi
  done
}
