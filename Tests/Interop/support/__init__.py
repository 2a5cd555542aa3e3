"""What the interop tests share: processes on free loopback ports, protocol clients, a browser."""
