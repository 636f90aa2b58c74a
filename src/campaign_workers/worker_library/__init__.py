"""What workers share: reading and updating objects, batches, concurrent maps, publishing counts."""
