"""Pictures in plain tar files, read where they lie: nothing is unpacked.

`tar_files` lists the members of a tar with their offsets, and reads them; `samples` finds the
pictures among them, and their labels.
"""
