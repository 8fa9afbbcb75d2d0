"""The kinds of data, one a file: its fields, and where its images are found.

`trainers.data.registry` has their names. A new kind is a file here, a name there and in
`trainers.protocol`, and it is held to what `tests/trainers/data_contract.py` says of all.
"""
