#!/bin/bash
# image.sh [DIR]: build the image localstack/localstack:4.14.0 on this machine's
# Docker engine, from Debian 12 and the locked set of requirements.txt. No image
# registry is asked for anything.
#
# DIR is the environment of install.sh, which is made first where it is missing;
# it defaults to .build/localstack. The root of the image is made by debootstrap,
# so a build needs root; finding that there is nothing to do needs the engine alone.
# An image of that name that was not made here is somebody's own and is left alone.
#
# image.sh --clean: remove the image, if it was made here, and every container of
# localstack/container, also one that a run still uses.
#
# ASBA_DEBIAN_MIRROR is where packages come from; by default where this machine's
# apt takes those of Debian 12 from. ASBA_DOCKER is the docker client to use.
set -euo pipefail

image=localstack/localstack:4.14.0
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(dirname -- "$here")
work=$top/.build/localstack-image
root=$work/root
packages=python3

fail() {
	echo "image.sh: $*" >&2
	exit 1
}

digest() {
	sha256sum <"$1" | cut -d ' ' -f 1
}

# A machine may have a second client in PATH that the engine does not accept:
# Debian's own comes first.
#
# find_docker sets docker, or fails and sets said.
find_docker() {
	local client
	said='no docker client'
	for client in ${ASBA_DOCKER:-/usr/bin/docker docker}; do
		command -v "$client" >/dev/null || continue
		if said=$(timeout 10 "$client" version --format '{{.Server.Version}}' 2>&1); then
			docker=$client
			return 0
		fi
	done
	return 1
}

no_docker() {
	case $said in
	'no docker client') fail "no docker client: 'apt-get install docker.io' on Debian" ;;
	*permission*) fail "Docker's engine does not let $(id -un) in: run this as root, or as a member of the group docker" ;;
	*) fail "Docker's engine does not answer: 'service docker start', or 'dockerd' as root (${said##*$'\n'})" ;;
	esac
}

# labels prints the digests that the image there is was made from; of one that
# was not made here it prints a blank.
labels() {
	"$docker" image inspect --format '{{index .Config.Labels "aws-slurm-burst.lock"}} {{index .Config.Labels "aws-slurm-burst.recipe"}}' "$image" 2>/dev/null
}

# done_already says why there is nothing to build, where there is nothing.
done_already() {
	case $(labels || echo none) in
	' ') echo "$image is on this engine and was not made here: left as it is" ;;
	"$lock $recipe") echo "The image $image is already up to date" ;;
	*) return 1 ;;
	esac
}

clean() {
	find_docker || return 0 # then there is nothing of ours
	local left
	left=$("$docker" ps -aq --filter label=aws-slurm-burst.container)
	# shellcheck disable=SC2086 # a list of ids
	[ -z "$left" ] || "$docker" rm -fv $left >/dev/null || fail "these containers are still there: $("$docker" ps -aq --filter label=aws-slurm-burst.container | tr '\n' ' ')"
	case $(labels || true) in
	'' | ' ') ;;
	*) "$docker" image rm -f "$image" >/dev/null ;;
	esac
}

# The mirror that apt takes Debian 12 itself from. Its update and security
# archives are others, and debootstrap reads no mirror lists.
find_mirror() {
	mirror=${ASBA_DEBIAN_MIRROR:-}
	[ -z "$mirror" ] || return 0
	if command -v apt-get >/dev/null; then
		# shellcheck disable=SC2016 # apt's own variables
		mirror=$(apt-get indextargets --format '$(RELEASE) $(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
			awk '($1 == "bookworm" || $2 == "bookworm") && $3 == "main" && $4 ~ /^(https?|file):/ && !seen { print $4; seen = 1 }')
	fi
	[ -n "$mirror" ] || fail "apt has no source for Debian 12 (bookworm): set ASBA_DEBIAN_MIRROR to the URL of a mirror"
}

# apt's proxy is not in the environment, where debootstrap looks for one.
carry_proxy() {
	local proxy=
	eval "$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null)"
	[ -z "$proxy" ] || [ "$proxy" = DIRECT ] || export http_proxy="${http_proxy:-$proxy}"
}

# A build that was killed may have left proc mounted in its root.
clear_work() {
	local point
	for point in proc sys dev/pts dev; do
		if mountpoint -q "$root/$point"; then umount -l "$root/$point"; fi
	done
	rm -rf --one-file-system "$work"
}

if [ "${1:-}" = --clean ]; then
	clean
	exit 0
fi
dir=${1:-$top/.build/localstack}
find_docker || no_docker
lock=$(digest "$here/requirements.txt")
recipe=$(digest "$0")
done_already && exit 0

[ "$(id -u)" = 0 ] || fail "building the image needs root, for debootstrap: 'sudo make localstack-image', once"
command -v debootstrap >/dev/null || fail "no debootstrap: 'apt-get install debootstrap' on Debian"
find_mirror
carry_proxy
"$here/install.sh" "$dir"
site=$(echo "$dir"/lib/python3.11/site-packages)
[ -d "$site" ] || fail "$dir has no lib/python3.11/site-packages: 'rm -r $dir', then run this again"

mkdir -p "$top/.build"
exec 9>"$top/.build/localstack-image.lock"
flock 9
done_already && exit 0 # by whoever had the lock
clear_work
trap clear_work EXIT
trap 'exit 130' INT TERM
mkdir -p "$work"

echo "Building $image (about two minutes)"
debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror" >"$work/log" 2>&1 ||
	fail "debootstrap failed: $(grep -v '^I:' "$work/log" | tail -n 3 | tr '\n' ' ')"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/{doc,man,locale}
mkdir -p "$root/opt/localstack" "$root/var/lib/localstack"
cp -a --no-preserve=ownership "$site/." "$root/opt/localstack"

old=$("$docker" image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
# LocalStack runs as it does on a host: EC2 alone, no network but its own port.
tar -C "$root" --numeric-owner -c . | "$docker" import \
	--change 'ENTRYPOINT ["python3", "-u", "-m", "localstack.runtime.main"]' \
	--change 'ENV PYTHONPATH=/opt/localstack LANG=C.UTF-8' \
	--change 'EXPOSE 4566' \
	--change "LABEL aws-slurm-burst.lock=$lock aws-slurm-burst.recipe=$recipe" \
	- "$image" >"$work/log" 2>&1 || {
	"$docker" image rm -f "$image" >/dev/null 2>&1 || true
	fail "docker import failed: $(tail -n 1 "$work/log")"
}
# A container that still runs keeps the old one.
[ -z "$old" ] || "$docker" image rm "$old" >/dev/null 2>&1 || true
echo "Built $image"
