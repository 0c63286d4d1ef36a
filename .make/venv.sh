#!/bin/sh
# Makes .venv fit a lock file:        sh .make/venv.sh run|dev
# Says which Python it would take:    sh .make/venv.sh which
#
# run: requirements.lock, what the bot needs. dev: requirements-dev.lock, which holds the same and the test tools.
# A stamp in .venv says which lock was installed, whole, by which Python. Without a stamp, with another lock's, or
# with a Python that does not run any more, .venv is made again: an interrupted installation never counts.
set -eu

venv=.venv
guard=.venv.lock
run_lock=requirements.lock
dev_lock=requirements-dev.lock

say() { printf '%s\n' "handrail: $*" >&2; }

# ---- which Python -----------------------------------------------------------------------------------------------

# Exits 0 when this Python can carry Handrail, else prints why not, in a few words.
fitness='
import sys
def unfit(why):
    print("Python %d.%d.%d %s" % (sys.version_info[:3] + (why,)))
    sys.exit(1)
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    unfit("is not 3.11, 3.12 or 3.13")
try:
    import ensurepip, venv
except ImportError:
    unfit("has no venv and ensurepip (Debian and Ubuntu: apt-get install python%d.%d-venv)" % sys.version_info[:2])
try:
    import sqlite3, ssl
except ImportError as error:
    unfit("was built without %s" % error.name)
if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
    unfit("has SQLite %s, with which the engine crashes on 3.12 and newer (3.42 is needed)" % sqlite3.sqlite_version)
'

# Sets `found`, or `refused`: what was looked at and why it was not taken.
find_python() {
    refused=
    for candidate in ${PYTHON:+"$PYTHON"} $([ -n "${PYTHON:-}" ] || echo python3.13 python3.12 python3.11 python3); do
        command -v "$candidate" >/dev/null 2>&1 || continue
        # A name on PATH proves nothing (pyenv's shims, for one): it has to run.
        if why=$("$candidate" -c "$fitness" 2>/dev/null); then
            found=$candidate
            return 0
        fi
        refused="$refused
    $candidate: ${why:-does not run}"
    done
    return 1
}

how_to_install() {
    if command -v apt-get >/dev/null 2>&1; then
        echo "apt-get install python3 python3-venv    (Debian 12 and newer, Ubuntu 24.04 and newer)"
    elif command -v dnf >/dev/null 2>&1; then
        echo "dnf install python3.13"
    elif command -v brew >/dev/null 2>&1; then
        echo "brew install python@3.13"
    else
        echo "install Python 3.13 from your system's packages, or from python.org"
    fi
}

need_python() {
    find_python && return
    if [ -n "${PYTHON:-}" ]; then
        say "PYTHON=$PYTHON cannot be used.${refused:- There is no such command.}"
    else
        say "no Python here can be used; 3.11, 3.12 or 3.13 is needed.${refused:+ Looked at:$refused}"
    fi
    say "to get one: $(how_to_install)"
    say "to name one: make PYTHON=/path/to/python3 …"
    exit 2
}

# ---- what .venv holds -------------------------------------------------------------------------------------------

# Prints the Python version and the lock's sha256. Fails when .venv has no Python that runs.
state() {
    "$venv/bin/python" -c 'import hashlib, platform, sys
print(platform.python_version(), hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1" 2>/dev/null
}

# fits STAMP LOCK
fits() {
    [ -f "$venv/$1" ] && now=$(state "$2") && [ "$(cat "$venv/$1")" = "$now" ]
}

# stamp STAMP LOCK: whole or not at all
stamp() {
    state "$2" >"$venv/$1.part"
    mv "$venv/$1.part" "$venv/$1"
}

# Whether .venv was made from the Python that PYTHON names, if it names one.
as_asked() {
    [ -z "${PYTHON:-}" ] && return
    version='import platform; print(platform.python_version())'
    [ "$("$PYTHON" -c "$version" 2>/dev/null)" = "$("$venv/bin/python" -c "$version" 2>/dev/null)" ]
}

has_run() { fits .stamp-run "$run_lock" && as_asked; }
has_dev() { has_run && fits .stamp-dev "$dev_lock"; }

# install LOCK
install() {
    say "installing $(grep -c '^[A-Za-z0-9]' "$1") packages from $1; this takes a minute or two"
    PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --no-input --require-hashes -r "$1"
}

make_new() {
    need_python
    if [ -e "$venv" ] || [ -L "$venv" ]; then
        say "making .venv again: it is incomplete, or its lock file or Python changed"
        rm -rf "$venv"
    fi
    say "making .venv with $("$found" -c 'import platform, sys; print("Python", platform.python_version(), "of", sys.base_prefix)')"
    # What it says on stderr is shown when it fails, not when Ctrl-C ends it.
    "$found" -m venv "$venv" 2>"$guard/log" || { cat "$guard/log" >&2; exit 1; }
}

prepare_run() {
    if has_run; then return; fi
    make_new
    install "$run_lock"
    stamp .stamp-run "$run_lock"
    say ".venv is ready"
}

prepare_dev() {
    if has_dev; then return; fi
    if has_run && [ ! -e "$venv/.stamp-dev" ]; then
        say "adding the test tools to .venv"
    else
        make_new
    fi
    # The test lock holds everything that the run lock does, at the same versions.
    rm -f "$venv/.stamp-run"
    install "$dev_lock"
    stamp .stamp-run "$run_lock"
    stamp .stamp-dev "$dev_lock"
    say ".venv is ready"
}

# Two makes at once must not build the same folder. A guard whose process is gone counts for nothing.
alone() {
    waited=
    until mkdir "$guard" 2>/dev/null; do
        holder=$(cat "$guard/pid" 2>/dev/null || true)
        if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
            rm -rf "$guard"
            continue
        fi
        [ -n "$waited" ] || say "another make is preparing .venv; waiting for it (if there is none: rm -r $guard)"
        waited=yes
        sleep 1
    done
    trap 'rm -rf "$guard"' EXIT
    trap 'say "interrupted; the next make begins again"; exit 130' INT TERM HUP
    echo $$ >"$guard/pid"
}

case ${1:-} in
    run) has_run || { alone; prepare_run; } ;;
    dev) has_dev || { alone; prepare_dev; } ;;
    which) need_python; command -v "$found" ;;
    *) echo "usage: venv.sh run|dev|which" >&2; exit 2 ;;
esac
