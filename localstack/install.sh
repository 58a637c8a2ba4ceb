#!/bin/sh
# install.sh [DIR]: put LocalStack 4.14.0 (EC2) into a Python environment of its
# own, without root, from the hash-locked requirements.txt beside this file.
#
# DIR defaults to .build/localstack at the top of the repository. Running it
# again does nothing while DIR holds what the lock says; a lock that changed, or
# an installation that was cut short, is installed anew. The stamp is written
# last, so an environment without one is never taken for whole.
#
# ASBA_PYTHON is the Python 3.11 to use instead of the first one found in PATH.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lock=$here/requirements.txt
dir=${1:-$(dirname -- "$here")/.build/localstack}

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

# The lock is resolved for Python 3.11: another version would need other wheels.
is_311() {
	"$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1
}

set -- python3.11 python3 /usr/bin/python3.11
[ -z "${ASBA_PYTHON:-}" ] || set -- "$ASBA_PYTHON"
python=
for candidate in "$@"; do
	if is_311 "$candidate"; then
		python=$candidate
		break
	fi
done
[ -n "$python" ] ||
	fail "no Python 3.11 found (tried $*): 'apt-get install python3 python3-venv' on Debian 12, or set ASBA_PYTHON to one"
"$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
	fail "$python cannot make virtual environments: 'apt-get install python3-venv' on Debian"

digest=$("$python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$lock")
if [ "$(cat "$dir/asba-lock.sha256" 2>/dev/null || true)" = "$digest" ] && is_311 "$dir/bin/python"; then
	echo "LocalStack 4.14.0 is already in $dir"
	exit 0
fi

# Only a folder that is empty or an environment is ever replaced.
if [ -d "$dir" ] && [ ! -f "$dir/pyvenv.cfg" ] && [ -n "$(ls -A "$dir")" ]; then
	fail "$dir is not empty and not a Python environment: name another folder, or empty it"
fi

echo "Installing LocalStack 4.14.0 into $dir (about 500 MB, a minute or two)"
rm -rf "$dir"
mkdir -p "$dir" || fail "cannot make $dir"
"$python" -m venv "$dir" ||
	fail "$python could not make an environment in $dir: 'apt-get install python3-venv' on Debian"
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
	--use-pep517 --require-hashes --requirement "$lock" ||
	fail "pip could not install the locked set (above is why): check the network and pip's index configuration, then run this again"

echo "$digest" >"$dir/asba-lock.sha256.new"
mv "$dir/asba-lock.sha256.new" "$dir/asba-lock.sha256"
echo "Installed LocalStack 4.14.0 in $dir"
