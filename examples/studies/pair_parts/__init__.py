"""Parts of the studies of pairs: fits of data in memory, and curves over the distance."""
