#!/bin/sh
# Whether what is active works: exit 0 if so. The receiver runs it in the active folder after each
# stage; where there is source code its own tests are run. Another folder may be the first argument.
set -eu
cd "${1:-.}"

export PYTHONDONTWRITEBYTECODE=1 # a check must not change what it checks
find . -name '*.json' -exec sh -ec 'for file; do python3 -m json.tool "$file" /dev/null; done' sh {} +
find . -name pyproject.toml -exec sh -ec '
    for file; do
        (cd "$(dirname "$file")" && python3 -m unittest discover -q -s tests -t .)
    done' sh {} +
echo "healthy"
