"""The pages people use; what both of them show stands here, each front in its own folder."""
