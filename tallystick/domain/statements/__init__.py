"""The bodies of statements, each a frozen dataclass of signed members.

To read a body of a known kind, call `bodies.read_body`; to write one, `write_body`. A `Signed` is a statement
whose signatures were verified, an `Entry` one that the ledger holds, with its index and time. `Header`
has the members of every statement, `OnClaim` those of every statement about a claim,
`ActBody` those of every act by a person. The kinds
themselves are `tallystick.domain.kinds.Kind`.
"""
