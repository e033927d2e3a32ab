"""One module for each step, named after its number.

To add a step, copy the last module, count up `revision`, and name the one before in `down_revision`;
then write the new shape in `tallystick.store.database.tables`. A step has an `upgrade` and no way back.
"""
