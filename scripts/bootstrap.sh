#!/bin/sh
# Makes .venv from requirements.lock and installs this project into it; does nothing when nothing has changed.
#
# Needs Python 3.11 or newer: PYTHON= names one, else the first that fits is taken. Uses uv when it is there, else venv
# and pip. Packages come from wherever pip and uv are configured to find them, checked by the hashes in the lock.
set -eu
cd "$(dirname "$0")/.."

# Says which interpreter is behind a name (never that of a virtual environment, which we may be about to remove),
# and what an environment made with it here and now would be made of.
describe='
import hashlib, os, pathlib, sys
if sys.version_info < (3, 11):
    sys.exit(1)
digest = lambda name: hashlib.sha256(pathlib.Path(name).read_bytes()).hexdigest()[:16]
base = sys._base_executable
made_of = [sys.version.split()[0], digest("requirements.lock"), os.path.realpath(base), os.getcwd()]
print(base, "|".join(made_of), digest("pyproject.toml"), sep="\n")
'

find_python() {
  if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.13 python3.12 python3.11 python3.14; fi
  for python; do
    if described=$("$python" -c "$describe" 2>/dev/null); then return; fi
  done
  found=$(command -v "$1" >/dev/null && "$1" --version 2>&1) || found="not there"
  echo "Python 3.11 or newer is needed, and $1 is: $found. Install it, or name one: PYTHON=/path/to/python make run" >&2
  exit 1
}

line() { printf '%s\n' "$described" | sed -n "$1p"; }
is_stamped() { [ -x .venv/bin/python ] && [ "$(cat ".venv/$1.stamp" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >".venv/$1.stamp"; }

find_python
python=$(line 1) dependencies=$(line 2) project=$(line 3)
if is_stamped dependencies "$dependencies" && is_stamped project "$project"; then exit 0; fi

# One at a time in one checkout. The kernel drops this lock with the last process that holds it, however that ends.
if [ "${1:-}" != locked ]; then
  exec "$python" -c '
import fcntl, os, sys
lock = os.open("requirements.lock", os.O_RDONLY)
fcntl.flock(lock, fcntl.LOCK_EX)
os.set_inheritable(lock, True)
os.execv("/bin/sh", ["sh", "scripts/bootstrap.sh", "locked"])'
fi

find_uv() {
  PATH="$PATH:$PWD/.tools/bin"
  export UV_PYTHON_DOWNLOADS=never # the newest Python there is to download is not the one that was chosen
  export UV_SYSTEM_CERTS=1         # as pip does; without it nothing works behind a proxy that inspects TLS
  # A user without a home, as in many containers, has no place for a cache either.
  [ -w "${HOME:-/nonexistent}" ] || export UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/.tools/cache}"
  command -v uv >/dev/null 2>&1
}

make_environment() {
  rm -rf .venv # whatever it is, it is not what the lock says, and half an environment can look whole
  if find_uv; then
    uv venv --quiet --python "$python" .venv
  elif ! "$python" -m venv .venv >/dev/null 2>&1; then
    # Debian's Python without python3-venv can make no environment with pip in it; uv can.
    rm -rf .venv
    if ! "$python" -m pip install -qq --disable-pip-version-check --target .tools --require-hashes -r scripts/uv.lock.txt; then
      echo "This Python can make no virtual environment. Install uv, or your system's package python3-venv." >&2
      exit 1
    fi
    find_uv
    uv venv --quiet --python "$python" .venv
  fi
}

# pip compiles to byte code by itself; without that, every start of the server is a second slower.
install_dependencies() {
  if find_uv; then
    uv pip sync --quiet --compile-bytecode --require-hashes --python .venv/bin/python requirements.lock
  else
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
  fi
}

install_project() {
  if find_uv; then
    uv pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable .
  else
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
  fi
}

if ! is_stamped dependencies "$dependencies"; then
  echo "Installing into .venv ..." >&2
  make_environment
  install_dependencies
  stamp dependencies "$dependencies"
fi
if ! is_stamped project "$project"; then
  install_project
  stamp project "$project"
fi
