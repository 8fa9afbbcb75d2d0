"""Pictures in plain tar files, read where they lie: nothing is unpacked.

`headers` lists the members of a tar with their offsets, `tar_files` reads them, and `samples` finds
the pictures among them, and their labels.
"""
