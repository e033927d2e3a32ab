"""The rules that a sensible agreement keeps, a subject a module; `agreement_check` runs them."""
