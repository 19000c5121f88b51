"""The pages that a person opens: plain HTML, style and scripts, served as they are."""
