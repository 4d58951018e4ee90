"""What goes over the API: filters of requests, and the shapes of answers as OpenAPI documents them."""
