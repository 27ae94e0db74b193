"""Join somebody's table of places to the plan: for each row the places it lies in, how sure, what applies.

:mod:`layers.join.placing` places all rows at once; :mod:`layers.join.table_job` reads the file, says what
applies to each row and writes the answer, in a child process. The web process reads
:mod:`layers.join.join_request` alone. Nothing of a table is kept.
"""
