"""Folders of images, a folder a class, as ImageNet has: found, and each file inspected once.

`class_folders` lists the files, `inspection` looks at each, `indexing` decides which count, and
`image_index` is the outcome. `decoding` reads a file (`deep_grey` what has more than eight bits).
"""
