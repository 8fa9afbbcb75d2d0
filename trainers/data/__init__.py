"""Images to train and validate on, and the one guarded way to the test images.

`data_config` is what a person writes, of a kind of data that `registry` names; `kinds` has a file
for each, and `data_kind` says what they have in common. `describe` is what a configuration leads
to, `split` the division into training and validation; `opening` opens the images, `held_out_test`
locks those of the test. `search_data` is what a training sees: `in_memory` as `labelled_images`
(`resident_kind`), or as `folder_data` decoded from pictures in an `image_folder` or in `tar_shards`
(`picture_kind`); `augmentation` is timm's.
"""
