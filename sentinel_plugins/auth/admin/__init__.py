"""Keys and tenants in the hands of those who administer them: over HTTP and from the command line."""
