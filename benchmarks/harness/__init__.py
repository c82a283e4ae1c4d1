"""What `scripts/bench` runs: servers beside a reference, in interleaved rounds. docs/performance.md explains it."""
