"""What record stores share: cursors, filters, groups, rows as text, and a thread that commits in groups. No plugin."""
