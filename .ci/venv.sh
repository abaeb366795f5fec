#!/bin/bash
# venv.sh: the Python that scores speech, in target/venv, made again only when lab/requirements.txt changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv="${CARGO_TARGET_DIR:-target}/venv"
stamp="$venv/requirements.txt"
cmp -s lab/requirements.txt "$stamp" && exit 0
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r lab/requirements.txt
cp lab/requirements.txt "$stamp"
