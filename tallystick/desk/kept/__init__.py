"""What a person's machine keeps next to the key: whom it believes, and what was signed.

`changing_pins` opens the trust file. `Unsent` sends a statement, and keeps it until it is answered; `Sent`
keeps it from then on. `working_in` gives a folder for sealed files, with which a repeated command continues.
"""
