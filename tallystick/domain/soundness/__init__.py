"""Whether an agreement is sound: a linter that explains, and a check that refuses.

To have an agreement examined, call `examine`, whose findings name the place, the mistake and the remedy; to
ask whether a deployment may register it, call `check_registration`, and then `check_soundness`, which takes
longer. To add a rule, write a function that yields findings in the module of its subject, and list it in the
`RULES` of that module. What no rule can see in the document alone, a play of a claim may show: `simulation`
has these.
"""
