"""What every request passes: who asks, what they may see, strict bytes, and problems.

To make a route strict, take its router from `routing.strict_router`; to know the caller, use
`auth.caller`; to find what they may see, `visibility.seen_agreement` and `visibility.seen_case`; to take
a statement, `statements.statement` and `statements.once`, which answers a repeated request only
once. Errors become answers in `problems`, which alone decides the HTTP status. `openapi` describes the
API, `metrics` counts its answers.
"""
