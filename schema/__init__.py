"""What the outside sees: GraphQL types and the HTTP and WebSocket edge."""
