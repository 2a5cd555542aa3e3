/// A place holder until the IP addresses move in.
