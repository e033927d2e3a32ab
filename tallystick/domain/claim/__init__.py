"""A claim as its record makes it: `state` has the table, `claim` the value, `evolve` how it changes."""
