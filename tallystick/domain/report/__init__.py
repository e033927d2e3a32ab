"""The report of a claim for people who read neither code nor JSON: a judge, an arbitrator, a board.

Call `whole.report` with what a verification established (`grounds`); it returns a `layout.Paper` of titled
sections, which programs print in their own form. `cover` says what the claim is and how it stands, `course`
what happened, `votes` who counted and why, `decisions` what the gate decided on what grounds, and `checks`
how all this was verified, and what was not. `words` says in plain language what the record says in names.
"""
