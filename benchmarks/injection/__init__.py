"""How the weights of the stage `injection` are made, and how well they do: not part of what is installed."""
