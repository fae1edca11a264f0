"""The fit: networks, loss, optimisers, the loop over epochs, what is kept of it."""
