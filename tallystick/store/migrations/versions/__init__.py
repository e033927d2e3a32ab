"""One module a step, named after its number; `revision` and `down_revision` put them in order."""
