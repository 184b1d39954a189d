#!/usr/bin/env bash
# Make .venv and install what is needed: `setup.sh learner` for the course, `setup.sh hub` for JupyterHub with the grader
# (deploy/), `setup.sh dev` for the tests too.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?"usage: scripts/setup.sh learner|hub|dev"}
python=${PYTHON:-python3}

fail() { echo "setup: $*" >&2; exit 1; }

# Install Debian packages, or say in one line what to install by hand.
need_packages() {
    if ! command -v apt-get >/dev/null; then
        fail "install $* with your system's package manager, then run the command again"
    elif [ "$(id -u)" = 0 ]; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null; } \
            || fail "apt-get could not install $*; install them by hand, then run the command again"
    elif sudo -n true 2>/dev/null; then
        { sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null; } \
            || fail "apt-get could not install $*; install them by hand, then run the command again"
    else
        fail "run this once, then the command again: sudo apt-get install $*"
    fi
}

command -v "$python" >/dev/null || need_packages python3 python3-venv
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = 3.11 ] \
    || fail "Python 3.11 is needed (the version this course is tested with), $python is $version; set PYTHON=python3.11"

if [ ! -x .venv/bin/python ]; then
    "$python" -m venv .venv 2>/dev/null || { rm -rf .venv; need_packages python3-venv; "$python" -m venv .venv; }
fi
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@" 2> >(grep -v "^WARNING: Location" >&2); }

echo "setup: installing PyTorch and the course (a few minutes the first time)"
# PyTorch alone and by its exact version, so that a CPU build at hand is taken.
pip install torch==2.13.0
case $kind in
    learner) pip install --constraint constraints.txt --editable . ;;
    hub)     pip install --constraint constraints.txt --editable ".[hub]" ;;
    dev)     pip install --constraint constraints.txt --editable ".[dev]" ;;
    *)       fail "usage: scripts/setup.sh learner|hub|dev" ;;
esac

# JupyterLab asks at its first start whether it may fetch news; the course works offline.
mkdir -p .venv/share/jupyter/lab/settings
cat > .venv/share/jupyter/lab/settings/overrides.json <<'JSON'
{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}
JSON

# JupyterHub's proxy is a program for Node.js; this version of it runs on the Node.js of Debian 12 and 13.
hub_proxy() {
    npm install --global --prefix .venv --no-fund --no-audit --no-update-notifier --loglevel=error configurable-http-proxy@5.1.0 >/dev/null
}

if [ "$kind" = hub ]; then
    command -v npm >/dev/null || need_packages npm
    hub_proxy || fail "npm could not install JupyterHub's proxy, see above; then run the command again"
    touch .venv/.ready-hub
fi

if [ "$kind" = dev ]; then
    # The tests drive a browser, a PostgreSQL server of their own, and bubblewrap, one of the grader's sandboxes.
    missing=()
    command -v chromium >/dev/null || missing+=(chromium)
    command -v bwrap >/dev/null || missing+=(bubblewrap)
    compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
    [ ${#missing[@]} = 0 ] || need_packages "${missing[@]}"
    # Debian's npm is some hundred packages, and one test alone needs it: that is skipped where it is missing.
    if ! command -v npm >/dev/null; then
        echo "setup: npm is missing, so JupyterHub is not tested; for that, install npm and run scripts/setup.sh dev again"
    elif ! hub_proxy; then
        echo "setup: npm could not install JupyterHub's proxy, so JupyterHub is not tested" >&2
    fi
    touch .venv/.ready-dev
fi
touch .venv/.ready-learner
