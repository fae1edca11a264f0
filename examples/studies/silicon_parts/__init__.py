"""Parts of the studies of silicon: teacher and network, learning, statics, dynamics."""
