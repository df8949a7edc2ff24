"""The HTTP and WebSocket edge: what stands between the network and the GraphQL schema."""
