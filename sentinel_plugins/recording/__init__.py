"""What record stores share: cursors, filters, groups, rows as text, and a thread that commits in groups; and what those
share who write rows and show them: a journal, who may see what, times in queries,
options of commands. No plugin."""
