"""The HTTP API: it parses, authorises, verifies and hands over. It decides nothing and holds no key.

To start it, run `uvicorn api.app:create_app --factory`. A route is in `routes`; what it answers is in
`answers`; what every request passes first is in `http`; and the stores and Temporal, which everything
here needs, are in `backend`.
"""
