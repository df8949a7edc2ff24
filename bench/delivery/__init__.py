"""Delivery of events, from the commit to the follower: the writers measure, followers may be in a process of their own."""
