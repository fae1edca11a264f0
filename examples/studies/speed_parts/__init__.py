"""Parts of the study of speed."""
