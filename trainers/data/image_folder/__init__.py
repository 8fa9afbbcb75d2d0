"""Folders of labelled pictures, as ImageNet and others have them: found, each inspected once.

`layout` finds the parts of a folder, whose classes `class_folders` or a `labels_file` say;
`inspection` looks at each picture, `indexing` decides which count, and `image_index` is the
outcome. `picture_files` is where bytes lie, `decoding` reads them (`deep_grey` what has more than
eight bits).
"""
