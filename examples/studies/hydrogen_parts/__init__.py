"""Parts of the study of hydrogen."""
