"""The clauses as Temporal workflows: they wait, call and record; the core decides."""
