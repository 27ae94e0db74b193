"""The site as plain files, for any web server or object store that runs no code.

:func:`~webmap.site.build.build_site` walks the application as a reader would and writes what it answers;
:class:`~webmap.file_addresses.Files` says where each address is found then.
"""
