#!/bin/sh
# Makes the namespace and keeps histories for longer than anybody asks about an ended claim. Running it again is
# harmless. The ledger is the record; histories are kept so that you can look into them, and so that no workflow id
# is soon used twice.
set -eu
temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$NAMESPACE" --retention 2160h --description "Tallystick claims"
temporal operator namespace update --namespace "$NAMESPACE" --retention 2160h
