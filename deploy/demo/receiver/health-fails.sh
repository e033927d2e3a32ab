#!/bin/sh
# A health check that never passes, to see a stage rolled back.
echo "activation endpoint does not answer" >&2
exit 1
