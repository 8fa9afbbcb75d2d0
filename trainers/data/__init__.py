"""Images to train and validate on, and the one guarded way to the test images.

`data_config` is what a person writes, `describe` what it leads to, `split` the division into
training and validation; `opening` opens the images, `held_out_test` locks those of the test.
`search_data` is what a training sees: `in_memory` as `fashion_mnist`, or as `folder_data`
decoded from an `image_folder`; `augmentation` is timm's.
"""
