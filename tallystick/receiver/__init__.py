"""What the beneficiary runs: it fetches, checks, opens, activates, and signs a receipt.

To do everything that is offered for a claim, call `receive`; call it again until the claim is over. It
believes only what signatures prove (`delivery`), opens into a folder of its own (`opening`), switches
versions by one rename (`versions`), runs the beneficiary's commands (`commands`) and notes each step
first (`journal`). `Fence` lets only the newest receiver change a folder.
"""
