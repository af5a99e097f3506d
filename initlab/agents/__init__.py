"""A server of the Model Context Protocol, through which agents use a service: needs the extra `initlab[mcp]`."""
