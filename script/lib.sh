# shellcheck shell=bash
# Shared by the scripts beside it: what they need on a bare machine, and the virtual environments.
# To be sourced after `set -euo pipefail`. Leaves the shell in the checkout's top folder, so that the
# scripts can be called from anywhere.

unset CDPATH # or cd may land elsewhere, and print where
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'script/%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Run a command without a terminal; show what it said only when it fails.
quietly() {
  local output status=0
  output=$("$@" </dev/null 2>&1) || status=$?
  ((status == 0)) || printf '%s\n' "$output" >&2
  return "$status"
}

# Install Debian packages, or say which command does.
debian_packages() {
  ((EUID == 0)) || die "first: sudo apt-get install $*"
  hash apt-get 2>/dev/null || die "first install what Debian calls $*"
  say "apt-get install $*"
  local install=(env DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@")
  # The package lists may be missing or old; often they are neither, and fetching them is most of the time.
  "${install[@]}" </dev/null >/dev/null 2>&1 || { quietly apt-get update && quietly "${install[@]}"; } ||
    die "apt-get install $* failed, see above"
}

# Install Debian packages whose services shall run neither now nor at the next boot: their programs alone are wanted.
debian_packages_idle() (
  policy=/usr/sbin/policy-rc.d # asked before a package starts its service, under systemd as well
  if ((EUID == 0)) && [[ ! -e $policy && ! -L $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  debian_packages "$@"
  for package; do # (which does not keep the service from being enabled)
    [[ ! -e /etc/init.d/$package ]] || quietly update-rc.d "$package" disable
    [[ ! -e /lib/systemd/system/$package.service ]] || ! hash systemctl 2>/dev/null ||
      quietly systemctl disable "$package"
  done
)

# programs NAME...: see to it that these programs are there; each is in the Debian package of its name.
programs() {
  local name missing=()
  for name; do hash "$name" 2>/dev/null || missing+=("$name"); done
  ((${#missing[@]} == 0)) || debian_packages "${missing[@]}"
}

# Print the path of python3, or why it is not fit. The real path: python3 may be a shim, or that of the very
# environment that is about to be made anew.
find_python() {
  hash python3 2>/dev/null || die 'python3 is missing; on Debian: sudo apt-get install python3 python3-venv'
  python3 -c 'if True:
    import os, sys
    if sys.version_info < (3, 11): sys.exit(f"{sys.executable} is Python {sys.version.split()[0]}")
    print(os.path.realpath(sys.executable))' || die 'python3 must be Python 3.11 or later'
}

# Print the path of a Python 3.11: later ones find no wheels of the floor's releases.
find_floor_python() {
  local name
  for name in python3 python3.11; do
    "$name" -c 'if True:
      import os, sys
      if sys.version_info[:2] != (3, 11): sys.exit(1)
      print(os.path.realpath(sys.executable))' 2>/dev/null && return
  done
  die "the floor is Debian 12's: it needs Python 3.11, and neither python3 nor python3.11 is that"
}

# environment FOLDER PYTHON EXTRA [CONSTRAINTS]: see to it that FOLDER is a virtual environment of PYTHON that has
# this checkout, editable, and what its EXTRA names ('' for none). Costs nothing when it already is.
environment() {
  local folder=$1 python=$2 extra=$3 constraints=${4:-} identity wanted level
  # A virtual environment holds absolute paths, and folders named after the interpreter's version.
  identity="$PWD $python $("$python" -V)"
  wanted=$(cat setup.cfg ${constraints:+"$constraints"} | sha256sum)
  wanted=${wanted%% *}

  environment_is_complete && return
  can_make_environments "$python" || debian_packages python3-venv
  can_make_environments "$python" || die "$python cannot make virtual environments: it has no ensurepip"
  mkdir -p .cache
  ( # pip inherits the lock, and so keeps it even if this shell is killed
    flock --nonblock 9 || { say "waiting for another set-up of $folder"; flock 9; }
    environment_is_complete && exit
    level=$extra
    if [[ $(cat "$folder/.identity" 2>/dev/null) == "$identity" ]]; then
      # Only the requirements changed, or more of them are wanted. A server may be running from here: add, do not clear.
      [[ $extra ]] || read -r _ level <"$folder/.installed"
      rm "$folder/.identity" # until this is done, the folder does not count
    else
      say "making $folder with $("$python" -V)"
      rm -f "$folder/.identity"
      quietly "$python" -m venv --clear "$folder"
    fi
    say "installing into $folder${constraints:+, constrained by $constraints}"
    quietly "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --prefer-binary \
      ${constraints:+--constraint "$constraints"} --editable ".${level:+[$level]}" || die 'pip failed, see above'
    echo "$wanted $level" >"$folder/.installed"
    echo "$identity" >"$folder/.identity"
  ) 9>".cache/${folder#.}.lock"
}

# (of the variables of `environment`)
environment_is_complete() {
  local has includes
  [[ $(cat "$folder/.identity" 2>/dev/null) == "$identity" ]] || return
  read -r has includes <"$folder/.installed"
  [[ $has == "$wanted" && ($extra == "$includes" || $extra == '') ]]
}

can_make_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# tools_of NAME: print the folder of the programs of tests/NAME/tools.txt, installed from PyPI in the versions it names.
tools_of() {
  local folder=$PWD/.cache/$1-tools list=tests/$1/tools.txt wanted python
  python=$(find_python)
  wanted="$python $(sha256sum <"$list")"
  if [[ $(cat "$folder/.installed" 2>/dev/null) != "$wanted" ]]; then
    say "installing $list into ${folder#"$PWD/"}"
    can_make_environments "$python" || debian_packages python3-venv
    mkdir -p .cache
    quietly "$python" -m venv --clear "$folder"
    quietly "$folder/bin/python" -m pip install --disable-pip-version-check --no-input -r "$list" ||
      die 'pip failed, see above'
    echo "$wanted" >"$folder/.installed"
  fi
  printf '%s\n' "$folder/bin"
}
