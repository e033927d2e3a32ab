"""What touches the world on a workflow's behalf, a module a neighbour; no rule is decided here."""
