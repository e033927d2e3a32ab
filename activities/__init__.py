"""What touches the world for a workflow, one module for each neighbour. No rule is decided here.

To record or read what a claim consists of, a workflow calls `LedgerActivities`; the others read a
deposit's copies (`BlobActivities`) and export evidence (`EvidenceActivities`). The rooms: `gate` decides
stages, `notices` sends letters, `rounds` does what recurs. Each activity may be repeated.
"""
