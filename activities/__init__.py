"""What touches the world for a workflow, in one module for each thing touched. No rule is decided here.

To record or read a claim's record, a workflow calls `LedgerActivities`; other activities read a
deposit's copies (`BlobActivities`) and export evidence (`EvidenceActivities`). The rooms: `gate` decides
stages, `notices` sends letters, `rounds` does recurring work. Each activity may be repeated.
"""
