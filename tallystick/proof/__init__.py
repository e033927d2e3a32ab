"""From bytes to what is believed: the one place where an envelope becomes a `Signed`.

To verify one statement, call `read_signed`; an agreement, `read_agreement`; a claim's whole record,
`verified` and `grown` in `entries`; an evidence file, `verify` in `evidence.verify`, whose answer is a
`Report`. It needs no database and no network.
"""
