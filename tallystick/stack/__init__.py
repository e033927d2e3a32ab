"""What `tallystick up` runs: a whole site on one machine, as child processes over one data folder.

To run a site, call `running` (`stack`), and `Stack.tend` from time to time: it starts again what has ended.
What a site is made of, and how each process shows that it is ready, is in `processes`.
"""
