"""Reading pictures safely and cutting faces out of them."""
