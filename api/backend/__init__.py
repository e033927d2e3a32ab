"""What the API is built on: the database, the blobs, the clock, and Temporal.

In a route, take a `Backend` as a parameter: it loads cases and knows the deployment. `EnginePort` is
what the API asks of Temporal, and `TemporalEngine` asks it; tests put something else in its place.
"""
