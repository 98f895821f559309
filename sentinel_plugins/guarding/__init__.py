"""What guards share: what is looked for, how it is found, and how it is taken out of texts and streams."""
