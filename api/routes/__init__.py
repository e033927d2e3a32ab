"""The routes: one module for each noun of the API.

To add a route, add it to the router of its noun; `api.app` includes each router once. What two nouns
share is in `http` or `answers`. Every act on a claim goes through the one handler in `acts`, so that no
second address can skip a rule.
"""
