#!/usr/bin/env bash
# Print the installed versions as pip constraints; torch is pinned in pyproject.toml, this project is editable.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "# Versions that the tests passed with; made by: make constraints"
.venv/bin/python -m pip --disable-pip-version-check freeze --exclude-editable 2>/dev/null | grep -v '^torch==' | grep '=='
