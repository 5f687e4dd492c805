"""The law as dated, pure objects: one rule each, with its source and its cure. The order of the catalogue is in `book`."""
