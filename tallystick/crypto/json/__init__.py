"""JSON in its one form (RFC 8785), strict when it is read.

To write bytes that will be signed or hashed, call `canonical_bytes`; to read bytes from outside, call
`parse`, or `parse_canonical` if they must be in canonical form already. `members_of` and `text_of` take
objects apart, and `base64_text` and `base64_bytes` have the one allowed spelling.
"""
