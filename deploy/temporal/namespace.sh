#!/bin/sh
# Makes the namespace, with a retention longer than anybody asks for an ended claim; again is harmless.
# The ledger is the record: histories are kept to look into, and so that no workflow id is used twice soon.
set -eu
temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$NAMESPACE" --retention 2160h --description "Tallystick claims"
temporal operator namespace update --namespace "$NAMESPACE" --retention 2160h
