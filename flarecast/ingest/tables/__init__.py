"""Parts of `ingest table`: the mapping, the cells, their values, and tracks and windows made of them."""
