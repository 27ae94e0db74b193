"""Files to take home: every layer and table in the formats that other programs open.

The web process reads only :mod:`layers.export.job`; what writes the files runs in the build or in a child.
"""
