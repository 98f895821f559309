"""Names, places and whatever else only a model recognises: what is asked of it, and how its answers reach a text."""
