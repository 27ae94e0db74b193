"""Join somebody's table of places to the plan: for each row the places it lies in, how sure, what applies.

:mod:`layers.join.placing` places all rows at once, :mod:`layers.join.job` says what applies to each,
:mod:`layers.join.job` reads the file and writes the answer; ``python -m layers.join`` does so in a process of
its own. The web process reads :mod:`layers.join.request` alone. Nothing of a table is kept.
"""
