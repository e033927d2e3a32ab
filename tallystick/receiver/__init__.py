"""What the beneficiary runs: it fetches, checks, opens and activates what is released, and signs receipts.

To do everything that is offered for a claim, call `receive`; call it again until the claim is over. It
believes only what signatures prove (`delivery`), opens into a folder of its own (`opening`), switches
versions with one rename (`versions`), runs the beneficiary's commands (`commands`), and notes how far each
stage has come (`logbook`). `Fence` lets only the newest receiver change a folder.
"""
