"""From bytes to verified statements: the one place where an envelope becomes a `Signed`.

To verify one statement, call `read_signed`; an agreement, `read_agreement`; a claim's whole record,
`folded`, which returns a `Case` that `Case.grown` carries on; an evidence file, `verify` in
`evidence.verify`, whose answer is a `Report`. Nothing here needs a database or a network.
"""
