"""Whether an agreement is sound: a linter that explains, and a check that refuses.

To lint an agreement, call `lint`, whose findings name the place, the mistake and the remedy; to ask
whether a deployment may register it, call `check_registration`. To add a rule, write a function that
yields findings in the module of its subject, and list it in the `RULES` of that module.
"""
