"""Custody of a component's key: shares that are dealt, sealed, verified and recombined.

For `custody: gate`, everything is in `gate`: `deal_epoch` makes an epoch, `gate_share` opens the gate's
share of it, `contribute` seals that share for one claim, and `contributed_identity` is what the receiver
opens the component with. It is built on `sharing` (Pedersen's scheme over any `tree`), `sealed_share` (a
share bound to what it is for) and `edwards` (the group).
"""
