"""What every request passes: who asks, what they may see, strict bytes, and problems.

To make a route strict, take its router from `routing.strict_router`; to know the caller, put `auth.Known`
into the route's signature; to find what they may see, call `visibility.seen_agreement` and
`visibility.seen_case`; to take a statement, use `statements.PostedStatement` and `statements.once`, which
answers a repeated request only once. Errors become answers in `problems`, which alone decides the HTTP
status. `tokens` reads what a caller signed in with, `turns` says whose call is next, `openapi` describes
the API, `metrics` counts its answers.
"""
